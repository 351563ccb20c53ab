"""The last job of the stage that finds σ(300 K)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import JobConfig, OnMissing

from ..database.documents import CandidateDoc, ConductivityDoc, StageDoc
from ..database.properties import PropertyEstimate
from ..dynamics.verdicts import BREAKDOWNS
from ..errors import AnalysisError
from ..potentials.specification import PotentialSpecification
from ..runtime.atoms import as_structure
from ..runtime.maker import Maker
from ..runtime.timed_job import job
from .stage_document import StageIdentity, bounded, estimate, stage_document, unknown_elements

_DEVIATES_95 = 1.959963984540054
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass
class ConductivityStageMaker(Maker):
    """Turn the result of the conductivity flow into properties with intervals.

    Parameters
    ----------
    name : str
        Name of the job.
    potential : PotentialSpecification or None
        The potential of the runs; None for the default one.
    """

    name: str = "judge conductivity"
    potential: PotentialSpecification | None = None

    @job(output_schema=StageDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(self, identity: StageIdentity, candidate: CandidateDoc, conductivity: ConductivityDoc | None) -> StageDoc:
        """Sum up one material.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure that the stage started from.
        conductivity : ConductivityDoc or None
            Result of the flow; None where it failed altogether.

        Returns
        -------
        StageDoc
            σ(300 K) and activation energy, or why the structure is unfit.

        Raises
        ------
        AnalysisError
            If no temperature gave a result, for a reason that is not the structure's.
        """
        if conductivity is None or not conductivity.temperatures:
            reason = unknown_elements(as_structure(candidate.structure), self.potential or PotentialSpecification())
            reason = reason or _deaths(conductivity)
            if reason is None:
                raise AnalysisError(_why_nothing(conductivity))
            return stage_document(identity, candidate, rejected=reason)
        notes = [*conductivity.notes, conductivity.verdict]
        notes += [
            f"no result at {temperature} K: {why}" for temperature, why in conductivity.temperature_failures.items()
        ]
        for result in conductivity.temperatures:
            notes += [f"{result.temperature_k:g} K: {flag}" for flag in result.flags]
        if conductivity.arrhenius is not None:
            notes += conductivity.arrhenius.flags
        return stage_document(
            identity,
            candidate,
            properties=_properties(conductivity),
            details=_details(conductivity),
            source_uuids=[conductivity.provenance.job_uuid],
            notes=notes,
            potential=conductivity.provenance.potential,
            seeds=conductivity.provenance.seeds,
        )


def _properties(conductivity: ConductivityDoc) -> dict[str, PropertyEstimate]:
    """Give σ(300 K), or its bound, and the activation energy where it can be one."""
    found = {}
    energy, error = conductivity.activation_energy_ev, conductivity.activation_energy_error_ev
    # Such a value would be the best of all: it must not be ranked by, nor anything that rests on it.
    is_impossible = energy is not None and energy <= 0.0
    if conductivity.sigma_300k_ms_cm is not None:
        found["sigma_300k_ms_cm"] = estimate(
            conductivity.sigma_300k_ms_cm,
            conductivity.sigma_300k_interval_68_ms_cm,
            conductivity.sigma_300k_interval_95_ms_cm,
            note="statistical interval only; potential, cell size and ordering add to it",
        )
    elif conductivity.sigma_300k_upper_bound_ms_cm is not None:
        why = "too few hops at too many temperatures for a value"
        if is_impossible:
            shown = f"{energy:.2g}" if error is None else f"{energy:.2g} ± {error:.2g}"
            why = (
                f"the activation energy comes out as {shown} eV, and no ion moves faster in the cold, so nothing is "
                "extrapolated by it; longer runs may give a value"
            )
        found["sigma_300k_ms_cm"] = bounded("upper", conductivity.sigma_300k_upper_bound_ms_cm, why)
    if energy is not None and not is_impossible:
        inner = None if error is None else (energy - error, energy + error)
        outer = None if error is None else (energy - _DEVIATES_95 * error, energy + _DEVIATES_95 * error)
        found["activation_energy_ev"] = estimate(energy, inner, outer)
    return found


def _details(conductivity: ConductivityDoc) -> dict[str, Any]:
    """Give what the report shows: numbers per temperature and the uuid under which the rest is found."""
    return {
        "conductivity_uuid": conductivity.provenance.job_uuid,
        "n_atoms": conductivity.n_atoms,
        "minimum_edge_angstrom": conductivity.minimum_edge_angstrom,
        "state": conductivity.state,
        "temperatures": [
            {
                "temperature_k": result.temperature_k,
                "duration_ps": result.duration_ps,
                "diffusivity_cm2_s": result.tracer.value_cm2_s,
                "sigma_ms_cm": result.nernst_einstein.value_ms_cm,
                "sigma_interval_68_ms_cm": result.nernst_einstein.interval_68_ms_cm,
                "sigma_upper_bound_95_ms_cm": result.nernst_einstein.upper_bound_95_ms_cm,
                "effective_hops": result.effective_hops,
                "haven_ratio": result.haven_ratio.value,
                "usable": result.usable,
                "exclusion_reason": result.exclusion_reason,
            }
            for result in conductivity.temperatures
        ],
        "temperature_failures": conductivity.temperature_failures,
        "activation_energy_ev": conductivity.activation_energy_ev,
        "activation_energy_error_ev": conductivity.activation_energy_error_ev,
        "curvature": None if conductivity.arrhenius is None else conductivity.arrhenius.curvature.verdict,
        "force_errors": [series.model_dump(mode="json") for series in conductivity.force_errors],
        "systematic_errors": [error.statement for error in conductivity.systematic_errors],
    }


def _deaths(conductivity: ConductivityDoc | None) -> str | None:
    """Say that the crystal survived at no temperature; None where any run ended for another reason."""
    failures = {} if conductivity is None else conductivity.temperature_failures
    if not failures or not all(any(word in why for word in BREAKDOWNS) for why in failures.values()):
        return None
    first = next(iter(failures))
    return f"it survived molecular dynamics at no temperature; at {first} K: {failures[first]}"


def _why_nothing(conductivity: ConductivityDoc | None) -> str:
    """Say why there is nothing to sum up."""
    if conductivity is None:
        return "There is nothing to sum up, because a job before failed."
    listed = "; ".join(f"{temperature} K: {why}" for temperature, why in conductivity.temperature_failures.items())
    return f"No temperature gave a result ({listed})."
