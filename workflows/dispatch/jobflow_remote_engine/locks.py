"""Locks that a dead runner left on jobs and flows."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from .connection import Queue
from .runner import RunnerLife

YOUNGEST_S = 60.0
"""A younger lock may be anybody's."""


def unlock_stale(
    controller: Queue, life: RunnerLife, flow_uuids: list[str], job_uuids: list[str], now: float | None = None
) -> int:
    """Take away locks that nobody alive can hold.

    Parameters
    ----------
    controller : Queue
        The queue.
    life : RunnerLife
        Runners that live.
    flow_uuids, job_uuids : list of str
        Where to look.
    now : float or None
        Time in s since 1970; None for now.

    Returns
    -------
    int
        Number of locks taken away: those older than a minute where no runner lives, older than all that live, or
        older than the project's lock_timeout.
    """
    border = stale_before(life, controller.project.runner.lock_timeout, time.time() if now is None else now)
    moment = datetime.fromtimestamp(border, UTC)
    free = {"$set": {"lock_id": None, "lock_time": None}}
    n_freed = 0
    for collection, uuids in ((controller.flows, flow_uuids), (controller.jobs, job_uuids)):
        query = {"uuid": {"$in": uuids}, "lock_id": {"$ne": None}, "lock_time": {"$lt": moment}}
        if uuids and collection.find_one(query, {"_id": 1}) is not None:
            n_freed += collection.update_many(query, free).modified_count
    return n_freed


def stale_before(life: RunnerLife, lock_timeout_s: float | None, now: float) -> float:
    """Say how old a lock must be so that nobody alive can hold it.

    Parameters
    ----------
    life : RunnerLife
        Runners that live.
    lock_timeout_s : float or None
        The project's limit.
    now : float
        Time in s since 1970.

    Returns
    -------
    float
        Locks from before this time, in s since 1970, are stale.

    Examples
    --------
    >>> stale_before(RunnerLife(), 3600.0, 10_000.0)
    9940.0
    >>> stale_before(RunnerLife(alive_since=8_000.0), 3600.0, 10_000.0)
    8000.0
    """
    youngest = now - YOUNGEST_S
    if life.alive_since is None:
        return youngest
    timed_out = now - lock_timeout_s if lock_timeout_s is not None else 0.0
    return min(youngest, max(life.alive_since, timed_out))
