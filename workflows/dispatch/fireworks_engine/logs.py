"""What the jobs of a unit printed, or how they failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fireworks import LaunchPad

from ..queue_engine import JobLog
from .marks import STAGE_KEY, of_campaign
from .pilot_place import PilotPlace

_LAST_BYTES = 20_000


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
    job_fields = {"_id": 0, "fw_id": 1, "name": 1, "state": 1, "launches": 1}
    jobs = list(launchpad.fireworks.find({"fw_id": {"$in": nodes}}, job_fields))
    last = [job["launches"][-1] for job in jobs if job["launches"]]
    fields = {"_id": 0, "launch_id": 1, "host": 1, "launch_dir": 1, "action.stored_data._exception": 1}
    launches = {entry["launch_id"]: entry for entry in launchpad.launches.find({"launch_id": {"$in": last}}, fields)}
    order = {"FIZZLED": 0, "RUNNING": 1}
    jobs.sort(key=lambda job: (order.get(job["state"], 2), job["fw_id"]))
    return [_log(job, launches.get(job["launches"][-1]) if job["launches"] else None) for job in jobs]


def _log(job: dict[str, Any], launch: dict[str, Any] | None) -> JobLog:
    if launch is None:
        return JobLog(job["name"], str(job["fw_id"]), job["state"])
    stored = (launch.get("action") or {}).get("stored_data", {})
    stack = (stored.get("_exception") or {}).get("_stacktrace")
    text = stack or (_worker_log(launch["launch_dir"]) if job["state"] == "RUNNING" else "")
    return JobLog(job["name"], str(job["fw_id"]), job["state"], text or "", f"{launch['host']}:{launch['launch_dir']}")


def _worker_log(launch_folder: str) -> str:
    """Read the end of what the worker of a running job printed."""
    folder = Path(launch_folder).parent
    if PilotPlace.of_launch(launch_folder) is None:
        return ""
    try:
        with (folder / "log.txt").open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _LAST_BYTES))
            return log.read().decode(errors="replace")
    except OSError:
        return ""
