"""FireWorks' locks on workflows, which stay for ever when the process that holds one is killed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from fireworks import LaunchPad

STALE_S = 120.0
"""Age in s at which a lock has no owner any more: they are held for a few round trips."""

_SEEN = "metadata.superion.lock_seen"


def unlock_stale(launchpad: LaunchPad, workflows: Iterable[Mapping[str, Any]]) -> int:
    """Take off locks that were there when somebody looked some minutes ago, and under which nothing has changed since.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    workflows : iterable of mapping
        Workflows, with `_id`, `locked`, `updated_on` and the mark, in which the first sight of a lock is written down.

    Returns
    -------
    int
        Locks taken off.
    """
    n_unlocked, now = 0, time.time()
    for workflow in workflows:
        if not workflow.get("locked"):
            continue
        seen = workflow["metadata"]["superion"].get("lock_seen") or {}
        same = {"_id": workflow["_id"], "locked": True, "updated_on": workflow["updated_on"]}
        if seen.get("updated_on") != workflow["updated_on"]:
            first = {"updated_on": workflow["updated_on"], "at": now}
            launchpad.workflows.update_one(same, {"$set": {_SEEN: first}})
        elif now - seen["at"] > STALE_S:
            change = {"$unset": {"locked": "", _SEEN: ""}}
            n_unlocked += launchpad.workflows.update_one(same, change).modified_count
    return n_unlocked
