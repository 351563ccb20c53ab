"""Heartbeats of a job that runs several trajectories: each one's own, and their sum."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..dynamics.results import MdProgress
from .heartbeat import HeartbeatWriter


class JobHeartbeats:
    """Gathers the heartbeats of the trajectories of one job.

    Parameters
    ----------
    n_trajectories : int
        How many the job runs.
    write : HeartbeatWriter or None
        Writes the job's heartbeat; None where no launcher listens.

    Examples
    --------
    >>> beats = JobHeartbeats(2, lambda progress, trajectories: print(progress.completed_ps, progress.requested_ps))
    >>> beats.of(0)(MdProgress(key="a", completed_ps=1.0, requested_ps=4.0, ps_per_hour=None))
    1.0 8.0
    """

    def __init__(self, n_trajectories: int, write: HeartbeatWriter | None) -> None:
        self._n_trajectories = n_trajectories
        self._write = write
        self._began = time.monotonic()
        self._requested_ps = 0.0
        self._first: dict[int, MdProgress] = {}
        self._last: dict[int, MdProgress] = {}

    def of(self, trajectory: int) -> Callable[[MdProgress], None] | None:
        """Give the callable that one trajectory tells its progress.

        Parameters
        ----------
        trajectory : int
            Its place in the job.

        Returns
        -------
        callable or None
            For the engine; None where no launcher listens.
        """
        write = self._write
        if write is None:
            return None

        def report(progress: MdProgress) -> None:
            self._first.setdefault(trajectory, progress)
            self._requested_ps = max(self._requested_ps, progress.requested_ps)
            self._last[trajectory] = progress
            if self._n_trajectories == 1:
                write(progress)
            else:
                write(self._sum(), [self._last[place] for place in sorted(self._last)])

        return report

    def _sum(self) -> MdProgress:
        """Sum up; those that have not begun ask for as much as all, and those that are over for what they have."""
        beats = self._last.values()
        n_waiting = self._n_trajectories - len(beats)
        done_ps = sum(self._last[place].completed_ps - self._first[place].completed_ps for place in self._last)
        elapsed_s = time.monotonic() - self._began
        return MdProgress(
            key="",
            completed_ps=sum(beat.completed_ps for beat in beats),
            requested_ps=sum(beat.requested_ps for beat in beats) + n_waiting * self._requested_ps,
            ps_per_hour=3600.0 * done_ps / elapsed_s if done_ps > 0 else None,
            message=f"{len(beats)} of {self._n_trajectories} trajectories begun",
        )
