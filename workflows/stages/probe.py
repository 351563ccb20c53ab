"""The stage that tells non-conductors by one short run at a high temperature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jobflow import Flow, JobConfig, OnMissing
from pydantic import Field
from pymatgen.core import Structure

from ...constants import ROOM_TEMPERATURE_K
from ...database.documents import CandidateDoc, DiffusionDoc, StageDoc, TrajectoryDoc
from ...database.properties import PropertyEstimate
from ...dynamics.plan import plan_steps
from ...errors import AnalysisError, StructureError
from ...makers.diffusion import DiffusionMaker
from ...makers.md import MdMaker
from ...potentials.force_error import ForceErrorSeries
from ...potentials.specification import PotentialSpecification
from ...runtime.atoms import as_structure, ase_atoms
from ...runtime.maker import Maker
from ...runtime.timed_job import job
from ...transport.results import DiffusionResult
from ...transport.ruled_out import greatest_sigma_300k_ms_cm, sequential_sigma_upper_ms_cm
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of, rejected, spot_check_of
from .md_settings import MdStageSettings
from .stage import Stage, StageContext
from .stage_document import StageIdentity, bounded, estimate, stage_document, unknown_elements


class ProbeSettings(MdStageSettings):
    """One short run at one temperature, with sequential stopping."""

    temperature_k: float = Field(default=1000.0, ge=ROOM_TEMPERATURE_K, description="temperature of the run in K")
    duration_ps: float = Field(default=30.0, gt=0, description="greatest length of the run in ps")
    minimum_ps: float = Field(default=2.0, ge=0, description="length before which nothing ends the run, in ps")
    target_relative_error: float | None = Field(
        default=0.4,
        gt=0,
        description="relative error of D at which the run ends as converged, which none of less than 42 ps does with "
        "the other defaults; null: never",
    )
    if_melted: Literal["keep", "reject"] = Field(
        default="keep",
        description="what becomes of a material whose framework melts: keep it without numbers, since it may conduct "
        "below, or reject it",
    )

    def temperatures_of_dynamics(self) -> tuple[float, ...]:
        """Give the one temperature.

        Returns
        -------
        tuple of float
            In K.
        """
        return (self.temperature_k,)


class ProbeStage(Stage):
    """Short molecular dynamics at one high temperature; non-conductors leave early with their upper bound."""

    name = "probe"
    description = "short molecular dynamics at one high temperature, ended early for non-conductors"
    settings_model = ProbeSettings
    properties = ("probe_diffusivity_cm2_s", "greatest_sigma_300k_ms_cm")
    runs_dynamics = True

    def make(self, structure: Structure, settings: ProbeSettings, context: StageContext) -> Flow:
        """Build the flow for one ordered structure.

        Parameters
        ----------
        structure : Structure
            Ordered structure, best a relaxed one.
        settings : ProbeSettings
            Temperature, length and when to stop.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.
        """
        identity = identity_of(self, structure, settings, context)
        candidate = candidate_of(structure, context)
        try:
            settings.simulated_cell(structure)
        except StructureError as error:
            return rejected(identity, candidate, str(error), context)
        supercell = settings.supercell_maker().make(candidate)
        run = MdMaker(
            name="probe",
            potential=context.potential,
            protocol=settings.md,
            limits=settings.run_limits(),
            stop=settings.stop_criteria(),
            analysis=settings.analysis,
            checkpoint_root=checkpoint_root_of(context),
        ).make(supercell.output, settings.temperature_k)
        run.name = f"probe {settings.temperature_k:g} K"
        diffusion = DiffusionMaker(settings=settings.analysis).make(
            supercell.output, [run.output], settings.temperature_k
        )
        spot_check = spot_check_of(context)
        checked = None if spot_check is None else spot_check.make([run.output])
        judge = ProbeStageMaker(
            potential=context.potential,
            minimum_barrier_ev=settings.minimum_barrier_ev,
            if_melted=settings.if_melted,
        ).make(identity, candidate, run.output, diffusion.output, None if checked is None else checked.output)
        jobs = [supercell, run, diffusion] if checked is None else [supercell, run, diffusion, checked]
        return assemble(identity, jobs, judge, context)

    def bounds_only(self, settings: ProbeSettings) -> Mapping[str, Literal["upper", "lower"]]:
        """Name the greatest σ(300 K): one run at one temperature bounds it, whatever it shows.

        Parameters
        ----------
        settings : ProbeSettings
            Do not matter here.

        Returns
        -------
        mapping of str to str
            The property, bounded from above.
        """
        return {"greatest_sigma_300k_ms_cm": "upper"}

    def estimated_steps(
        self, structure: Structure, settings: ProbeSettings, context: StageContext
    ) -> list[tuple[int, int]]:
        """Count the steps of a run of full length.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : ProbeSettings
            Temperature and length.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        list of tuple of int
            One run; empty where the cell would be refused.
        """
        try:
            cell = settings.simulated_cell(structure)
        except StructureError:
            return []
        steps = plan_steps(ase_atoms(cell), settings.md.at(settings.temperature_k), settings.run_limits())
        return [(steps.total_steps, len(cell))]


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
