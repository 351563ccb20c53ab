"""The last job of the stage that probes a material at one temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jobflow import JobConfig, OnMissing

from ..database.documents import CandidateDoc, DiffusionDoc, StageDoc, TrajectoryDoc
from ..database.properties import PropertyEstimate
from ..errors import AnalysisError
from ..potentials.force_error import ForceErrorSeries
from ..potentials.specification import PotentialSpecification
from ..runtime.atoms import as_structure
from ..runtime.maker import Maker
from ..runtime.timed_job import job
from ..transport.results import DiffusionResult
from ..transport.ruled_out import greatest_sigma_300k_ms_cm, sequential_sigma_upper_ms_cm
from .stage_document import StageIdentity, bounded, estimate, stage_document, unknown_elements


@dataclass
class ProbeStageMaker(Maker):
    """Turn one run at a high temperature into a diffusivity and the greatest σ(300 K) that it allows.

    Parameters
    ----------
    name : str
        Name of the job.
    potential : PotentialSpecification or None
        The potential of the run; None for the default one.
    minimum_barrier_ev : float
        Smallest activation energy thinkable in eV, for the extrapolation to 300 K.
    if_melted : str
        "keep" leaves a material whose framework melted without numbers, "reject" rejects it.
    """

    name: str = "judge probe"
    potential: PotentialSpecification | None = None
    minimum_barrier_ev: float = 0.10
    if_melted: Literal["keep", "reject"] = "keep"

    @job(output_schema=StageDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(
        self,
        identity: StageIdentity,
        candidate: CandidateDoc,
        trajectory: TrajectoryDoc | None,
        diffusion: DiffusionDoc | None,
        spot_checks: Sequence[ForceErrorSeries] | None = None,
    ) -> StageDoc:
        """Judge one run.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure that the stage started from.
        trajectory : TrajectoryDoc or None
            The run; None where its job failed.
        diffusion : DiffusionDoc or None
            Its analysis; None where that failed.
        spot_checks : sequence of ForceErrorSeries or None
            Force errors against a teacher along the run; None where none were asked for, or their job failed.

        Returns
        -------
        StageDoc
            Diffusivity and bound, or why the structure is unfit.

        Raises
        ------
        AnalysisError
            If there is no run for a reason that is not the structure's.
        """
        structure = as_structure(candidate.structure)
        if trajectory is None or diffusion is None:
            reason = unknown_elements(structure, self.potential or PotentialSpecification())
            if reason is None:
                raise AnalysisError("There is no run to judge, because a job before failed.")
            return stage_document(identity, candidate, rejected=reason)
        run = trajectory.run
        shared: dict[str, Any] = {
            "source_uuids": [trajectory.provenance.job_uuid, diffusion.provenance.job_uuid],
            "potential": trajectory.provenance.potential,
            "seeds": [trajectory.protocol.seed],
            "details": _details(trajectory, diffusion.result, spot_checks or ()),
        }
        where = f"at {trajectory.protocol.temperature_k:g} K after {run.completed_ps:.3g} ps"
        if run.state == "failed" and (run.stop_reason != "melted" or self.if_melted == "reject"):
            reason = f"its molecular dynamics ended as {run.stop_reason} {where}: {run.message}"
            return stage_document(identity, candidate, rejected=reason, notes=trajectory.notes, **shared)
        notes = [*trajectory.notes, *(series.sentence() for series in spot_checks or ())]
        if run.state == "failed":
            notes.append(f"the framework melted {where}, so the probe says nothing of the crystal: {run.message}")
        elif diffusion.result is None:
            notes.append(f"the probe gave no diffusivity: {diffusion.failure}")
        elif run.stop_reason == "ruled_out":
            notes.append(f"the probe ended early {where}: {run.message}")
        properties = {}
        if run.state != "failed" and diffusion.result is not None:
            properties = self._properties(trajectory, diffusion.result)
            if not diffusion.result.usable:
                notes.append(f"the diffusivity is not used: {diffusion.result.exclusion_reason}")
        return stage_document(identity, candidate, properties=properties, notes=notes, **shared)

    def _properties(self, trajectory: TrajectoryDoc, result: DiffusionResult) -> dict[str, PropertyEstimate]:
        """Give the diffusivity and the greatest σ(300 K)."""
        found = {}
        tracer = result.tracer
        if tracer.value_cm2_s is None and tracer.upper_bound_95_cm2_s is not None:
            found["probe_diffusivity_cm2_s"] = bounded(
                "upper", tracer.upper_bound_95_cm2_s, f"no value: {tracer.withheld_reason}"
            )
        elif tracer.value_cm2_s is not None and result.usable:
            found["probe_diffusivity_cm2_s"] = estimate(
                tracer.value_cm2_s, tracer.interval_68_cm2_s, tracer.interval_95_cm2_s
            )
        look = _looks(trajectory)
        upper = sequential_sigma_upper_ms_cm(result, look)
        if math.isfinite(upper):
            greatest = greatest_sigma_300k_ms_cm(upper, result.temperature_k, self.minimum_barrier_ev)
            note = (
                f"95 % over all {look} looks at the run, with a barrier of at least {self.minimum_barrier_ev:g} eV "
                "below its temperature"
            )
            found["greatest_sigma_300k_ms_cm"] = bounded("upper", greatest, note)
        return found


def _looks(trajectory: TrajectoryDoc) -> int:
    """Count the looks at the run, this last one included; the last stored frames are looked at once."""
    looked = {
        estimate["n_frames"]
        for entry in trajectory.run.history
        if (estimate := entry.get("estimate") or {}).get("look")
    }
    return len(looked | {trajectory.run.n_frames})


def _details(
    trajectory: TrajectoryDoc, result: DiffusionResult | None, spot_checks: Sequence[ForceErrorSeries]
) -> dict[str, Any]:
    """Give what the report shows of the probe."""
    run = trajectory.run
    details: dict[str, Any] = {
        "temperature_k": trajectory.protocol.temperature_k,
        "n_atoms": run.n_atoms,
        "requested_ps": run.requested_ps,
        "completed_ps": run.completed_ps,
        "n_steps": round(1000.0 * run.completed_ps / run.time_step_fs),
        "state": run.state,
        "stop_reason": run.stop_reason,
        "message": run.message,
        "flags": list(run.flags),
        "trajectory_key": run.key,
    }
    if spot_checks:
        details["force_errors"] = [series.model_dump(mode="json") for series in spot_checks]
    if result is not None:
        details |= {
            "effective_hops": result.effective_hops,
            "usable": result.usable,
            "exclusion_reason": result.exclusion_reason,
            "nernst_einstein_upper_bound_95_ms_cm": result.nernst_einstein.upper_bound_95_ms_cm,
            "result_flags": list(result.flags),
        }
    return details
