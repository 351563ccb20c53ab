"""Units as the launchpad has them, read in three queries however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fireworks import LaunchPad

from ..first_failures import first_failures
from ..queue_engine import QueuedUnit, RunningJob, UnitPhase
from .marks import of_campaign
from .pilot_place import PilotPlace
from .reasons import reason_of

_WORKFLOW_FIELDS = {"_id": 0, "state": 1, "fw_states": 1, "nodes": 1, "links": 1, "metadata": 1}
_JOB_FIELDS = {
    "_id": 0,
    "fw_id": 1,
    "name": 1,
    "state": 1,
    "launches": 1,
    "spec._tasks.job.uuid": 1,
    "spec._exception_details": 1,
}
_LAUNCH_FIELDS = {"_id": 0, "launch_id": 1, "host": 1, "launch_dir": 1, "state": 1, "state_history": 1}
_OVER = ("COMPLETED", "FIZZLED", "ARCHIVED", "DEFUSED")
_MAY_RUN = frozenset({"READY", "WAITING", "RESERVED", "RUNNING", "PAUSED"})


def read_units(launchpad: LaunchPad, campaign_id: str) -> dict[str, QueuedUnit]:
    """Read all units of a campaign.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.

    Returns
    -------
    dict of str to QueuedUnit
        By stage key; of several workflows with one key the newest.
    """
    workflows: dict[str, dict[str, Any]] = {}
    for workflow in launchpad.workflows.find(of_campaign(campaign_id), _WORKFLOW_FIELDS):
        key = workflow["metadata"]["superion"]["stage_key"]
        if key not in workflows or min(workflow["nodes"]) > min(workflows[key]["nodes"]):
            workflows[key] = workflow
    wanted = [
        int(fw_id)
        for workflow in workflows.values()
        for fw_id, state in workflow["fw_states"].items()
        if state in ("RUNNING", "FIZZLED")
    ]
    jobs = {job["fw_id"]: job for job in launchpad.fireworks.find({"fw_id": {"$in": wanted}}, _JOB_FIELDS)}
    last = {fw_id: job["launches"][-1] for fw_id, job in jobs.items() if job["launches"]}
    fields = {**_LAUNCH_FIELDS, "action.stored_data._exception": 1}
    launches = {
        entry["launch_id"]: entry
        for entry in launchpad.launches.find({"launch_id": {"$in": list(last.values())}}, fields)
    }
    by_job = {fw_id: launches[launch_id] for fw_id, launch_id in last.items() if launch_id in launches}
    return {key: _unit(key, workflow, jobs, by_job) for key, workflow in workflows.items()}


def _unit(
    key: str, workflow: dict[str, Any], jobs: dict[int, dict[str, Any]], launches: dict[int, dict[str, Any]]
) -> QueuedUnit:
    """Sum one workflow up."""
    states = {int(fw_id): state for fw_id, state in workflow["fw_states"].items()}
    running = tuple(
        _running_job(jobs[fw_id], launches.get(fw_id))
        for fw_id, state in states.items()
        if state == "RUNNING" and fw_id in jobs
    )
    phase = _phase(workflow, states)
    return QueuedUnit(
        stage_key=key,
        phase=phase,
        engine_id=str(min(states)),
        reason=_reason(workflow, states, jobs, launches) if phase == "failed" else None,
        n_jobs=len(states),
        n_finished=sum(state in _OVER for state in states.values()),
        running=running,
        stage=workflow["metadata"]["superion"].get("stage", ""),
        label=workflow["metadata"]["superion"].get("label", ""),
    )


def _phase(workflow: dict[str, Any], states: dict[int, str]) -> UnitPhase:
    """Say where a workflow stands."""
    parked = workflow["metadata"]["superion"].get("parked")
    if workflow["state"] in ("DEFUSED", "ARCHIVED"):
        return "cancelled"
    if not _MAY_RUN & set(states.values()):
        leaves = {fw_id for fw_id in states if not workflow["links"].get(str(fw_id))}
        return "failed" if leaves & _lost(states, parents_by_job(workflow["links"])) else "finished"
    if "RUNNING" in states.values():
        return "running"
    if parked is not None:
        return "cancelled" if parked == "cancelled" else "paused"
    if workflow["state"] == "PAUSED":
        return "paused"
    return "queued"


def _lost(states: Mapping[int, str], parents: Mapping[int, Iterable[int]]) -> set[int]:
    """Find the jobs that failed, and those that ended with nothing to go on: all that they waited for was lost."""
    lost = {fw_id for fw_id, state in states.items() if state == "FIZZLED"}
    found = lost
    while found:
        found = {fw_id for fw_id, above in parents.items() if fw_id not in lost and lost.issuperset(above)}
        lost |= found
    return lost


def _reason(
    workflow: dict[str, Any],
    states: dict[int, str],
    jobs: dict[int, dict[str, Any]],
    launches: dict[int, dict[str, Any]],
) -> str:
    """Give the words of the job that failed first, not of those that failed for it."""
    fizzled = sorted(fw_id for fw_id, state in states.items() if state == "FIZZLED")
    first = first_failures(fizzled, parents_by_job(workflow["links"]))[0]
    job = jobs.get(first)
    if job is None:
        return "one of its jobs failed"
    return f"{job['name']}: {reason_of(job, launches.get(first))}"


def parents_by_job(links: Mapping[str, Iterable[int]]) -> dict[int, set[int]]:
    """Turn the links of a workflow round.

    Parameters
    ----------
    links : mapping of str to iterable of int
        By number of a job, those that wait for it.

    Returns
    -------
    dict of int to set of int
        By number of a job, those that it waits for.

    Examples
    --------
    >>> parents_by_job({"1": [3], "2": [3], "3": []})
    {3: {1, 2}}
    """
    parents: defaultdict[int, set[int]] = defaultdict(set)
    for parent, children in links.items():
        for child in children:
            parents[child].add(int(parent))
    return dict(parents)


def _running_job(job: dict[str, Any], launch: dict[str, Any] | None) -> RunningJob:
    """Describe a job that a worker has in hand."""
    tasks = job["spec"].get("_tasks") or [{}]
    place = None if launch is None else PilotPlace.of_launch(launch["launch_dir"])
    return RunningJob(
        uuid=tasks[0].get("job", {}).get("uuid", ""),
        name=job["name"],
        engine_id=str(job["fw_id"]),
        queue_id=None if place is None else place.queue_id,
        host=None if launch is None else launch["host"],
        started_at=None if launch is None else _started_at(launch),
    )


def _started_at(launch: dict[str, Any]) -> float | None:
    """Read when a launch began to run."""
    for entry in launch["state_history"]:
        if entry["state"] == "RUNNING":
            return datetime.fromisoformat(entry["created_on"]).timestamp()
    return None
