"""The last job of the stage that asks whether a material is stable against its competitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobflow import JobConfig, OnMissing

from ...database.documents import CandidateDoc, RelaxDoc, StageDoc
from ...database.properties import PropertyEstimate
from ...errors import AnalysisError
from ...potentials.specification import PotentialSpecification
from ...runtime.atoms import as_structure
from ...runtime.competing_phases import CompetitorSet
from ...runtime.maker import Maker
from ...runtime.timed_job import job
from ...structures.reference_phases import phases_known_to_be_missing
from ...structures.stability import (
    ElectrochemicalWindow,
    HullDistance,
    PhaseEnergy,
    Product,
    VoltageLimit,
    electrochemical_window,
    empty_systems,
    hull_distance,
    missing_elements,
)
from .stage_document import StageIdentity, bounded, estimate, stage_document, unknown_elements

_ONE_SIDED_95 = 1.6448536269514722
_TWO_SIDED_95 = 1.959963984540054


@dataclass
class StabilityStageMaker(Maker):
    """Compare a relaxed material with its relaxed competitors.

    Parameters
    ----------
    name : str
        Name of the job.
    potential : PotentialSpecification or None
        The potential of all relaxations; None for the default one.
    tolerance_ev_per_atom : float
        Energy that a decomposition may gain before a voltage counts as outside the window.
    energy_error_ev_per_atom : float or None
        Standard error to assume for the energy above hull; None assumes none.
    """

    name: str = "hull"
    potential: PotentialSpecification | None = None
    tolerance_ev_per_atom: float = 0.05
    energy_error_ev_per_atom: float | None = None

    @job(output_schema=StageDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(
        self,
        identity: StageIdentity,
        candidate: CandidateDoc,
        relaxation: RelaxDoc | None,
        competitors: CompetitorSet,
        competitor_relaxations: Mapping[str, RelaxDoc | None],
    ) -> StageDoc:
        """Find energy above hull, decomposition and electrochemical window.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure that the stage started from.
        relaxation : RelaxDoc or None
            Its relaxation; None where that failed.
        competitors : CompetitorSet
            Which phases compete.
        competitor_relaxations : mapping of str to RelaxDoc or None
            Their relaxations by name; None where that failed.

        Returns
        -------
        StageDoc
            Properties: bounds where the competitors are not all that there are.

        Raises
        ------
        AnalysisError
            If a job before failed for a reason that is not the structure's.
        """
        if relaxation is None:
            reason = unknown_elements(as_structure(candidate.structure), self.potential or PotentialSpecification())
            if reason is None:
                raise AnalysisError("There is no energy to compare, because a job before failed.")
            return stage_document(identity, candidate, rejected=reason)
        structure = as_structure(relaxation.structure)
        symbols = sorted({site.specie.symbol for site in as_structure(candidate.structure)})
        documents = {name: found for name, found in competitor_relaxations.items() if found is not None}
        # a phase whose relaxation failed is missing, and so the set is not complete
        there = [phase for phase in competitors.phases if phase.name in documents]
        failed = [phase.name for phase in competitors.phases if phase.name not in documents]
        energies = [PhaseEnergy(phase.name, phase.formula, documents[phase.name].energy_ev_per_atom) for phase in there]
        notes = list(relaxation.notes)
        notes += [f"reference phase {name}: {note}" for name, document in documents.items() for note in document.notes]
        if failed:
            notes.append(f"reference phases whose relaxation failed, so that they are missing: {', '.join(failed)}")
        is_complete = competitors.are_complete and not failed
        details: dict[str, Any] = {
            "reference_phases": {phase.name: phase.energy_ev_per_atom for phase in energies},
            "reference_set_is_complete": is_complete,
            "reference_phases_not_verified": [phase.name for phase in there if not phase.is_verified],
        }
        properties: dict[str, PropertyEstimate] = {}
        if missing := missing_elements(symbols, energies):
            notes.append(f"no energy above hull, since there is no reference phase of {', '.join(missing)}")
        else:
            if not is_complete:
                # a source that is said to be complete lacks only what failed
                there_or_failed = [phase.formula for phase in competitors.phases]
                known = [] if competitors.are_complete else phases_known_to_be_missing(symbols, there_or_failed)
                details["missing_phases"] = known
                details["empty_systems"] = empty_systems(symbols, energies)
                notes.append(_incomplete(details["missing_phases"], details["empty_systems"]))
            phase = PhaseEnergy(candidate.label, structure.composition.formula, relaxation.energy_ev_per_atom)
            distance = hull_distance(phase, energies)
            if relaxation.converged:
                properties["energy_above_hull_ev_per_atom"] = self._hull_property(distance, is_complete)
            else:
                # it lies too high by nobody knows how much: "at least" and "at most" would both be wrong
                notes.append(
                    "no energy above hull and no window, since the material's own relaxation did not converge: raise "
                    "the stage's maximum_steps"
                )
            details["energy_against_competitors_ev_per_atom"] = distance.energy_ev_per_atom
            details["decomposition"] = _listed(distance.products)
            try:
                window = electrochemical_window(
                    phase,
                    energies,
                    candidate.mobile_ion,
                    candidate.ion_charge,
                    tolerance_ev_per_atom=self.tolerance_ev_per_atom,
                )
            except AnalysisError as error:
                notes.append(f"no electrochemical window: {error}")
            else:
                if relaxation.converged:
                    properties |= self._window_properties(window, is_complete)
                details["window"] = _window_details(window, self.tolerance_ev_per_atom)
        return stage_document(
            identity,
            candidate,
            properties=properties,
            structure=structure,
            details=details,
            source_uuids=[found.provenance.job_uuid for found in (relaxation, *documents.values())],
            notes=notes,
            potential=relaxation.provenance.potential,
        )

    def _hull_property(self, distance: HullDistance, is_complete: bool) -> PropertyEstimate:
        """Give the energy above hull, or its lower bound."""
        above, error = distance.above_hull_ev_per_atom, self.energy_error_ev_per_atom
        if is_complete:
            if error is None:
                return estimate(above, note="no error of the potential is assumed")
            ends = [(max(0.0, above - k * error), above + k * error) for k in (1.0, _TWO_SIDED_95)]
            return estimate(above, ends[0], ends[1], note=f"assumes a standard error of {error:g} eV/atom")
        limit = above if error is None else max(0.0, distance.energy_ev_per_atom - _ONE_SIDED_95 * error)
        return bounded("lower", limit, "the reference phases are incomplete: a phase that is missing raises it")

    def _window_properties(
        self, window: ElectrochemicalWindow | None, is_complete: bool
    ) -> dict[str, PropertyEstimate]:
        """Give the window, or the bounds within which it lies."""
        gain = f"decomposition gains less than {self.tolerance_ev_per_atom:g} eV/atom inside it"
        missing = f"{gain}; the reference phases are incomplete: a phase that is missing narrows it"
        if window is None:
            note = f"it decomposes at every voltage by more than {self.tolerance_ev_per_atom:g} eV/atom"
            return {"electrochemical_window_v": estimate(0.0, note=note)}
        reduction, oxidation = window.reduction.voltage_v, window.oxidation.voltage_v
        if is_complete:
            return {
                "reduction_limit_v": estimate(reduction, note=gain),
                "oxidation_limit_v": estimate(oxidation, note=gain),
                "electrochemical_window_v": estimate(window.width_v, note=gain),
            }
        return {
            "reduction_limit_v": bounded("lower", reduction, missing),
            "oxidation_limit_v": bounded("upper", oxidation, missing),
            "electrochemical_window_v": bounded("upper", window.width_v, missing),
        }


def _incomplete(missing: Sequence[str], empty: Sequence[str]) -> str:
    """Say what the reference set lacks."""
    parts = []
    if missing:
        parts.append(f"known to be missing: {', '.join(missing)}")
    if empty:
        parts.append(f"no phase at all of {', '.join(empty)}")
    detail = f" ({'; '.join(parts)})" if parts else ""
    return f"energy above hull is a lower bound and the window an upper bound, by an incomplete reference set{detail}"


def _listed(products: Sequence[Product]) -> dict[str, float]:
    """Give products as plain JSON."""
    return {product.name: product.atomic_fraction for product in products}


def _limit_details(limit: VoltageLimit) -> dict[str, Any]:
    return {"voltage_v": limit.voltage_v, "products": _listed(limit.products)}


def _window_details(window: ElectrochemicalWindow | None, tolerance: float) -> dict[str, Any]:
    """Give the window as plain JSON."""
    if window is None:
        return {"tolerance_ev_per_atom": tolerance}
    return {
        "tolerance_ev_per_atom": tolerance,
        "reduction": _limit_details(window.reduction),
        "oxidation": _limit_details(window.oxidation),
    }
