"""What every job that runs trajectories does around the engine."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pymatgen.core import Structure

from ..dynamics.engine import SetMemberResult, run_md_set
from ..dynamics.identity import trajectory_key
from ..dynamics.member import TrajectoryRequest
from ..dynamics.protocol import MdProtocol, RunLimits
from ..dynamics.results import MdResult
from ..dynamics.verdicts import StopRule
from ..errors import ProtocolError, TrajectoryError
from ..potentials.potential import Potential
from .atoms import ase_atoms
from .checkpoint_root import checkpoint_root_of
from .continuation import CheckpointPlace
from .heartbeat import heartbeat_writer
from .job_heartbeats import JobHeartbeats
from .stop_request import LeaveProcess, leave_if_stop_was_requested, remember_stop_request
from .timed_job import note_device
from .walltime import current_allocation, stop_margin_s


@dataclass(frozen=True)
class WantedTrajectory:
    """A trajectory that a job is to run.

    Parameters
    ----------
    structure : Structure
        Where it starts.
    protocol : MdProtocol
        What it is.
    stop_rules : sequence of callables
        May end it as completed.
    health_checks : sequence of callables
        May end it as failed.
    """

    structure: Structure
    protocol: MdProtocol
    stop_rules: Sequence[StopRule] = ()
    health_checks: Sequence[StopRule] = ()


def run_trajectory(
    wanted: WantedTrajectory,
    potential: Potential,
    limits: RunLimits,
    checkpoint_root: str | None,
    *,
    continues: CheckpointPlace | None = None,
) -> MdResult:
    """Run or continue one trajectory inside a job.

    Parameters
    ----------
    wanted : WantedTrajectory
        The trajectory.
    potential : Potential
        The potential.
    limits : RunLimits
        How long it goes on.
    checkpoint_root : str or None
        Folder of all trajectories; None for the project's, or one in the current folder.
    continues : CheckpointPlace or None
        Checkpoint that must be there.

    Returns
    -------
    MdResult
        Completed, failed, or partial by signal or wall time: then the job must replace itself by its continuation.

    Raises
    ------
    LeaveProcess
        If this process was told to stop before, or its allocation leaves no time; a KeyboardInterrupt.
    TrajectoryError
        If the disk is full, the potential failed, or the checkpoint to continue cannot be seen from this host.
    SuperionError
        If the trajectory is refused, as by `superion.dynamics.engine.run_md`.
    """
    (ended,) = run_trajectories([wanted], potential, limits, checkpoint_root, continues=[continues])
    if ended.error is not None:
        raise ended.error
    assert ended.result is not None
    if ended.result.stop_reason == "error":
        raise TrajectoryError(ended.result.message)
    return ended.result


def run_trajectories(
    wanted: Sequence[WantedTrajectory],
    potential: Potential,
    limits: RunLimits,
    checkpoint_root: str | None,
    *,
    continues: Iterable[CheckpointPlace | None] = (),
) -> list[SetMemberResult]:
    """Run or continue a set of trajectories inside one job.

    Where the queue says when the allocation ends, the run stops a margin before that, as it does for a wall-time
    limit of its own.

    Parameters
    ----------
    wanted : sequence of WantedTrajectory
        The trajectories.
    potential : Potential
        The potential of all of them.
    limits : RunLimits
        How long each goes on.
    checkpoint_root : str or None
        Folder of all trajectories; None for the project's, or one in the current folder.
    continues : iterable of CheckpointPlace or None
        Checkpoints that must be there.

    Returns
    -------
    list of SetMemberResult
        In the order of `wanted`.

    Raises
    ------
    LeaveProcess
        If this process was told to stop before, or its allocation leaves no time; a KeyboardInterrupt.
    TrajectoryError
        If the disk is full, or a checkpoint to continue cannot be seen from this host.
    ProtocolError
        If the wall-time limit, or a whole allocation, leaves no time for a single step.
    """
    leave_if_stop_was_requested()
    for place in continues:
        if place is not None:
            place.expect_here()
    note_device(potential.provenance.device)
    allowed = _AllowedTime.of(limits)
    beats = JobHeartbeats(len(wanted), heartbeat_writer())
    requests = []
    for place_in_set, trajectory in enumerate(wanted):
        atoms = ase_atoms(trajectory.structure)
        key = trajectory_key(atoms, potential.provenance, trajectory.protocol)
        requests.append(
            TrajectoryRequest(
                atoms,
                trajectory.protocol,
                checkpoint_root_of(key, checkpoint_root),
                trajectory.stop_rules,
                trajectory.health_checks,
                beats.of(place_in_set),
            )
        )
    ended = run_md_set(requests, potential, allowed.limits)
    results = [member.result for member in ended if member.result is not None]
    reasons = {result.stop_reason: result for result in results}
    if "signal" in reasons or ("walltime" in reasons and allowed.by_allocation):
        remember_stop_request()
    if "disk_full" in reasons:
        # The launcher asks what is behind an error: room on the disk, unlike a mistake, may come back.
        raise TrajectoryError(reasons["disk_full"].message) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "walltime" in reasons and sum(_steps_taken(result) for result in results) < 1:
        raise allowed.refusal()
    return ended


def _steps_taken(result: MdResult) -> int:
    return round(1000.0 * result.completed_ps / result.time_step_fs) - result.resumed_from_step


@dataclass(frozen=True)
class _AllowedTime:
    """The wall time of one run: what its settings allow, or what is left of the allocation."""

    limits: RunLimits
    by_allocation: bool
    is_most_of_allocation: bool = False

    @classmethod
    def of(cls, limits: RunLimits) -> _AllowedTime:
        """Look at the settings and at the queue."""
        allocation = current_allocation()
        if allocation is None:
            return cls(limits, by_allocation=False)
        # Loading the potential counts, too; a job that comes here has some time left.
        left_s = max(1e-3, allocation.end_s - stop_margin_s(allocation) - time.time())
        if limits.max_runtime_s is not None and limits.max_runtime_s <= left_s:
            return cls(limits, by_allocation=False)
        return cls(
            limits.model_copy(update={"max_runtime_s": left_s}),
            by_allocation=True,
            is_most_of_allocation=left_s > 0.5 * allocation.length_s,
        )

    def refusal(self) -> BaseException:
        """Say what a run without a single step means: a mistake, or a job that came too late."""
        limit_s = self.limits.max_runtime_s or 0.0
        if not self.by_allocation:
            return ProtocolError(f"max_runtime_s = {limit_s:g} leaves no time for a single step: raise it.")
        if self.is_most_of_allocation:
            return ProtocolError(
                f"The {limit_s:.0f} s that the allocation had left when the job began were over before its first "
                "step: ask the queue for a longer time limit."
            )
        return LeaveProcess("the allocation ended before the first step: the job is for the next one")
