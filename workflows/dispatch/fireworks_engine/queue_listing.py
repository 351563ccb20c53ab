"""Which pilots are in the cluster's queue."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from ....errors import StoreError
from .pilot_place import alive_file, pilot_script

TIMEOUT_S = 60.0
"""How long to wait for the queue's answer, in s."""


@dataclass(frozen=True)
class QueuedPilot:
    """A pilot in the queue.

    Parameters
    ----------
    name : str
        Its name, which is never used twice.
    queue_id : str
        Its number in the queue.
    is_running : bool
        Whether it runs; else it waits.
    """

    name: str
    queue_id: str
    is_running: bool


def list_pilots(scheduler: str, prefix: str, pilots: Path) -> list[QueuedPilot]:
    """List the pilots whose names begin with a prefix.

    Parameters
    ----------
    scheduler : str
        slurm, pbs or shell.
    prefix : str
        What `pilot_prefix` gives, or a shorter beginning.
    pilots : Path
        Folder of all pilots, for the scheduler shell.

    Returns
    -------
    list of QueuedPilot
        Those that wait or run.

    Raises
    ------
    StoreError
        If the queue does not answer.
    """
    return [pilot for pilot in _LISTERS[scheduler](pilots) if pilot.name.startswith(prefix)]


def _list_slurm(pilots: Path) -> list[QueuedPilot]:
    found = []
    for line in _ask(["squeue", "--noheader", "--user", getpass.getuser(), "--format", "%i|%T|%j"]):
        queue_id, state, name = line.strip().split("|", 2)
        # A job that is completing has lost its processes, or is about to.
        if state not in ("COMPLETING", "CANCELLED", "COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL"):
            found.append(QueuedPilot(name, queue_id, state == "RUNNING"))
    return found


def _list_pbs(pilots: Path) -> list[QueuedPilot]:
    found, name, queue_id = [], "", ""
    for line in _ask(["qstat", "-f", "-w"]):
        words = line.strip()
        if words.startswith("Job Id:"):
            queue_id = words.partition(":")[2].strip()
        elif words.startswith("Job_Name ="):
            name = words.partition("=")[2].strip()
        elif words.startswith("job_state =") and words[-1] not in "CEF":
            # Held, queued, moved or waiting for its time; whatever else has begun, and may be suspended.
            found.append(QueuedPilot(name, queue_id, words[-1] not in "HQTW"))
    return found


def _list_processes(pilots: Path) -> list[QueuedPilot]:
    """Without a queue, a pilot is a process that says in its folder that it lives."""
    found = []
    for folder in pilots.glob("*/*/job-*"):
        queue_id = folder.name.removeprefix("job-")
        if queue_id.isdecimal() and alive_file(folder).exists() and _is_pilot(int(queue_id), folder.parent):
            found.append(QueuedPilot(folder.parent.name, queue_id, True))
    return found


def _is_pilot(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        # Itself, or the script that is to become it.
        names = {str(folder), str(pilot_script(folder))}
        return process.status() != psutil.STATUS_ZOMBIE and not names.isdisjoint(process.cmdline())
    except psutil.Error:
        return False


def _ask(command: list[str]) -> list[str]:
    """Ask the queue and give its lines."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, env={**os.environ, "LC_ALL": "C"}, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(
            f"The queue does not answer ({command[0]}: {type(error).__name__}): see that this host can submit to it, "
            "and run the command again."
        ) from None
    if answer.returncode != 0:
        words = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise StoreError(f"The queue does not answer ({words}): try again when {command[0]} works.")
    return [line for line in answer.stdout.splitlines() if line.strip()]


_LISTERS: dict[str, Callable[[Path], list[QueuedPilot]]] = {
    "slurm": _list_slurm,
    "pbs": _list_pbs,
    "shell": _list_processes,
}
