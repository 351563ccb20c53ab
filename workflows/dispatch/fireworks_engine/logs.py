"""What the jobs of a unit printed, or how they failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fireworks import LaunchPad

from ..queue_engine import JobLog
from .marks import STAGE_KEY, of_campaign
from .pilot_place import PilotPlace
from .printed import queue_output, worker_output


def read_logs(launchpad: LaunchPad, campaign_id: str, stage_key: str) -> list[JobLog]:
    """Read the logs of a unit's jobs.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    campaign_id : str
        The campaign.
    stage_key : str
        Key of the unit.

    Returns
    -------
    list of JobLog
        Failed jobs first, then running ones, then the others.
    """
    unit = {**of_campaign(campaign_id), STAGE_KEY: stage_key}
    nodes: list[int] = []
    for workflow in launchpad.workflows.find(unit, {"_id": 0, "nodes": 1}):
        nodes += workflow["nodes"]
    job_fields = {"_id": 0, "fw_id": 1, "name": 1, "state": 1, "launches": 1, "archived_launches": 1}
    jobs = list(launchpad.fireworks.find({"fw_id": {"$in": nodes}}, job_fields))
    # A job that was put back tells what became of its last worker.
    last = {job["fw_id"]: launch_ids[-1] for job in jobs if (launch_ids := _launch_ids(job))}
    fields = {"_id": 0, "launch_id": 1, "host": 1, "launch_dir": 1, "action.stored_data._exception": 1}
    launches = {
        entry["launch_id"]: entry
        for entry in launchpad.launches.find({"launch_id": {"$in": list(last.values())}}, fields)
    }
    order = {"FIZZLED": 0, "RUNNING": 1}
    jobs.sort(key=lambda job: (order.get(job["state"], 2), job["fw_id"]))
    return [_log(job, launches.get(last.get(job["fw_id"]))) for job in jobs]


def _launch_ids(job: dict[str, Any]) -> list[int]:
    """List the launches of a job, the last one last."""
    return job["launches"] or sorted(job.get("archived_launches") or [])


def _log(job: dict[str, Any], launch: dict[str, Any] | None) -> JobLog:
    if launch is None:
        return JobLog(job["name"], str(job["fw_id"]), job["state"])
    folder = launch["launch_dir"]
    stored = (launch.get("action") or {}).get("stored_data", {})
    stack = (stored.get("_exception") or {}).get("_stacktrace")
    parts = [stack or worker_output(folder, job["fw_id"])]
    if job["state"] != "COMPLETED":
        parts.append(queue_output(folder))
    # What is printed lies in the worker's folder; that of the launch is empty, as a rule.
    place = folder if PilotPlace.of_launch(folder) is None else str(Path(folder).parent)
    text = "\n".join(part.rstrip("\n") for part in parts if part)
    return JobLog(job["name"], str(job["fw_id"]), job["state"], text, f"{launch['host']}:{place}")
