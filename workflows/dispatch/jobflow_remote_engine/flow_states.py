"""Keeping the states of flows true after the states of many jobs were changed at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from jobflow_remote.jobs.jobcontroller import get_flow_leafs
from jobflow_remote.jobs.state import FlowState, JobState

from .connection import Queue

_AT_A_TIME = 1000


def refresh_flow_states(controller: Queue, flow_uuids: Sequence[str]) -> None:
    """Set the states of flows to what the states of their jobs say, in a few round trips.

    Parameters
    ----------
    controller : Queue
        The queue.
    flow_uuids : sequence of str
        The flows.
    """
    for start in range(0, len(flow_uuids), _AT_A_TIME):
        _refresh_some(controller, list(flow_uuids[start : start + _AT_A_TIME]))


def _refresh_some(controller: Queue, uuids: list[str]) -> None:
    flows = list(controller.flows.find({"uuid": {"$in": uuids}}, {"uuid": 1, "jobs": 1, "state": 1}))
    of_job = {job: flow["uuid"] for flow in flows for job in flow["jobs"]}
    jobs: dict[str, list[dict]] = defaultdict(list)
    fields = {"uuid": 1, "index": 1, "parents": 1, "state": 1}
    for job in controller.jobs.find({"uuid": {"$in": list(of_job)}}, fields):
        jobs[of_job[job["uuid"]]].append(job)
    by_state: dict[str, list[str]] = defaultdict(list)
    for flow in flows:
        own = jobs[flow["uuid"]]
        leafs = [JobState(job["state"]) for job in get_flow_leafs(own)] if own else []
        state = FlowState.from_jobs_states([JobState(job["state"]) for job in own], leafs).value
        if state != flow["state"]:
            by_state[state].append(flow["uuid"])
    now = datetime.now(UTC)
    for state, some in by_state.items():
        controller.flows.update_many({"uuid": {"$in": some}}, {"$set": {"state": state, "updated_on": now}})
