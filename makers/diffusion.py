"""All replicas at one temperature, analysed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import JobConfig, OnMissing

from ..database.documents import CandidateDoc, DiffusionDoc, TrajectoryDoc
from ..dynamics.trajectory import Trajectory
from ..errors import AnalysisError
from ..runtime.atoms import as_structure
from ..runtime.displacement import displacement_run
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.timed_job import job
from ..transport.analysis import DiffusionSettings, analyze_diffusion
from ..transport.results import DiffusionResult


@dataclass
class DiffusionMaker(Maker):
    """Derive diffusivities and conductivities from the trajectories at one temperature.

    Parameters
    ----------
    name : str
        First part of the job's name; the temperature follows.
    settings : DiffusionSettings
        How trajectories are analysed.
    """

    name: str = "diffusion"
    settings: DiffusionSettings = field(default_factory=DiffusionSettings)

    @job(output_schema=DiffusionDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(
        self, candidate: CandidateDoc | None, trajectories: Sequence[TrajectoryDoc | None], temperature_k: float
    ) -> DiffusionDoc:
        """Analyse one temperature.

        Parameters
        ----------
        candidate : CandidateDoc or None
            The material, in the simulated cell; None where its preparation failed.
        trajectories : sequence of TrajectoryDoc or None
            The replicas; None for those whose job failed.
        temperature_k : float
            Temperature in K.

        Returns
        -------
        DiffusionDoc
            The result, or why there is none.

        Raises
        ------
        AnalysisError
            If there is no cell, because a job before failed.
        """
        if candidate is None:
            raise AnalysisError(f"There is nothing to analyse at {temperature_k:g} K, because a job before it failed.")
        ended = [document for document in trajectories if document is not None]
        healthy = [document for document in ended if document.run.state != "failed"]
        broken = [document for document in ended if document.run.state == "failed"]
        structure = as_structure(candidate.structure)
        result, failure = None, None
        notes: list[str] = []
        if not healthy:
            failure = _why_nothing_ran(ended)
        else:
            try:
                result = analyze_diffusion(
                    [
                        displacement_run(Trajectory(document.run.folder), structure, candidate.mobile_ion)
                        for document in healthy
                    ],
                    mobile_ion=candidate.mobile_ion,
                    ion_charge=candidate.ion_charge,
                    settings=self.settings,
                )
            except AnalysisError as error:
                failure = str(error)
        notes += dict.fromkeys(note for document in ended for note in document.notes)
        n_missing = len(trajectories) - len(ended)
        if n_missing and healthy:
            notes.append(f"{n_missing} of {len(trajectories)} replicas gave no trajectory: their jobs failed")
        if broken and result is not None:
            result = _distrusted(result, broken)
        potential = ended[0].provenance.potential if ended else None
        return DiffusionDoc(
            formula=candidate.formula,
            label=candidate.label,
            provenance=job_provenance(structure, potential, [document.protocol.seed for document in ended]),
            notes=notes,
            trajectory_keys=[document.run.key for document in ended],
            trajectory_folders=[document.run.folder for document in ended],
            state=_worst_state(trajectories),
            stop_reasons=[document.run.stop_reason for document in ended],
            requested_ps=max((document.run.requested_ps for document in ended), default=0.0),
            completed_ps=[document.run.completed_ps for document in ended],
            temperature_k=temperature_k,
            result=result,
            failure=failure,
        )


def _why_nothing_ran(ended: Sequence[TrajectoryDoc]) -> str:
    """Say why there is no trajectory to analyse."""
    if not ended:
        return "no trajectory: its molecular-dynamics job failed"
    return "; ".join(dict.fromkeys(f"{document.run.stop_reason}: {document.run.message}" for document in ended))


def _distrusted(result: DiffusionResult, broken: Sequence[TrajectoryDoc]) -> DiffusionResult:
    """Keep the healthy replicas' numbers, and keep them out of fits: the material does not survive there."""
    reasons = sorted({document.run.stop_reason for document in broken})
    reason = f"{len(broken)} of its replicas ended as {', '.join(reasons)}"
    return result.model_copy(
        update={
            "usable": False,
            "exclusion_reason": reason,
            "flags": (*result.flags, *(flag for flag in reasons if flag not in result.flags)),
        }
    )


def _worst_state(trajectories: Sequence[TrajectoryDoc | None]) -> str:
    """Give the worst state among the replicas; a missing one failed."""
    states = {"failed" if document is None else document.run.state for document in trajectories}
    return next(state for state in ("failed", "partial", "completed") if state in states)
