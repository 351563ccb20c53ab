"""Workflows whose jobs never came: FireWorks writes workflows first, and who writes may end in between.

Such a unit would count as handed over, and wait for ever. It is removed, with its claim, and handed over again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from fireworks import LaunchPad

from .claims import CLAIMS, release_units
from .marks import STAGE_KEY

SETTLING_S = 60.0
"""Age in s of a workflow from which on a job that is not there will not come any more."""

HALF_FIELDS = {"nodes": 1, "state": 1, STAGE_KEY: 1}
"""Fields of a workflow by which a half is known; with its `_id`."""


def find_halves(launchpad: LaunchPad, workflows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Find workflows of which some jobs are not there, in one query however many they are.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    workflows : iterable of mapping
        Workflows, with `HALF_FIELDS`.

    Returns
    -------
    list of mapping
        Those that lack jobs.
    """
    begun = [workflow for workflow in workflows if workflow["state"] not in ("COMPLETED", "ARCHIVED")]
    nodes = [fw_id for workflow in begun for fw_id in workflow["nodes"]]
    if not nodes:
        return []
    there = {job["fw_id"] for job in launchpad.fireworks.find({"fw_id": {"$in": nodes}}, {"_id": 0, "fw_id": 1})}
    return [workflow for workflow in begun if not there.issuperset(workflow["nodes"])]


def remove_halves(
    launchpad: LaunchPad,
    halves: Collection[Mapping[str, Any]],
    *,
    settling_s: float = SETTLING_S,
    is_lost: Callable[[dict[str, Any]], bool] = lambda launch: False,
) -> list[str]:
    """Remove workflows that lack jobs, and their claims, so that their units can be handed over again.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    halves : collection of mapping
        What `find_halves` gives.
    settling_s : float
        Age from which on they are removed, in s: a younger one may be in the middle of being written.
    is_lost : callable
        Says of a running launch whether nobody works on it any more; who works keeps what is there.

    Returns
    -------
    list of str
        Stage keys of those removed.
    """
    now = time.time()
    old = [half for half in halves if now - half["_id"].generation_time.timestamp() >= settling_s]
    if not old:
        return []
    nodes = [fw_id for half in old for fw_id in half["nodes"]]
    running = launchpad.launches.find({"fw_id": {"$in": nodes}, "state": "RUNNING"})
    lost = [launch["fw_id"] for launch in running if is_lost(launch)]
    # Jobs first: one without its workflow would make the worker that takes it fail.
    gone = {"fw_id": {"$in": nodes}, "$or": [{"state": {"$ne": "RUNNING"}}, {"fw_id": {"$in": lost}}]}
    launchpad.fireworks.delete_many(gone)
    kept = {job["fw_id"] for job in launchpad.fireworks.find({"fw_id": {"$in": nodes}}, {"_id": 0, "fw_id": 1})}
    removed = [half for half in old if kept.isdisjoint(half["nodes"])]
    launchpad.workflows.delete_many({"_id": {"$in": [half["_id"] for half in removed]}})
    keys = [half["metadata"]["superion"]["stage_key"] for half in removed]
    release_units(launchpad.db[CLAIMS], keys)
    return keys
