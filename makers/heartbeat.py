"""Heartbeats: a running job tells its launcher how far it is, through a small file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from jobflow import CURRENT_JOB

from ..dynamics.results import MdProgress
from .atomic_file import write_text_atomically

PROGRESS_FOLDER_VARIABLE = "SUPERION_PROGRESS_FOLDER"
"""Environment variable by which a launcher says where it looks for heartbeats."""


def heartbeat_writer(minimum_interval_s: float = 0.5) -> Callable[[MdProgress], None] | None:
    """Make the callable that the engine calls with its progress.

    Parameters
    ----------
    minimum_interval_s : float
        Time between two writes, in s.

    Returns
    -------
    callable or None
        Writes `<folder>/<job uuid>.json`; None where no launcher listens.
    """
    folder = os.environ.get(PROGRESS_FOLDER_VARIABLE)
    job = CURRENT_JOB.job
    if not folder or job is None:
        return None
    path = Path(folder) / f"{job.uuid}.json"
    index = job.index
    last = -float("inf")

    def write(progress: MdProgress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < minimum_interval_s and progress.completed_ps < progress.requested_ps:
            return
        last = now
        record = {"index": index, "process": os.getpid(), "progress": progress.model_dump(mode="json")}
        write_text_atomically(path, json.dumps(record), durable=False)

    return write
