"""What every job that runs a trajectory does around the engine."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

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
from .heartbeat import heartbeat_writer
from .stop_request import leave_if_stop_was_requested, remember_stop_request


def run_trajectory(
    structure: Structure,
    potential: Potential,
    protocol: MdProtocol,
    limits: RunLimits,
    checkpoint_root: str | None,
    *,
    stop_rules: Sequence[StopRule] = (),
    health_checks: Sequence[StopRule] = (),
) -> MdResult:
    """Run or continue a trajectory inside a job.

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

    Returns
    -------
    MdResult
        Completed, failed, or partial by signal or wall time: then the job must replace itself by its continuation.

    Raises
    ------
    KeyboardInterrupt
        If a signal asked this process to stop before.
    TrajectoryError
        If the disk is full.
    ProtocolError
        If the wall-time limit leaves no time for a single step.
    """
    leave_if_stop_was_requested()
    atoms = ase_atoms(structure)
    result = run_md(
        atoms,
        potential,
        protocol,
        limits,
        checkpoint_root_of(trajectory_key(atoms, potential.provenance, protocol), checkpoint_root),
        stop_rules=stop_rules,
        health_checks=health_checks,
        on_progress=heartbeat_writer(),
    )
    if result.stop_reason == "signal":
        remember_stop_request()
    if result.stop_reason == "disk_full":
        # The launcher asks what is behind an error: room on the disk, unlike a mistake, may come back.
        raise TrajectoryError(result.message) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if result.stop_reason == "error":
        raise TrajectoryError(result.message)
    steps_taken = round(1000.0 * result.completed_ps / result.time_step_fs) - result.resumed_from_step
    if result.stop_reason == "walltime" and steps_taken < 1:
        raise ProtocolError(f"max_runtime_s = {limits.max_runtime_s:g} leaves no time for a single step: raise it.")
    return result
