"""Remember that this process is to stop, so that no further molecular dynamics starts in it.

A signal, or the end of the allocation, ends a trajectory cleanly as partial, and its job then replaces itself by its
continuation. A launcher that runs job after job in one process, such as `jobflow.run_locally` or FireWorks'
rapidfire, would start that continuation at once: deaf to the signal, or for zero steps over and over in an allocation
that has no time left. The continuation belongs to the next process.
"""

from __future__ import annotations

from typing import Any

from .walltime import time_left_s

_stop_was_requested = False


class LeaveProcess(KeyboardInterrupt):
    """Raised by a job that must not begin any more in this process: what Ctrl-C would have raised.

    It is no failure of the job, which is to run again in another process.
    """

    def to_dict(self) -> dict[str, Any]:
        """Say what happened in plain data, for launchers that keep it beside the job.

        Returns
        -------
        dict
            `run_again` is true.
        """
        return {"run_again": True, "message": str(self)}


def remember_stop_request() -> None:
    """Note that this process is to stop, because of a signal or because its allocation ends."""
    global _stop_was_requested
    _stop_was_requested = True


def stop_was_requested() -> bool:
    """Say whether this process is to stop: a launcher then takes no further job.

    Returns
    -------
    bool
        True from the first signal, or the first stop at the end of the allocation, on.
    """
    return _stop_was_requested


def leave_if_stop_was_requested() -> None:
    """End this process before it starts more work than is allowed.

    Raises
    ------
    LeaveProcess
        If this process is to stop, or its allocation has no time left; a KeyboardInterrupt.
    """
    if _stop_was_requested:
        raise LeaveProcess("this run was stopped: start it again and it continues from its checkpoints")
    left_s = time_left_s()
    if left_s is not None and left_s <= 0:
        remember_stop_request()
        raise LeaveProcess(
            "the allocation that this process runs in is about to end: the job is for the next one, "
            "where it continues from its checkpoints"
        )
