"""From the states of jobs to where a unit stands."""

from __future__ import annotations

from typing import Literal

from jobflow_remote.jobs.state import JobState

from ..first_failures import first_failures
from ..queue_engine import QueuedUnit, RunningJob, UnitPhase
from .deaths import remedy_for
from .reasons import reason_of
from .records import JobRecord, UnitRecord

Outlook = Literal["ended", "open", "lost", "stopped"]
"""ended well; may still run; never will without help; taken back."""

IN_HAND = frozenset({JobState.RUNNING, JobState.BATCH_RUNNING, JobState.RUN_FINISHED, JobState.DOWNLOADED})
"""States of jobs that a worker has, or whose results are on their way."""

_BROKEN = frozenset({JobState.FAILED, JobState.REMOTE_ERROR})
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
        that it waits for are lost, even if it has ended with nothing to go on.
    """
    latest = unit.latest
    found: dict[str, Outlook] = {uuid: _own_outlook(unit, job) for uuid, job in latest.items()}
    changed = True
    while changed:
        changed = False
        for uuid, job in latest.items():
            if found[uuid] != "lost" and waits_in_vain(job, found):
                found[uuid] = "lost"
                changed = True
    return found


def waits_in_vain(job: JobRecord, found: dict[str, Outlook]) -> bool:
    """Say whether a job will never get what it needs, or has ended without any of it.

    Parameters
    ----------
    job : JobRecord
        The job.
    found : dict of str to str
        Outlooks of all jobs of its unit.

    Returns
    -------
    bool
        True if it waits and one of its parents is lost; for a job that takes missing inputs, if all of them are.
    """
    lost = [found.get(parent) == "lost" for parent in job.parents]
    if not any(lost) or job.state not in (JobState.WAITING, JobState.COMPLETED):
        return False
    return all(lost) if job.is_tolerant else job.state is JobState.WAITING


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
        return QueuedUnit(
            unit.stage_key,
            "finished",
            unit.flow_uuid,
            n_jobs=n_jobs,
            n_finished=n_jobs,
            stage=unit.stage,
            label=unit.material,
        )
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
        stage=unit.stage,
        label=unit.material,
    )


def _phase(unit: UnitRecord) -> UnitPhase:
    latest = unit.latest
    found = outlooks(unit)
    last = latest.get(unit.last_job)
    if last is not None and found[last.uuid] == "ended" and not _has_more_to_do(unit, found):
        return "finished"
    states = {job.state for job in latest.values()}
    if unit.is_cancelled or states & _TAKEN_BACK:
        return "cancelled"
    if found.get(unit.last_job) == "lost":
        return "failed"
    if states & IN_HAND:
        return "running"
    return "paused" if JobState.PAUSED in states else "queued"


def _has_more_to_do(unit: UnitRecord, found: dict[str, Outlook]) -> bool:
    """Say whether jobs will run still, as those that the last one itself asked for."""
    return any(found[uuid] == "open" and job.state not in _BROKEN for uuid, job in unit.latest.items())


def _own_outlook(unit: UnitRecord, job: JobRecord) -> Outlook:
    if job.state is JobState.COMPLETED:
        return "ended"
    if job.state in _TAKEN_BACK:
        return "stopped"
    if job.state in _BROKEN:
        return "open" if remedy_for(job, unit.put_back.get(job.uuid, 0)) else "lost"
    return "open"


def _reason(unit: UnitRecord) -> str:
    """Find the first failure, from which the others follow."""
    for job in first_broken(unit):
        return reason_of(job)
    return "its last job cannot run"


def first_broken(unit: UnitRecord) -> list[JobRecord]:
    """Choose the jobs that failed by themselves, not for want of what another one gives.

    Parameters
    ----------
    unit : UnitRecord
        The unit.

    Returns
    -------
    list of JobRecord
        In the order of submission.
    """
    latest = unit.latest
    broken = [job.uuid for job in unit.jobs if job.state in _BROKEN and job == latest[job.uuid]]
    return [latest[uuid] for uuid in first_failures(broken, {uuid: job.parents for uuid, job in latest.items()})]


def _running(job: JobRecord) -> RunningJob:
    return RunningJob(job.uuid, job.name, job.db_id, queue_id=job.process_id, started_at=job.started_at)
