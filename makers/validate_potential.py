"""Judge a student by what it is for: stable dynamics, and the transport of its teacher."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jobflow import Response
from pydantic import BaseModel, ConfigDict, Field

from ..database.documents import CandidateDoc
from ..dynamics.frames import trajectory_frames
from ..dynamics.protocol import MdSettings, RunLimits
from ..dynamics.results import MdResult
from ..dynamics.trajectory import Trajectory
from ..errors import AnalysisError, as_clause
from ..potentials.finite_results import finite_calculator
from ..potentials.potential import Potential
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.close_contacts import closest_distances, too_close
from ..potentials.training.frame_errors import FrameErrors, frame_errors
from ..potentials.training.label_store import LabelStore
from ..potentials.training.labelled_frames import with_labels
from ..potentials.training.records import Exploration, FrameSet, Student
from ..potentials.training.split import held_out_frames
from ..potentials.training.validation_record import (
    DiffusivityPair,
    PotentialValidation,
    RadialPair,
    SpectrumPair,
)
from ..potentials.training.verdict import Comparison, VerdictThresholds, at_most, judge
from ..runtime.atoms import as_structure
from ..runtime.checkpoint_root import checkpoint_root_of
from ..runtime.frame_files import read_frame_set
from ..runtime.maker import Maker
from ..runtime.stop_rules import melting_check
from ..runtime.timed_job import job
from ..runtime.trajectory_job import WantedTrajectory, run_trajectory
from ..runtime.validation_runs import diffusivity_pair, radial_pairs, spectrum_pair
from ..transport.analysis import DiffusionSettings
from .explore import committee_member

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator


class ValidationSettings(BaseModel):
    """How much is computed to judge a student.

    Examples
    --------
    >>> ValidationSettings(teacher_ps=2.0).own_frames
    20
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher_ps: float = Field(
        default=5.0,
        ge=0,
        description="length of the teacher's runs at the lowest and highest temperature in ps; 0: none",
    )
    constant_energy_ps: float = Field(
        default=10.0, gt=0, description="length of the student's run at constant energy in ps"
    )
    own_frames: int = Field(default=20, ge=0, description="frames of the student's runs that the teacher labels")
    skip_ps: float = Field(default=0.5, ge=0, description="beginning of each run that is left out, in ps")
    resolution_thz: float = Field(default=1.0, gt=0, description="resolution of the density of states in THz")


class _Interrupted(Exception):
    """A run stopped before its end; the job goes on in another process."""


