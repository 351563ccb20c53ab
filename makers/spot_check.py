"""Frames of a student's molecular dynamics, labelled again by its teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from ase import Atoms
from jobflow import JobConfig, OnMissing

from ..database.documents import TrajectoryDoc
from ..dynamics.frames import trajectory_frames
from ..dynamics.trajectory import Trajectory
from ..errors import SettingsError
from ..potentials.finite_results import finite_calculator
from ..potentials.force_error import ForceErrorSeries, force_error_series, force_errors, spot_check_times
from ..potentials.quiet import quietly
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.maker import Maker
from ..runtime.timed_job import job, note_device


@dataclass
class SpotCheckMaker(Maker):
    """Compare the forces of a student with those of its teacher on frames of its own production runs.

    Parameters
    ----------
    name : str
        Name of the job.
    teacher : PotentialSpecification, str, dict or None
        The potential that the student learnt from; it must be named.
    potential : PotentialSpecification, str, dict or None
        The student; None for the flow's.
    interval_ps : float
        Time between two frames that are labelled again, in ps.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "spot check"
    teacher: PotentialSpecification | None = None
    potential: PotentialSpecification | None = None
    interval_ps: float = 10.0

    def __post_init__(self) -> None:
        """Take potentials by name, too."""
        if self.teacher is not None:
            self.teacher = potential_specification(self.teacher)
        if self.potential is not None:
            self.potential = potential_specification(self.potential)

    def check(self) -> None:
        """Refuse settings that make no sense.

        Raises
        ------
        SettingsError
            If no teacher is named, or the interval is not positive.
        """
        if self.teacher is None:
            raise SettingsError("The spot check has no teacher: name it, such as spot_check.teacher=chgnet.")
        if not self.interval_ps > 0.0:
            raise SettingsError(f"spot_check.interval_ps is {self.interval_ps:g}: a time in ps must be positive.")

    @job(config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(self, trajectories: Sequence[TrajectoryDoc | None]) -> list[ForceErrorSeries]:
        """Label frames of some trajectories again.

        Parameters
        ----------
        trajectories : sequence of TrajectoryDoc or None
            Production runs; None for those whose job failed.

        Returns
        -------
        list of ForceErrorSeries
            One for each run that has frames.

        Raises
        ------
        SettingsError
            If no teacher is named.
        PotentialError
            If a potential cannot be loaded.
        """
        self.check()
        assert self.teacher is not None
        student = load_potential(self.potential or PotentialSpecification())
        teacher = load_potential(self.teacher)
        note_device(student.provenance.device)
        calculators = finite_calculator(student), finite_calculator(teacher)
        found = []
        for document in trajectories:
            if document is None or document.run.completed_ps <= 0.0:
                continue
            times, frames = _frames(Trajectory(document.run.folder), self.interval_ps)
            if not frames:
                continue
            with quietly():
                errors = force_errors(frames, *calculators)
            found.append(
                force_error_series(
                    document.protocol.temperature_k, document.run.key, self.teacher.written, times, errors
                )
            )
        return found


def _frames(trajectory: Trajectory, interval_ps: float) -> tuple[list[float], list[Atoms]]:
    """Take the frames nearest to the times of the looks."""
    times = trajectory.times_ps()
    if len(times) < 2:
        return [], []
    wanted = [int(np.argmin(np.abs(times - time))) for time in spot_check_times(float(times[-1]), interval_ps)]
    return [float(times[index]) for index in wanted], trajectory_frames(trajectory, wanted)
