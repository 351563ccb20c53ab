"""From the temperatures of one material to its ionic conductivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobflow import JobConfig, OnMissing

from ..constants import ROOM_TEMPERATURE_K
from ..database.documents import CandidateDoc, ConductivityDoc, DiffusionDoc
from ..errors import AnalysisError
from ..potentials.force_error import ForceErrorSeries
from ..runtime.atoms import as_structure
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.systematic_errors import SimulatedCase, known_systematic_errors, shortest_fitted_lag_ps
from ..runtime.timed_job import job
from ..runtime.verdict import verdict
from ..structures.supercell import minimum_edge_angstrom
from ..transport.arrhenius import ArrheniusInput, ArrheniusQuantity, fit_arrhenius
from ..transport.arrhenius_points import arrhenius_inputs
from ..transport.results import ArrheniusResult, DiffusionResult
from ..transport.ruled_out import greatest_sigma_300k_ms_cm


@dataclass
class ConductivitySummaryMaker(Maker):
    """Fit the Arrhenius lines, extrapolate to 300 K and say what the result is worth.

    Parameters
    ----------
    name : str
        Name of the job.
    """

    name: str = "conductivity"

    @job(output_schema=ConductivityDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(
        self,
        candidate: CandidateDoc | None,
        diffusions: Sequence[DiffusionDoc | None],
        temperatures_k: Sequence[float],
        minimum_barrier_ev: float = 0.10,
        spot_checks: Sequence[ForceErrorSeries] | None = None,
    ) -> ConductivityDoc:
        """Sum up one material.

        Parameters
        ----------
        candidate : CandidateDoc or None
            The material, in the simulated cell; None where its preparation failed.
        diffusions : sequence of DiffusionDoc or None
            One per temperature; None where the analysis failed.
        temperatures_k : sequence of float
            The temperatures asked for, in the same order.
        minimum_barrier_ev : float
            Smallest activation energy thinkable in eV, to bound σ(300 K) where no line can be fitted.
        spot_checks : sequence of ForceErrorSeries or None
            Force errors against a teacher along the runs; None where none were asked for, or their job failed.

        Returns
        -------
        ConductivityDoc
            The result.

        Raises
        ------
        AnalysisError
            If there is no cell, because a job before failed.
        """
        if candidate is None:
            raise AnalysisError("There is nothing to sum up, because a job before it failed.")
        failures = {
            f"{temperature:g}": "its job failed" if document is None else str(document.failure)
            for temperature, document in zip(temperatures_k, diffusions, strict=True)
            if document is None or document.result is None
        }
        documents = [document for document in diffusions if document is not None]
        results = [document.result for document in documents if document.result is not None]
        lines = {quantity: _fit(results, failures, quantity) for quantity in _QUANTITIES}
        arrhenius = lines["nernst_einstein_ms_cm"]
        upper_bound = _upper_bound(arrhenius, results, minimum_barrier_ev)
        structure = as_structure(candidate.structure)
        edge = minimum_edge_angstrom(structure)
        potentials = [document.provenance.potential for document in documents if document.provenance.potential]
        potential = potentials[0] if potentials else None
        states = {"failed" if document is None else document.state for document in diffusions}
        state = next(state for state in ("failed", "partial", "completed") if state in states)
        return ConductivityDoc(
            formula=candidate.formula,
            label=candidate.label,
            provenance=job_provenance(
                structure, potential, [seed for document in documents for seed in document.provenance.seeds]
            ),
            notes=[
                *candidate.ordering_notes,
                *candidate.notes,
                *_early_ends(documents),
                *dict.fromkeys(note for document in documents for note in document.notes),
                *(series.sentence() for series in spot_checks or ()),
            ],
            extra=dict(candidate.extra),
            structure=structure.as_dict(),
            n_atoms=len(structure),
            minimum_edge_angstrom=edge,
            mobile_ion=candidate.mobile_ion,
            ion_charge=candidate.ion_charge,
            state=state,
            temperatures=sorted(results, key=lambda result: result.temperature_k),
            temperature_failures=failures,
            arrhenius=arrhenius,
            arrhenius_collective=lines["collective_ms_cm"],
            sigma_300k_ms_cm=arrhenius.extrapolated_value,
            sigma_300k_interval_68_ms_cm=arrhenius.extrapolated_interval_68,
            sigma_300k_interval_95_ms_cm=arrhenius.extrapolated_interval_95,
            sigma_300k_upper_bound_ms_cm=upper_bound,
            activation_energy_ev=arrhenius.activation_energy_ev,
            activation_energy_error_ev=arrhenius.activation_energy_error_ev,
            force_errors=list(spot_checks or ()),
            systematic_errors=known_systematic_errors(
                SimulatedCase(
                    formula=candidate.formula,
                    n_atoms=len(structure),
                    potential=potential,
                    was_disordered=candidate.was_disordered,
                    volume_was_relaxed=_cell_was_heated(structure.volume, results),
                    longest_lag_ps=shortest_fitted_lag_ps(results),
                )
            ),
            verdict=verdict(
                n_atoms=len(structure),
                minimum_edge_angstrom=edge,
                temperatures=results,
                failures=failures,
                arrhenius=arrhenius,
                has_upper_bound=upper_bound is not None,
                is_unfinished="partial" in states,
            ),
        )


def _early_ends(documents: Sequence[DiffusionDoc]) -> list[str]:
    """Name the trajectories that a stop rule or a failure ended before their full length."""
    return [
        f"{document.temperature_k:g} K: a run of {document.requested_ps:g} ps ended after {length:.3g} ps as {reason}"
        for document in documents
        for reason, length in zip(document.stop_reasons, document.completed_ps, strict=True)
        if reason not in ("max_length", "converged")
    ]


def _upper_bound(
    arrhenius: ArrheniusResult, results: Sequence[DiffusionResult], minimum_barrier_ev: float
) -> float | None:
    """Bound σ(300 K) where it has no value, by the temperature that bounds it best."""
    if arrhenius.extrapolated_value is not None:
        return None
    bounds = [
        greatest_sigma_300k_ms_cm(upper, result.temperature_k, minimum_barrier_ev)
        for result in results
        if (upper := result.nernst_einstein.upper_bound_95_ms_cm) is not None
        and result.temperature_k >= ROOM_TEMPERATURE_K
        and (result.usable or result.tracer.value_cm2_s is None)
    ]
    return min(bounds, default=None)


def _cell_was_heated(volume_angstrom3: float, results: Sequence[DiffusionResult]) -> bool:
    """Whether the runs used another volume than the relaxed cell's."""
    return any(abs(result.volume_angstrom3 / volume_angstrom3 - 1.0) > 1e-5 for result in results)


_QUANTITIES: tuple[ArrheniusQuantity, ...] = ("nernst_einstein_ms_cm", "collective_ms_cm")


def _fit(results: Sequence[DiffusionResult], failures: dict[str, str], quantity: ArrheniusQuantity) -> ArrheniusResult:
    """Fit one Arrhenius line; temperatures without a result stay in it as excluded points."""
    points = [
        ArrheniusInput(temperature_k=float(temperature), value=None, standard_error=None, exclusion_reason=reason)
        for temperature, reason in failures.items()
    ]
    points += arrhenius_inputs(results, quantity)
    return fit_arrhenius(points, quantity=quantity)
