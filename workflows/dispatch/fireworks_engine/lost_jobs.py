"""Putting back jobs whose worker is gone, as often as that is reasonable."""

from __future__ import annotations

import errno
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fireworks import FWAction, LaunchPad

from .printed import queue_words

EXCEPTION = {"action.stored_data._exception": 1}
"""Field of a launch that tells why it failed."""

MAXIMUM_DEATHS = 3
"""How often a worker may die under the same job before the job counts as failed."""


_NO_FAULT = ("StoppedBySignal", "LockedTrajectoryError", "KeyboardInterrupt", "LeaveProcess", "StoreAwayError")
"""Errors after which a job is to run again: a signal; a trajectory that another, not quite dead, worker writes; an
allocation that was over before the first step; a store whose server is away."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoppedBySignal(BaseException):
    """A signal came while a job was in hand that cannot stop by itself; it goes back to the launchpad."""


def was_cut_off(launch: dict[str, Any]) -> bool:
    """Say whether a launch failed for a signal only.

    Parameters
    ----------
    launch : dict
        The launch, with the field `EXCEPTION`.

    Returns
    -------
    bool
        True where the job itself did nothing wrong.
    """
    return launch["state"] == "FIZZLED" and is_no_fault(_words_of(launch))


def is_no_fault(traceback: str) -> bool:
    """Say whether a traceback tells of nothing that the job did wrong.

    Parameters
    ----------
    traceback : str
        As Python printed it.

    Returns
    -------
    bool
        True for a signal, a trajectory that another worker writes, and a store whose server is away.
    """
    return any(name in traceback for name in _NO_FAULT)


def met_full_disk(launch: dict[str, Any]) -> bool:
    """Say whether a launch failed for lack of room on the disk.

    Parameters
    ----------
    launch : dict
        The launch, with the field `EXCEPTION`.

    Returns
    -------
    bool
        True for a full disk, an exhausted quota, and a file beyond the size allowed.
    """
    words = _words_of(launch)
    return launch["state"] == "FIZZLED" and any(f"[Errno {number}]" in words for number in _FULL)


def _words_of(launch: dict[str, Any]) -> str:
    stored = (launch.get("action") or {}).get("stored_data", {})
    return (stored.get("_exception") or {}).get("_stacktrace") or ""


def give_back(launchpad: LaunchPad, launch: dict[str, Any]) -> None:
    """Put back a job that was cut off through no fault of its own.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    launch : dict
        Its launch, with `launch_id`, `fw_id` and `state`.
    """
    job = launchpad.fireworks.find_one({"fw_id": launch["fw_id"]}, {"_id": 0, "launches": 1})
    # Somebody else may have put it back, and another worker taken it, meanwhile.
    if job is not None and job["launches"][-1:] == [launch["launch_id"]]:
        _rerun(launchpad, launch)


def _rerun(launchpad: LaunchPad, launch: dict[str, Any]) -> None:
    """Put a job back at once: a coordinator must not see it as failed in between."""
    launchpad.rerun_fw(launch["fw_id"])
    launchpad.launches.update_one(
        {"launch_id": launch["launch_id"], "state": "RUNNING"}, {"$set": {"state": "FIZZLED"}}
    )


def put_back_launches(launchpad: LaunchPad, launches: list[dict[str, Any]], why: str) -> list[int]:
    """Put the jobs of launches back, or let them fail where their workers die again and again.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    launches : list of dict
        Launches that run, or that a full disk ended, with `launch_id` and `fw_id`; where they have `launch_dir`, what
        the queue says of the last allocation is told, too.
    why : str
        What became of the worker, as a part of a sentence.

    Returns
    -------
    list of int
        Numbers of the jobs that will run again.
    """
    put_back = []
    for launch in launches:
        job = launchpad.fireworks.find_one(
            {"fw_id": launch["fw_id"]}, {"_id": 0, "state": 1, "launches": 1, "archived_launches": 1}
        )
        if job is None or job["state"] not in ("RUNNING", "FIZZLED") or job["launches"][-1:] != [launch["launch_id"]]:
            # Over, or taken again, in this very moment.
            continue
        deaths = launchpad.launches.count_documents(
            {"launch_id": {"$in": job.get("archived_launches", [])}, "superion.lost": True}
        )
        if deaths + 1 < MAXIMUM_DEATHS:
            launchpad.launches.update_one({"launch_id": launch["launch_id"]}, {"$set": {"superion": {"lost": True}}})
            _rerun(launchpad, launch)
            put_back.append(launch["fw_id"])
            continue
        words = f"superion.errors.SuperionError: {why}, {deaths + 1} times in all"
        if said := queue_words(launch.get("launch_dir")):
            words += f" ({said})"
        action = FWAction(stored_data={"_exception": {"_stacktrace": words}}, exit=True)
        launchpad.complete_launch(launch["launch_id"], action, "FIZZLED")
    return put_back


def forget_deaths(launchpad: LaunchPad, fw_ids: Collection[int]) -> None:
    """Give jobs all their lives again.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    fw_ids : collection of int
        Jobs.
    """
    launchpad.launches.update_many(
        {"fw_id": {"$in": list(fw_ids)}, "superion.lost": True}, {"$set": {"superion.lost": False}}
    )


def put_back_jobs_below(launchpad: LaunchPad, folder: Path, why: str) -> list[int]:
    """Put back the jobs that run in folders below one.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    folder : Path
        Folder of a worker.
    why : str
        What became of it.

    Returns
    -------
    list of int
        Numbers of the jobs that will run again.
    """
    names = [str(path) for path in folder.glob("launch-*")]
    running = {"state": "RUNNING", "launch_dir": {"$in": names}}
    fields = {"_id": 0, "launch_id": 1, "fw_id": 1, "launch_dir": 1}
    return put_back_launches(launchpad, list(launchpad.launches.find(running, fields)), why)
