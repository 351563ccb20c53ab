"""Molecular dynamics with a student, watched by its committee, to find where it leaves what it knows."""

from __future__ import annotations

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
from ..dynamics.verdicts import BREAKDOWNS
from ..potentials.finite_results import finite_calculator
from ..potentials.potential import Potential
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.close_contacts import closest_distances, too_close
from ..potentials.training.committee import deviation_threshold, largest_deviations
from ..potentials.training.records import Exploration, FrameSet, Student
from ..potentials.training.split import held_out_frames
from ..runtime.atoms import as_structure
from ..runtime.committee_watch import CommitteeWatch
from ..runtime.continuation import CheckpointPlace
from ..runtime.frame_files import read_frame_set, write_frame_set
from ..runtime.maker import Maker
from ..runtime.stop_rules import melting_check
from ..runtime.timed_job import job
from ..runtime.trajectory_job import WantedTrajectory, run_trajectory

if TYPE_CHECKING:
    from ase import Atoms


class WatchSettings(BaseModel):
    """When a run of a student ends, and which of its frames are labelled.

    Examples
    --------
    >>> WatchSettings(frames_per_event=5).deviation_ratio
    2.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    deviation_ratio: float = Field(
        default=2.0,
        gt=0,
        description="disagreement of the committee above which a frame is uncertain, over the one that 95 % of the "
        "held-out frames keep",
    )
    minimum_deviation_ev_per_angstrom: float = Field(
        default=0.15, gt=0, description="smallest disagreement that makes a frame uncertain, in eV/Å"
    )
    maximum_deviation_ev_per_angstrom: float = Field(
        default=0.6,
        gt=0,
        description="disagreement that makes a frame uncertain however little the committee knows, in eV/Å",
    )
    wide_ratio: float = Field(
        default=2.0, ge=1, description="disagreement that ends a run at once, over the one that makes a frame uncertain"
    )
    uncertain_fraction: float = Field(
        default=0.01,
        ge=0,
        lt=1,
        description="part of the frames of a whole run that may be uncertain; a run ends when it has more",
    )
    contact_fraction: float = Field(
        default=0.85,
        gt=0,
        lt=1,
        description="distance of two atoms that ends a run, over the shortest one in the labelled frames",
    )
    frame_stride: int = Field(default=5, ge=1, description="checks every n-th frame, counted from the end of a segment")
    lookback_ps: float = Field(default=0.5, gt=0, description="time before an event from which frames are taken, in ps")
    frames_per_event: int = Field(default=10, ge=1, description="frames taken from that time")
    frames_before: int = Field(
        default=10, ge=0, description="frames taken from the whole run before it, besides the uncertain ones"
    )
    teacher_check_ps: float = Field(
        default=1.0, ge=0, description="length of the teacher's run that tells whose event it is, in ps; 0 for none"
    )


@dataclass
class ExploreMaker(Maker):
    """Run a student until it is long enough, its committee disagrees too often, atoms come too close, or health fails.

    A job stopped by a signal or by its wall time replaces itself with its continuation.

    Parameters
    ----------
    name : str
        First part of the job's name; the temperature follows.
    teacher : PotentialSpecification, str, dict or None
        The teacher, which is asked whether the material itself does what ended a run; None for the flow's.
    protocol : MdSettings
        Ensemble, thermostat, time step, seed.
    limits : RunLimits
        How the run is written; its length is the loop's `stable_ps`.
    watch : WatchSettings
        What ends it early.
    device : str
        Where students compute.
    student_options : dict
        Options of the potential `mace` for the students, such as a runtime.
    checkpoint_root : str or None
        Folder of trajectories; None for the flow's.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "explore"
    teacher: PotentialSpecification | None = None
    protocol: MdSettings = field(default_factory=MdSettings)
    limits: RunLimits = field(default_factory=lambda: RunLimits(duration_ps=200.0, segment_ps=0.5))
    watch: WatchSettings = field(default_factory=WatchSettings)
    device: str = "auto"
    student_options: dict[str, str | bool | float] = field(default_factory=dict)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the teacher by name, too."""
        if self.teacher is not None:
            self.teacher = potential_specification(self.teacher)

    @job(output_schema=Exploration)
    def make(
        self,
        candidate: CandidateDoc,
        students: Sequence[Student],
        dataset: FrameSet,
        temperature_k: float,
        is_beyond: bool = False,
        structure_index: int = 0,
        continues: CheckpointPlace | None = None,
    ) -> Exploration | Response:
        """Run one student at one temperature.

        Parameters
        ----------
        candidate : CandidateDoc
            The material, in the cell to simulate.
        students : sequence of Student
            The committee; the first one runs.
        dataset : FrameSet
            The labelled frames that they were trained on.
        temperature_k : float
            Temperature in K.
        is_beyond : bool
            Whether it is hotter than any production run: what the teacher does there as well is no fault.
        structure_index : int
            Which of the flow's structures it is.
        continues : CheckpointPlace or None
            Where the job that this one replaces left the trajectory.

        Returns
        -------
        Exploration or Response
            How it ended, and the frames to label; the continuation where it was interrupted.
        """
        potentials = [
            load_potential(committee_member(student, self.student_options, self.device)) for student in students
        ]
        labelled = read_frame_set(dataset)
        calculators = [finite_calculator(potential) for potential in potentials]
        known = largest_deviations(held_out_frames(labelled, students[0]), calculators)
        threshold = deviation_threshold(
            known,
            ratio=self.watch.deviation_ratio,
            minimum_ev_per_angstrom=self.watch.minimum_deviation_ev_per_angstrom,
            maximum_ev_per_angstrom=self.watch.maximum_deviation_ev_per_angstrom,
        )
        watch = CommitteeWatch(
            calculators,
            threshold,
            closest_distances(labelled),
            contact_fraction=self.watch.contact_fraction,
            frame_stride=self.watch.frame_stride,
            most_uncertain=self._most_uncertain(),
            wide_ratio=self.watch.wide_ratio,
        )
        structure = as_structure(candidate.structure)
        solid = melting_check(structure, candidate.mobile_ion)
        wanted = WantedTrajectory(structure, self.protocol.at(temperature_k), stop_rules=[watch], health_checks=[solid])
        result = run_trajectory(wanted, potentials[0], self.limits, self.checkpoint_root, continues=continues)
        if result.state == "partial":
            again = self.make(
                candidate, students, dataset, temperature_k, is_beyond, structure_index, CheckpointPlace.of(result)
            )
            return Response(output=None, replace=again)
        has_event = result.stop_reason != "max_length"
        uncertain = watch.uncertain_frames(Trajectory(result.folder))
        before = self._frames_to_label(result, watch, uncertain, has_event)
        shows_it = None
        if is_beyond and result.stop_reason in BREAKDOWNS and self.watch.teacher_check_ps > 0:
            shows_it = self._teacher_shows_it(Trajectory(result.folder), candidate, temperature_k)
        return Exploration(
            label=candidate.label,
            structure_index=structure_index,
            temperature_k=temperature_k,
            is_beyond=is_beyond,
            requested_ps=result.requested_ps,
            completed_ps=result.completed_ps,
            stop_reason=result.stop_reason,
            message=result.message,
            threshold_ev_per_angstrom=threshold,
            largest_deviation_ev_per_angstrom=_largest_seen(result),
            n_uncertain_frames=len(uncertain),
            teacher_shows_it=shows_it,
            folder=result.folder,
            frames=write_frame_set(before, self.checkpoint_root) if before else None,
        )

    def _most_uncertain(self) -> int:
        """Return how many uncertain frames a run of the whole length may have."""
        interval_ps = self.protocol.frame_interval_fs / 1000.0
        n_looked_at = self.limits.duration_ps / interval_ps / self.watch.frame_stride
        return int(self.watch.uncertain_fraction * n_looked_at)

    def _frames_to_label(
        self, result: MdResult, watch: CommitteeWatch, uncertain: Sequence[int], has_event: bool
    ) -> list[Atoms]:
        """Take the uncertain frames of a run; after an event also those shortly before it, and some from all of it."""
        trajectory = Trajectory(result.folder)
        settings = self.watch
        places = set(uncertain)
        if has_event:
            n_frames = trajectory.n_frames
            n_back = min(n_frames, max(1, round(settings.lookback_ps / trajectory.frame_interval_ps)))
            late = np.linspace(n_frames - n_back, n_frames - 1, min(settings.frames_per_event, n_back))
            early = np.linspace(0, n_frames - n_back, settings.frames_before + 1)[1:]
            places |= {round(place) for place in (*early, *late)}
        # overlapping atoms teach nothing: the teacher's own numbers mean little there
        overlapping = 0.7 * settings.contact_fraction
        return [
            frame
            for frame in trajectory_frames(trajectory, sorted(places))
            if np.isfinite(frame.positions).all() and too_close(frame, watch.closest_distances, overlapping) is None
        ]

    def _teacher_shows_it(self, trajectory: Trajectory, candidate: CandidateDoc, temperature_k: float) -> bool:
        """Run the teacher from before the event, and see whether it comes to the same end."""
        from pymatgen.core import Structure

        n_back = max(1, round(self.watch.lookback_ps / trajectory.frame_interval_ps))
        place = max(0, trajectory.n_frames - n_back)
        start = trajectory.positions(slice(place, place + 1))[0]
        structure = Structure(
            trajectory.cells(slice(place, place + 1))[0], trajectory.symbols, start, coords_are_cartesian=True
        )
        crystal = as_structure(candidate.structure)
        solid = melting_check(crystal, candidate.mobile_ion, trajectory.positions(slice(0, 1))[0])
        teacher: Potential = load_potential(self.teacher or PotentialSpecification())
        wanted = WantedTrajectory(structure, self.protocol.at(temperature_k), health_checks=[solid])
        limits = RunLimits(duration_ps=self.watch.teacher_check_ps, segment_ps=self.limits.segment_ps)
        result = run_trajectory(wanted, teacher, limits, self.checkpoint_root)
        return result.stop_reason in BREAKDOWNS


def committee_member(
    student: Student, options: dict[str, str | bool | float] | None = None, device: str = "auto"
) -> PotentialSpecification:
    """Give the potential of a student.

    Parameters
    ----------
    student : Student
        A trained member of a committee.
    options : dict, optional
        Options of the potential `mace`.
    device : str
        Where it computes.

    Returns
    -------
    PotentialSpecification
        For `load_potential`.
    """
    return PotentialSpecification(
        name="mace", model=student.path, device=device, options={"force": True} | (options or {})
    )


def _largest_seen(result: MdResult) -> float | None:
    """Find the largest disagreement in the history of a run."""
    seen = [
        value
        for entry in result.history
        if (value := entry.get("estimate", {}).get("largest_deviation_ev_per_angstrom")) is not None
    ]
    return max(seen, default=None)
