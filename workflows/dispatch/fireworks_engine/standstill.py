"""Whether anybody is there, or coming, to work on what is ready."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fireworks import LaunchPad

from ....runtime.resource_kind import load_resource_kind, resource_kinds
from ...clusters.profile import ClusterProfile
from .marks import category_of, of_campaign
from .queue_listing import QueuedPilot


def ready_kinds(launchpad: LaunchPad, campaign_id: str, cluster: str) -> set[str]:
    """Tell the kinds of jobs of a campaign that pilots could take now, where no job of it runs.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.
    cluster : str
        Name of the cluster's profile.

    Returns
    -------
    set of str
        Kinds; none where a job runs, or nothing is ready.
    """
    begun = {**of_campaign(campaign_id), "state": {"$nin": ["COMPLETED", "ARCHIVED"]}}
    states = [
        (int(fw_id), state)
        for workflow in launchpad.workflows.find(begun, {"_id": 0, "fw_states": 1})
        for fw_id, state in workflow["fw_states"].items()
    ]
    if any(state == "RUNNING" for _, state in states):
        return set()
    ready = {"fw_id": {"$in": [fw_id for fw_id, state in states if state == "READY"]}, "state": "READY"}
    categories = set(launchpad.fireworks.distinct("spec._category", ready))
    return {kind for kind in resource_kinds() if category_of(cluster, kind) in categories}


def sentence_without_pilot(
    campaign_id: str,
    ready: Collection[str],
    pilots: Callable[[], Collection[QueuedPilot]],
    names: Mapping[str, str],
    profile: ClusterProfile,
) -> str | None:
    """Say that no pilot is in the queue that takes what is ready.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    ready : collection of str
        Kinds of jobs that are ready.
    pilots : callable
        Asks the queue for its pilots; not called where nothing is ready.
    names : mapping of str to str
        Beginnings of the names of pilots, by kind.
    profile : ClusterProfile
        The cluster.

    Returns
    -------
    str or None
        One sentence; None where somebody comes, or nothing is ready.

    Raises
    ------
    StoreError
        If the queue does not answer.
    """
    if not ready:
        return None
    some_run_anywhere = any(load_resource_kind(kind).runs_anywhere for kind in ready)
    takers = {
        kind
        for kind in resource_kinds()
        if kind in ready or (some_run_anywhere and profile.packing_of(kind).takes_analyses)
    }
    if any(pilot.name.startswith(names[kind]) for pilot in pilots() for kind in takers):
        return None
    return (
        f"jobs are ready and no pilot is in the queue for them: `superion campaign resume {campaign_id}` hands pilots "
        "in, with --once in one pass"
    )
