"""Taking pilots out of the queue that would find nothing to do."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Collection, Mapping

from .queue_listing import TIMEOUT_S, QueuedPilot


def idle_pilots(
    pilots: Collection[QueuedPilot],
    names: Mapping[str, str],
    counts: Mapping[str, Counter[str]],
) -> list[QueuedPilot]:
    """Find pilots that wait in the queue for jobs of which none is ready any more.

    Parameters
    ----------
    pilots : collection of QueuedPilot
        What the queue has.
    names : mapping of str to str
        Beginnings of the names of pilots, by kind.
    counts : mapping of str to Counter
        Jobs by kind and state.

    Returns
    -------
    list of QueuedPilot
        Those that would hold a node for nothing.
    """
    vain = tuple(prefix for kind, prefix in names.items() if not counts[kind]["READY"])
    return [pilot for pilot in pilots if not pilot.is_running and pilot.name.startswith(vain)]


def withdraw_pilots(scheduler: str, pilots: Collection[QueuedPilot]) -> None:
    """Take pilots out of the queue; one that a queue does not let go ends by itself when it finds no job.

    Parameters
    ----------
    scheduler : str
        slurm, pbs or shell, where none waits.
    pilots : collection of QueuedPilot
        Pilots that wait.
    """
    if not pilots or scheduler == "shell":
        return
    numbers = [pilot.queue_id for pilot in pilots]
    # One that has begun meanwhile may have found work.
    command = ["scancel", "--state=PENDING", *numbers] if scheduler == "slurm" else ["qdel", *numbers]
    try:
        subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