@dataclass
class ValidatePotentialMaker(Maker):
    """Validate a student against its teacher, on frames and in molecular dynamics.

    Measured are errors on held-out frames and on frames of the student's own runs, the drift of the energy in a run at
    constant energy and volume, radial distributions and the vibrational density of states at the highest temperature,
    and the diffusivity at the lowest and the highest one. Runs are those of the first structure. A job stopped by a
    signal or by its wall time replaces itself with its continuation.

    Parameters
    ----------
    name : str
        Name of the job.
    teacher : PotentialSpecification, str, dict or None
        The teacher; None for the flow's.
    settings : ValidationSettings
        How much is computed.
    thresholds : VerdictThresholds
        What a student must reach.
    protocol : MdSettings
        Ensemble, thermostat, time step, seed.
    diffusion : DiffusionSettings
        How diffusivities are derived.
    device : str
        Where students compute.
    student_options : dict
        Options of the potential `mace` for the student, such as a runtime.
    checkpoint_root : str or None
        Folder of trajectories and labels; None for the flow's.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "validate potential"
    teacher: PotentialSpecification | None = None
    settings: ValidationSettings = field(default_factory=ValidationSettings)
    thresholds: VerdictThresholds = field(default_factory=VerdictThresholds)
    protocol: MdSettings = field(default_factory=MdSettings)
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    device: str = "auto"
    student_options: dict[str, str | bool | float] = field(default_factory=dict)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the teacher by name, too."""
        if self.teacher is not None:
            self.teacher = potential_specification(self.teacher)

    @job(output_schema=PotentialValidation)
    def make(
        self,
        candidate: CandidateDoc,
        student: Student,
        dataset: FrameSet,
        explorations: Sequence[Exploration] = (),
        reasons: Sequence[str] = (),
    ) -> PotentialValidation | Response:
        """Validate one student.

        Parameters
        ----------
        candidate : CandidateDoc
            The material, in the cell to simulate.
        student : Student
            The student.
        dataset : FrameSet
            The labelled frames; those held out of the training are taken from them.
        explorations : sequence of Exploration
            The student's runs at the production temperatures.
        reasons : sequence of str
            Why the active loop rejects it, a clause each.

        Returns
        -------
        PotentialValidation or Response
            What was measured, and the verdict; the continuation where it was interrupted.
        """
        began = time.monotonic()
        potential = load_potential(committee_member(student, self.student_options, self.device))
        teacher = load_potential(self.teacher or PotentialSpecification())
        own_runs = sorted(
            (run for run in explorations if not run.is_beyond and run.structure_index == 0),
            key=lambda run: run.temperature_k,
        )
        calculator = finite_calculator(potential)
        labelled = read_frame_set(dataset)
        held_out = frame_errors(held_out_frames(labelled, student), calculator)
        try:
            own = self._own_errors(own_runs, teacher, calculator, labelled)
            temperatures = [run.temperature_k for run in own_runs] or [1000.0]
            drift_run = self._run(candidate, potential, temperatures[-1], "nve", self.settings.constant_energy_ps)
            radial, spectrum, pairs, remarks = self._against_teacher(candidate, teacher, own_runs, drift_run)
        except _Interrupted:
            again = self.make(candidate, student, dataset, explorations, reasons)
            return Response(output=None, replace=again)
        drift = None if drift_run.state == "failed" else drift_run.energy_drift_mev_per_atom_ps
        comparisons = self._comparisons(held_out, own, drift, radial, spectrum, pairs, remarks)
        return PotentialValidation(
            verdict=judge(comparisons, reasons),
            held_out=held_out,
            own_frames=own,
            energy_drift_mev_per_atom_ps=drift,
            radial=radial,
            spectrum=spectrum,
            diffusivities=tuple(pairs),
            stable_ps=_stable_ps(explorations),
            wall_time_s=round(time.monotonic() - began, 3),
        )

    def _own_errors(
        self, runs: Sequence[Exploration], teacher: Potential, calculator: Calculator, labelled: Sequence[Atoms]
    ) -> FrameErrors | None:
        """Let the teacher label frames of the student's runs."""
        frames: list[Atoms] = []
        reference = closest_distances(labelled)
        for run in runs:
            trajectory = Trajectory(run.folder)
            n_wanted = max(1, self.settings.own_frames // max(1, len(runs)))
            places = np.unique(np.linspace(0.2 * trajectory.n_frames, trajectory.n_frames - 1, n_wanted).round())
            chosen = trajectory_frames(trajectory, [int(place) for place in places])
            frames += [frame for frame in chosen if too_close(frame, reference, 0.6) is None]
        if not frames or self.settings.own_frames == 0:
            return None
        store = LabelStore(checkpoint_root_of("labels", self.checkpoint_root) / "labels", teacher)
        return frame_errors([with_labels(frame, store.label(frame)) for frame in frames], calculator)

    def _run(
        self, candidate: CandidateDoc, potential: Potential, temperature_k: float, ensemble: str, duration_ps: float
    ) -> MdResult:
        """Run a trajectory with velocities."""
        structure = as_structure(candidate.structure)
        protocol = self.protocol.model_copy(update={"ensemble": ensemble}).at(temperature_k)
        limits = RunLimits(duration_ps=duration_ps, segment_ps=min(1.0, duration_ps), store_velocities=True)
        solid = melting_check(structure, candidate.mobile_ion)
        wanted = WantedTrajectory(structure, protocol, health_checks=[solid])
        result = run_trajectory(wanted, potential, limits, self.checkpoint_root)
        if result.state == "partial":
            raise _Interrupted
        return result

    def _against_teacher(
        self, candidate: CandidateDoc, teacher: Potential, runs: Sequence[Exploration], drift_run: MdResult
    ) -> tuple[tuple[RadialPair, ...], SpectrumPair | None, list[DiffusivityPair], list[str]]:
        """Run the teacher at two temperatures, and compare."""
        if not runs or self.settings.teacher_ps <= 0:
            return (), None, [], ["there is no run of the teacher to compare with"]
        remarks: list[str] = []
        by_temperature = {run.temperature_k: run for run in runs}
        lowest, highest = min(by_temperature), max(by_temperature)
        by_teacher = {}
        for temperature_k in dict.fromkeys((lowest, highest)):
            result = self._run(candidate, teacher, temperature_k, self.protocol.ensemble, self.settings.teacher_ps)
            by_teacher[temperature_k] = Trajectory(result.folder)
        structure = as_structure(candidate.structure)
        pairs = [
            diffusivity_pair(
                Trajectory(by_temperature[temperature_k].folder),
                trajectory,
                structure,
                candidate.mobile_ion,
                candidate.ion_charge,
                self.diffusion,
            )
            for temperature_k, trajectory in by_teacher.items()
        ]
        radial: tuple[RadialPair, ...] = ()
        spectrum = None
        try:
            radial = radial_pairs(Trajectory(runs[-1].folder), by_teacher[highest], self.settings.skip_ps)
        except AnalysisError as error:
            remarks.append(f"radial distributions: {as_clause(str(error))}")
        try:
            spectrum = spectrum_pair(
                Trajectory(drift_run.folder), by_teacher[highest], self.settings.skip_ps, self.settings.resolution_thz
            )
        except AnalysisError as error:
            remarks.append(f"density of states: {as_clause(str(error))}")
        return radial, spectrum, pairs, remarks

    def _comparisons(
        self,
        held_out: FrameErrors,
        own: FrameErrors | None,
        drift: float | None,
        radial: Sequence[RadialPair],
        spectrum: SpectrumPair | None,
        pairs: Sequence[DiffusivityPair],
        remarks: Sequence[str],
    ) -> list[Comparison]:
        limits = self.thresholds
        found = [
            at_most(
                "energy error on held-out frames in meV/atom",
                held_out.energy_rmse_mev_per_atom,
                limits.energy_rmse_mev_per_atom,
            ),
            at_most(
                "force error on held-out frames in eV/Å",
                held_out.force_rmse_ev_per_angstrom,
                limits.force_rmse_ev_per_angstrom,
            ),
            at_most(
                "energy drift at constant energy in meV/atom/ps",
                None if drift is None else abs(drift),
                limits.energy_drift_mev_per_atom_ps,
            ),
        ]
        if held_out.stress_rmse_gpa is not None:
            found.append(at_most("stress error in GPa", held_out.stress_rmse_gpa, limits.stress_rmse_gpa))
        if own is not None:
            found.append(
                at_most(
                    "force error on frames of its own runs in eV/Å",
                    own.force_rmse_ev_per_angstrom,
                    limits.own_force_rmse_ev_per_angstrom,
                )
            )
        if radial:
            worst = max(radial, key=lambda one: one.difference)
            name = f"part of the {worst.pair} neighbours at other distances than the teacher's"
            found.append(at_most(name, worst.difference, limits.radial_difference))
        if spectrum is not None:
            name = "part of the vibrations at other frequencies than the teacher's"
            found.append(at_most(name, spectrum.difference, limits.spectrum_difference))
        if limits.compare_diffusivity:
            found += [_compared(pair) for pair in pairs]
        found += [
            Comparison(name=remark.partition(":")[0], value=None, passed=None, reason=remark) for remark in remarks
        ]
        return found


def _compared(pair: DiffusivityPair) -> Comparison:
    """Turn two diffusivities into one comparison."""
    name = f"diffusivity at {pair.temperature_k:g} K over the teacher's"
    if pair.agree is None:
        reason = f"the {name} could not be judged ({pair.remark or 'an interval is missing'})"
    elif pair.agree:
        reason = ""
    else:
        reason = f"the {name} is {pair.ratio:.2g}, outside their joint 95 % interval"
    return Comparison(name=name, value=pair.ratio, passed=pair.agree, reason=reason)


def _stable_ps(explorations: Sequence[Exploration]) -> dict[str, float]:
    """Give the longest run without an event at each temperature."""
    longest: dict[str, float] = {}
    for run in explorations:
        if run.structure_index == 0 and not run.is_event:
            name = f"{run.temperature_k:g}"
            longest[name] = max(longest.get(name, 0.0), run.completed_ps)
    return longest
