"""A GPU for each of the jobs that share an allocation with several."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import IO

VISIBLE = "CUDA_VISIBLE_DEVICES"
_ALLOCATIONS = ("SLURM_JOB_ID", "PBS_JOBID")
_MOST_JOBS = 1024

_held: list[IO[bytes]] = []
"""Places that this process has taken; open until it ends, however it ends."""


def device_of_place(environment: Mapping[str, str], place: int) -> str | None:
    """Name the GPU of one of several processes that share what the queue gave them.

    Parameters
    ----------
    environment : mapping of str to str
        Variables that the queue set.
    place : int
        Number of the process among the others, from 0 on.

    Returns
    -------
    str or None
        The one device that it is to see; None where there are not several to choose from.

    Examples
    --------
    >>> [device_of_place({"CUDA_VISIBLE_DEVICES": "2,3"}, place) for place in range(3)]
    ['2', '3', '2']
    """
    devices = [device.strip() for device in environment.get(VISIBLE, "").split(",") if device.strip()]
    return devices[place % len(devices)] if len(devices) > 1 else None


def take_a_gpu(environment: MutableMapping[str, str]) -> None:
    """Let this process see the GPU that the fewest other jobs of its allocation on this host use.

    Jobs that start independently of each other agree by locks on files, which a killed process lets go of.

    Parameters
    ----------
    environment : mutable mapping of str to str
        Variables of this process, of which the one that names GPUs is changed where it names several.
    """
    allocation = next((environment[name] for name in _ALLOCATIONS if environment.get(name)), None)
    if allocation is None or device_of_place(environment, 0) is None:
        return
    letters = "".join(letter if letter.isalnum() else "-" for letter in allocation)
    folder = Path(tempfile.gettempdir()) / f"superion-gpus-{os.getuid()}-{letters}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for place in range(_MOST_JOBS):
        handle = (folder / str(place)).open("wb")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            continue
        _held.append(handle)
        environment[VISIBLE] = device_of_place(environment, place) or environment[VISIBLE]
        return
