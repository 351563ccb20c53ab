"""Keeping jobs from starting, and letting them start again: a few updates for a whole campaign.

A parked job is in a category that no pilot takes. FireWorks' own PAUSED and DEFUSED change workflows job by job, and
leave a running job's continuation free to start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from fireworks import LaunchPad

from .marks import CAMPAIGN_IDS, PARKED, STAGE_KEY, of_campaign, parked, unparked

Parking = Literal["paused", "cancelled"]

_SECOND = f"{CAMPAIGN_IDS}.1"
_STARTABLE = ["READY", "WAITING", "FIZZLED"]


def open_units(campaign_id: str, stage_keys: Collection[str] | None) -> dict[str, Any]:
    """Find the workflows of units that are not over.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    stage_keys : collection of str or None
        Units; None for all.

    Returns
    -------
    dict
        Criteria for the launchpad's workflows.
    """
    criteria: dict[str, Any] = {**of_campaign(campaign_id), "state": {"$nin": ["COMPLETED", "ARCHIVED"]}}
    if stage_keys is not None:
        criteria[STAGE_KEY] = {"$in": list(stage_keys)}
    return criteria


def park(launchpad: LaunchPad, campaign_id: str, how: Parking, stage_keys: Collection[str] | None = None) -> int:
    """Keep the waiting jobs of units from starting.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.
    how : str
        paused or cancelled; a paused unit can be cancelled, not the other way round.
    stage_keys : collection of str or None
        Units; None for all.

    Returns
    -------
    int
        Units that this concerns: those that are not over.
    """
    # A unit that another campaign wants, too, goes on for that one.
    criteria = {**open_units(campaign_id, stage_keys), _SECOND: {"$exists": False}}
    if how == "paused":
        criteria[PARKED] = {"$in": [None, "paused"]}
    launchpad.workflows.update_many(criteria, {"$set": {PARKED: how}})
    found = list(launchpad.workflows.find({**criteria, PARKED: how}, {"_id": 0, "nodes": 1}))
    _move(launchpad, [fw_id for workflow in found for fw_id in workflow["nodes"]], to_parked=True)
    return len(found)


def unpark(
    launchpad: LaunchPad, campaign_id: str, how: Collection[Parking], stage_keys: Collection[str] | None = None
) -> int:
    """Let the jobs of parked units start.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.
    how : collection of str
        paused, cancelled, or both.
    stage_keys : collection of str or None
        Units; None for all.

    Returns
    -------
    int
        Units that were parked.
    """
    criteria = {**open_units(campaign_id, stage_keys), PARKED: {"$in": list(how)}}
    found = list(launchpad.workflows.find(criteria, {"_id": 0, "nodes": 1}))
    nodes = [fw_id for workflow in found for fw_id in workflow["nodes"]]
    _move(launchpad, nodes, to_parked=False)
    # Last: until then a unit still counts as parked, and unparking it again does no harm.
    launchpad.workflows.update_many({**criteria, "nodes": {"$in": nodes}}, {"$unset": {PARKED: ""}})
    return len(found)


def let_go(launchpad: LaunchPad, campaign_id: str, stage_keys: Collection[str] | None = None) -> int:
    """Take a campaign off units that others want, too.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.
    stage_keys : collection of str or None
        Units; None for all.

    Returns
    -------
    int
        Units that are the others' alone now.
    """
    shared = {**open_units(campaign_id, stage_keys), _SECOND: {"$exists": True}}
    return int(launchpad.workflows.update_many(shared, {"$pull": {CAMPAIGN_IDS: campaign_id}}).modified_count)


def join(launchpad: LaunchPad, campaign_id: str, stage_keys: Collection[str]) -> None:
    """Note that a campaign wants units that are there already; those that others had parked start again.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        Campaign that wants them now.
    stage_keys : collection of str
        Units.
    """
    others = {STAGE_KEY: {"$in": list(stage_keys)}, CAMPAIGN_IDS: {"$ne": campaign_id}}
    parked_ones = list(launchpad.workflows.find({**others, PARKED: {"$exists": True}}, {"nodes": 1, PARKED: 1}))
    _move(launchpad, [node for workflow in parked_ones for node in workflow["nodes"]], to_parked=False)
    for how, change in (
        ("paused", {"$addToSet": {CAMPAIGN_IDS: campaign_id}, "$unset": {PARKED: ""}}),
        # Who cancelled it wants it no more.
        ("cancelled", {"$set": {CAMPAIGN_IDS: [campaign_id]}, "$unset": {PARKED: ""}}),
    ):
        found = [one["_id"] for one in parked_ones if one["metadata"]["superion"]["parked"] == how]
        if found:
            launchpad.workflows.update_many({"_id": {"$in": found}}, change)
    launchpad.workflows.update_many(others, {"$addToSet": {CAMPAIGN_IDS: campaign_id}})


def reconcile(launchpad: LaunchPad, workflows: Iterable[Mapping[str, Any]]) -> None:
    """Bring the jobs of workflows to where their marks say: FireWorks may have written an older copy over a mark.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    workflows : iterable of mapping
        Workflows, with `nodes` and the mark.
    """
    free: list[int] = []
    held: list[int] = []
    for workflow in workflows:
        (held if workflow["metadata"]["superion"].get("parked") else free).extend(workflow["nodes"])
    _move(launchpad, free, to_parked=False)
    _move(launchpad, held, to_parked=True)


def park_again(launchpad: LaunchPad, fw_id: int) -> None:
    """Park what a job left behind that was running when its unit was parked: its continuation.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    fw_id : int
        The job.
    """
    workflow = launchpad.workflows.find_one({"nodes": fw_id, PARKED: {"$exists": True}}, {"_id": 0, "nodes": 1})
    if workflow is not None:
        _move(launchpad, workflow["nodes"], to_parked=True)


def _move(launchpad: LaunchPad, nodes: list[int], *, to_parked: bool) -> None:
    """Move jobs to the category that nobody takes, or back: one update for each category."""
    if not nodes:
        return
    waiting = {"fw_id": {"$in": nodes}, "state": {"$in": _STARTABLE}}
    for category in launchpad.fireworks.distinct("spec._category", waiting):
        target = parked(category) if to_parked else unparked(category)
        if target != category:
            launchpad.fireworks.update_many(
                {**waiting, "spec._category": category}, {"$set": {"spec._category": target}}
            )
