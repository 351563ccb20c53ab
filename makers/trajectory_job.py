"""What every job that runs a trajectory does around the engine."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.core import Structure

from ..dynamics.engine import run_md
from ..dynamics.identity import trajectory_key
from ..dynamics.protocol import MdProtocol, RunLimits
from ..dynamics.results import MdResult
from ..dynamics.verdicts import StopRule
from ..errors import ProtocolError, TrajectoryError
from ..potentials.potential import Potential
from .atoms import ase_atoms
from .checkpoint_root import checkpoint_root_of
from .continuation import CheckpointPlace
from .heartbeat import heartbeat_writer
from .job_end import current_allocation, stop_margin_s
from .stop_request import LeaveProcess, leave_if_stop_was_requested, remember_stop_request
from .timed_job import note_device


def run_trajectory(
    structure: Structure,
    potential: Potential,
    protocol: MdProtocol,
    limits: RunLimits,
    checkpoint_root: str | None,
    *,
    stop_rules: Sequence[StopRule] = (),
    health_checks: Sequence[StopRule] = (),
    continues: CheckpointPlace | None = None,
) -> MdResult:
    """Run or continue a trajectory inside a job.

    Where the queue says when the allocation ends, the run stops a margin before that, as it does for a wall-time
    limit of its own.

    Parameters
    ----------
    structure : Structure
        Where it starts.
    potential : Potential
        The potential.
    protocol : MdProtocol
        What it is.
    limits : RunLimits
        How long it goes on.
    checkpoint_root : str or None
        Folder of all trajectories; None for the project's, or one in the current folder.
    stop_rules : sequence of callables
        May end it as completed.
    health_checks : sequence of callables
        May end it as failed.
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
        If the disk is full, or the checkpoint to continue cannot be seen from this host.
    ProtocolError
        If the wall-time limit, or a whole allocation, leaves no time for a single step.
    """
    leave_if_stop_was_requested()
    if continues is not None:
        continues.expect_here()
    note_device(potential.provenance.device)
    allowed = _AllowedTime.of(limits)
    atoms = ase_atoms(structure)
    result = run_md(
        atoms,
        potential,
        protocol,
        allowed.limits,
        checkpoint_root_of(trajectory_key(atoms, potential.provenance, protocol), checkpoint_root),
        stop_rules=stop_rules,
        health_checks=health_checks,
        on_progress=heartbeat_writer(),
    )
    ends_with_allocation = result.stop_reason == "walltime" and allowed.by_allocation
    if result.stop_reason == "signal" or ends_with_allocation:
        remember_stop_request()
    if result.stop_reason == "disk_full":
        # The launcher asks what is behind an error: room on the disk, unlike a mistake, may come back.
        raise TrajectoryError(result.message) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if result.stop_reason == "error":
        raise TrajectoryError(result.message)
    steps_taken = round(1000.0 * result.completed_ps / result.time_step_fs) - result.resumed_from_step
    if result.stop_reason == "walltime" and steps_taken < 1:
        raise allowed.refusal()
    return result


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
