"""Finding jobs whose pilot is gone: by the queue, by the signs of life of pilots, and by FireWorks' own pings."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fireworks import LaunchPad

from ..queue_engine import RecoveryReport
from .halves import find_halves, remove_halves
from .lost_jobs import EXCEPTION, give_back, met_full_disk, put_back_launches, was_cut_off
from .marks import of_campaign
from .parking import reconcile
from .pilot_place import PilotPlace, alive_file
from .queue_listing import QueuedPilot
from .stale_locks import unlock_stale

SILENCES = 5
"""Signs of life that a pilot may miss before it counts as dead."""

SILENCES_OF_GONE = 2
"""The same, for a pilot that the queue does not know any more."""

_LAUNCH_FIELDS = {"_id": 0, "launch_id": 1, "fw_id": 1, "launch_dir": 1, "state": 1, "state_history": 1, **EXCEPTION}
_FRESH_S = 10.0
"""Age in s below which a job is not judged: its pilot may be just about to end it."""


def recover_jobs(
    launchpad: LaunchPad, campaign_id: str, pilots: Collection[QueuedPilot] | None, heartbeat_s: float
) -> RecoveryReport:
    """Put back the jobs of a campaign that nobody works on any more.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.
    pilots : collection of QueuedPilot or None
        What the queue has; None where it could not be asked.
    heartbeat_s : float
        Time between two signs of life, in s.

    Returns
    -------
    RecoveryReport
        What was put back.
    """
    fields = {"nodes": 1, "state": 1, "fw_states": 1, "locked": 1, "updated_on": 1, "metadata.superion": 1}
    found = list(launchpad.workflows.find(of_campaign(campaign_id), fields))
    halves = find_halves(launchpad, found)
    removed = remove_halves(launchpad, halves, is_lost=lambda launch: _is_lost(launch, pilots, heartbeat_s))
    if unlock_stale(launchpad, found):
        # What a killed process locked is judged now, and not at the next search.
        found = list(launchpad.workflows.find(of_campaign(campaign_id), fields))
    # Who holds a lock is at work on it; and FireWorks would wait for minutes. With jobs missing, it would fail.
    by_half = {workflow["_id"] for workflow in halves}
    workflows = [workflow for workflow in found if not workflow.get("locked") and workflow["_id"] not in by_half]
    reconcile(launchpad, workflows)
    states = {int(fw_id): state for workflow in workflows for fw_id, state in workflow["fw_states"].items()}
    running = [fw_id for fw_id, state in states.items() if state == "RUNNING"]
    fizzled = [fw_id for fw_id, state in states.items() if state == "FIZZLED"]
    launches = list(launchpad.launches.find({"fw_id": {"$in": running + fizzled}}, _LAUNCH_FIELDS))
    lost = [launch for launch in launches if launch["state"] == "RUNNING" and _is_lost(launch, pilots, heartbeat_s)]
    put_back = put_back_launches(launchpad, lost, "its pilot was gone without a word")
    full = [launch for launch in launches if launch["fw_id"] in fizzled and met_full_disk(launch)]
    put_back += put_back_launches(launchpad, full, "the disk of its run folder is full")
    for launch in launches:
        if launch["fw_id"] in fizzled and was_cut_off(launch) and _is_last(launchpad, launch):
            give_back(launchpad, launch)
            put_back.append(launch["fw_id"])
    for fw_id in _stuck(launchpad, states):
        launchpad._refresh_wf(fw_id)
    names = {
        job["fw_id"]: job["name"]
        for job in launchpad.fireworks.find({"fw_id": {"$in": put_back}}, {"_id": 0, "fw_id": 1, "name": 1})
    }
    half_labels = [
        workflow["metadata"]["superion"]["label"]
        for workflow in halves
        if workflow["metadata"]["superion"]["stage_key"] in removed
    ]
    given_up = [launch for launch in [*lost, *full] if launch["fw_id"] not in put_back]
    return RecoveryReport(
        put_back=tuple(names[fw_id] for fw_id in put_back),
        left=(
            *(f"{label} had been handed over by half: it is handed over again" for label in half_labels),
            *(f"the worker of job {launch['fw_id']} died too often: it counts as failed" for launch in given_up),
        ),
    )


def _is_lost(launch: dict[str, Any], pilots: Collection[QueuedPilot] | None, heartbeat_s: float) -> bool:
    """Whether nobody works on a launch any more."""
    silent_s = min(_age_s(entry.get("updated_on") or entry["created_on"]) for entry in launch["state_history"])
    place = PilotPlace.of_launch(launch["launch_dir"])
    if place is None:
        # Some other launcher's: only FireWorks' pings tell.
        return silent_s > SILENCES * heartbeat_s
    if max(_age_s(entry["created_on"]) for entry in launch["state_history"]) < _FRESH_S:
        return False
    is_gone = pilots is not None and (place.name, place.queue_id) not in {(one.name, one.queue_id) for one in pilots}
    if is_gone:
        # A node that its controller gave up may still work: who shows signs of life keeps its job.
        return _silence_s(place.run_folder) > SILENCES_OF_GONE * heartbeat_s
    return silent_s > SILENCES * heartbeat_s and _silence_s(place.run_folder) > SILENCES * heartbeat_s


def _age_s(written: str | datetime) -> float:
    """Give the time since an instant that FireWorks wrote down."""
    instant = datetime.fromisoformat(written) if isinstance(written, str) else written
    return (datetime.now(UTC) - (instant if instant.tzinfo else instant.replace(tzinfo=UTC))).total_seconds()


def _silence_s(folder: Path) -> float:
    """Give the time since a pilot last said that it lives; for ever where its folder cannot be seen from here."""
    try:
        return time.time() - alive_file(folder).stat().st_mtime
    except OSError:
        return float("inf")


def _is_last(launchpad: LaunchPad, launch: dict[str, Any]) -> bool:
    """Whether a job has had no launch since."""
    job = launchpad.fireworks.find_one({"fw_id": launch["fw_id"]}, {"_id": 0, "launches": 1})
    return job is not None and job["launches"][-1:] == [launch["launch_id"]]


def _stuck(launchpad: LaunchPad, states: dict[int, str]) -> list[int]:
    """Find jobs that are over by their own document and not by their workflow's: the server went away in between.

    A job that changes in this moment is none of them: a worker may be taking it, and would find it taken from it.
    """
    open_ones = [fw_id for fw_id, state in states.items() if state in ("RUNNING", "READY", "WAITING", "RESERVED")]
    fields = {"_id": 0, "fw_id": 1, "state": 1, "launches": 1, "updated_on": 1}
    own = {
        job["fw_id"]: job
        for job in launchpad.fireworks.find({"fw_id": {"$in": open_ones}}, fields)
        if _age_s(job["updated_on"]) > _FRESH_S
    }
    launch_ids = [job["launches"][-1] for job in own.values() if job["launches"]]
    ended = {
        launch["fw_id"]
        for launch in launchpad.launches.find(
            {"launch_id": {"$in": launch_ids}, "state": {"$in": ["COMPLETED", "FIZZLED"]}}, {"_id": 0, "fw_id": 1}
        )
    }
    return [fw_id for fw_id, job in own.items() if job["state"] != states[fw_id] or fw_id in ended]
