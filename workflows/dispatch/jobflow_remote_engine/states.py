"""From the states of jobs to where a unit stands."""

from __future__ import annotations

from typing import Literal

from jobflow_remote.jobs.state import JobState

from ..queue_engine import QueuedUnit, RunningJob, UnitPhase
from .deaths import remedy_for
from .reasons import reason_of
from .records import JobRecord, UnitRecord

Outlook = Literal["ended", "open", "lost", "stopped"]
"""ended well; may still run; never will without help; taken back."""

IN_HAND = frozenset({JobState.RUNNING, JobState.BATCH_RUNNING, JobState.RUN_FINISHED, JobState.DOWNLOADED})
"""States of jobs that a worker has, or whose results are on their way."""

_TAKEN_BACK = frozenset({JobState.STOPPED, JobState.USER_STOPPED})


def outlooks(unit: UnitRecord) -> dict[str, Outlook]:
    """Say of each job of a unit whether it may still end well.

    Parameters
    ----------
    unit : UnitRecord
        The unit.

    Returns
    -------
    dict of str to str
        By uuid. A job is lost if it failed, or if it waits for a lost one: one that takes missing inputs only if all
        that it waits for are lost.
    """
    latest = unit.latest
    found: dict[str, Outlook] = {uuid: _own_outlook(unit, job) for uuid, job in latest.items()}
    changed = True
    while changed:
        changed = False
        for uuid, job in latest.items():
            if found[uuid] == "open" and job.state is JobState.WAITING and waits_in_vain(job, found):
                found[uuid] = "lost"
                changed = True
    return found


def waits_in_vain(job: JobRecord, found: dict[str, Outlook]) -> bool:
    """Say whether a waiting job will never get what it needs.

    Parameters
    ----------
    job : JobRecord
        The job.
    found : dict of str to str
        Outlooks of all jobs of its unit.

    Returns
    -------
    bool
        True if one of its parents is lost, or all of them for a job that takes missing inputs.
    """
    lost = [found.get(parent) == "lost" for parent in job.parents]
    return any(lost) and (not job.is_tolerant or all(lost))


def standing(unit: UnitRecord) -> QueuedUnit:
    """Say where a unit stands.

    Parameters
    ----------
    unit : UnitRecord
        The unit.

    Returns
    -------
    QueuedUnit
        Its phase, its reason where it failed, and the jobs in workers' hands.
    """
    n_finished = sum(job.state is JobState.COMPLETED for job in unit.jobs)
    if unit.flow_state == "COMPLETED":
        n_jobs = max(unit.n_jobs, len(unit.jobs))
        return QueuedUnit(unit.stage_key, "finished", unit.flow_uuid, n_jobs=n_jobs, n_finished=n_jobs)
    running = tuple(_running(job) for job in unit.jobs if job.state in IN_HAND)
    phase = _phase(unit)
    return QueuedUnit(
        unit.stage_key,
        phase,
        unit.flow_uuid,
        reason=_reason(unit) if phase == "failed" else None,
        n_jobs=unit.n_jobs,
        n_finished=n_finished,
        running=running if phase in ("running", "cancelled") else (),
    )


def _phase(unit: UnitRecord) -> UnitPhase:
    latest = unit.latest
    last = latest.get(unit.last_job)
    if last is not None and last.state is JobState.COMPLETED:
        return "finished"
    states = {job.state for job in latest.values()}
    if unit.is_cancelled or states & _TAKEN_BACK:
        return "cancelled"
    found = outlooks(unit)
    if found.get(unit.last_job) == "lost":
        return "failed"
    if states & IN_HAND:
        return "running"
    return "paused" if JobState.PAUSED in states else "queued"


def _own_outlook(unit: UnitRecord, job: JobRecord) -> Outlook:
    if job.state is JobState.COMPLETED:
        return "ended"
    if job.state in _TAKEN_BACK:
        return "stopped"
    if job.state in (JobState.FAILED, JobState.REMOTE_ERROR):
        return "open" if remedy_for(job, unit.put_back.get(job.uuid, 0)) else "lost"
    return "open"


def _reason(unit: UnitRecord) -> str:
    """Find the first failure, from which the others follow."""
    for job in unit.jobs:
        if job.state in (JobState.FAILED, JobState.REMOTE_ERROR) and job == unit.latest[job.uuid]:
            return reason_of(job)
    return "its last job cannot run"


def _running(job: JobRecord) -> RunningJob:
    return RunningJob(job.uuid, job.name, job.db_id, queue_id=job.process_id, started_at=job.started_at)
