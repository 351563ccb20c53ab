"""What the last job of every screening stage does: turn documents into properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from ...database.documents import CandidateDoc, StageDoc
from ...database.properties import PropertyEstimate
from ...database.provenance import collect_provenance
from ...errors import UnknownElementError
from ...potentials.registry import load_potential
from ...potentials.specification import PotentialProvenance, PotentialSpecification
from ...runtime.atoms import as_structure
from ...runtime.maker import Maker
from ...runtime.provenance import job_provenance
from ...runtime.timed_job import job
from ...structures.fingerprint import structure_fingerprint


class StageIdentity(BaseModel):
    """Which stage result a job makes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str = Field(description="name of the stage")
    stage_key: str = Field(description="key of its result")


def stage_candidate(
    structure: Structure, mobile_ion: str, ion_charge: float, label: str, campaign_id: str | None = None
) -> CandidateDoc:
    """Wrap the structure that a stage starts from, as the Makers of the main job take it.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    mobile_ion : str
        Element symbol.
    ion_charge : float
        Its formal charge in elementary charges.
    label : str
        Name of the material.
    campaign_id : str or None
        Campaign that asks.

    Returns
    -------
    CandidateDoc
        The candidate.
    """
    plain = structure.copy()
    plain.remove_oxidation_states()
    formula = plain.composition.reduced_formula
    return CandidateDoc(
        formula=formula,
        label=label or formula,
        provenance=collect_provenance(structure_fingerprint=structure_fingerprint(plain), campaign_id=campaign_id),
        structure=plain.as_dict(),
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        mobile_ion_guessed=False,
        origin="a campaign",
        was_disordered=False,
    )


def stage_document(
    identity: StageIdentity,
    candidate: CandidateDoc,
    *,
    properties: Mapping[str, PropertyEstimate] | None = None,
    rejected: str | None = None,
    structure: Structure | None = None,
    details: Mapping[str, Any] | None = None,
    source_uuids: Iterable[str | None] = (),
    notes: Iterable[str] = (),
    potential: PotentialProvenance | None = None,
    seeds: Iterable[int] = (),
) -> StageDoc:
    """Build the document of a stage inside its last job.

    Parameters
    ----------
    identity : StageIdentity
        Which stage result it is.
    candidate : CandidateDoc
        The structure that the stage started from.
    properties : mapping of str to PropertyEstimate or None
        What was found.
    rejected : str or None
        Why the structure itself is unfit; None where it is not.
    structure : Structure or None
        What the next stages start from; None for the candidate's own.
    details : mapping or None
        Plain JSON for the report.
    source_uuids : iterable of str or None
        Jobs whose documents it sums up.
    notes : iterable of str
        Sentences for the reader.
    potential : PotentialProvenance or None
        The potential behind the numbers.
    seeds : iterable of int
        Seeds of all random streams used.

    Returns
    -------
    StageDoc
        The document.
    """
    handed_on = as_structure(candidate.structure) if structure is None else structure
    return StageDoc(
        formula=candidate.formula,
        label=candidate.label,
        provenance=job_provenance(handed_on, potential, seeds),
        notes=list(dict.fromkeys(notes)),
        stage=identity.stage,
        stage_key=identity.stage_key,
        state="completed" if rejected is None else "rejected",
        reason=None if rejected is None else f"{rejected[0].upper()}{rejected[1:].rstrip('.')}.",
        mobile_ion=candidate.mobile_ion,
        properties=dict(properties or {}),
        details=dict(details or {}),
        structure=handed_on.as_dict() if rejected is None else None,
        source_uuids=[uuid for uuid in source_uuids if uuid],
    )


def unknown_elements(structure: Structure, potential: PotentialSpecification) -> str | None:
    """Say that a potential was not made for an element of a structure.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    potential : PotentialSpecification
        The potential.

    Returns
    -------
    str or None
        One sentence; None where it knows them all.

    Raises
    ------
    PotentialError
        If the potential cannot be loaded, which says nothing of the structure.
    """
    loaded = load_potential(potential)
    try:
        loaded.check_elements({site.specie.symbol for site in structure})
    except UnknownElementError as error:
        return str(error)
    return None


def estimate(
    value: float | None,
    interval_68: tuple[float, float] | None = None,
    interval_95: tuple[float, float] | None = None,
    *,
    note: str | None = None,
) -> PropertyEstimate:
    """Shorten the making of an estimate without a bound."""
    return PropertyEstimate(value=value, interval_68=interval_68, interval_95=interval_95, note=note)


def bounded(side: Literal["upper", "lower"], limit: float, note: str | None = None) -> PropertyEstimate:
    """Shorten the making of an estimate of which only a bound is known."""
    return PropertyEstimate(bound=side, limit=limit, note=note)


@dataclass
class RejectionMaker(Maker):
    """Record that a structure is unfit for a stage, where that was known before any work.

    Parameters
    ----------
    name : str
        Name of the job.
    """

    name: str = "reject"

    @job(output_schema=StageDoc)
    def make(self, identity: StageIdentity, candidate: CandidateDoc, reason: str) -> StageDoc:
        """Record one rejection.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure.
        reason : str
            Why it is unfit.

        Returns
        -------
        StageDoc
            The rejection.
        """
        return stage_document(identity, candidate, rejected=reason)
