"""Taking units back, holding them, and letting them go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from jobflow_remote.jobs.batch import RemoteBatchManager
from jobflow_remote.jobs.data import get_reset_job_base_dict
from jobflow_remote.jobs.state import JobState

from ....errors import StoreError
from .connection import Queue
from .flow_states import refresh_flow_states
from .hosts import Hosts
from .queue_view import cancel_in_queue, strangers
from .records import MARK, JobRecord, UnitRecord, load_units
from .run_job import STOP_FILE
from .states import first_broken, standing

_WAITING = (JobState.READY, JobState.WAITING)
_PREPARED = (JobState.CHECKED_OUT, JobState.UPLOADED)
_HELD = (JobState.PAUSED, JobState.STOPPED, JobState.USER_STOPPED)
_UNDER_WAY = (
    JobState.CHECKED_OUT,
    JobState.UPLOADED,
    JobState.SUBMITTED,
    JobState.RUNNING,
    JobState.BATCH_SUBMITTED,
    JobState.BATCH_RUNNING,
    JobState.RUN_FINISHED,
    JobState.DOWNLOADED,
)


def cancel_units(controller: Queue, hosts: Hosts, campaign_id: str, stage_keys: Collection[str] | None) -> int:
    """Take units back; running jobs are asked to write their checkpoints and stop.

    Parameters
    ----------
    controller : Queue
        The queue.
    hosts : Hosts
        Connections to the workers' hosts.
    campaign_id : str
        The campaign. Units that another campaign wants, too, are only let go of.
    stage_keys : collection of str or None
        Which; None for all.

    Returns
    -------
    int
        Number of units taken back.
    """
    units = [
        unit
        for unit in load_units(controller, campaign_id, stage_keys)
        if standing(unit).phase in ("queued", "running", "paused", "failed")
    ]
    shared = [unit.stage_key for unit in units if len(unit.campaign_ids) > 1]
    if shared:
        controller.flows.update_many(
            {f"{MARK}.stage_key": {"$in": shared}}, {"$pull": {f"{MARK}.campaign_ids": campaign_id}}
        )
    own = [unit for unit in units if len(unit.campaign_ids) <= 1]
    if not own:
        return len(shared)
    flows = [unit.flow_uuid for unit in own]
    # The mark comes first: from here on nobody puts a job of these units back.
    controller.flows.update_many({"uuid": {"$in": flows}}, {"$set": {f"{MARK}.is_cancelled": True}})
    _set_states(controller, own, _WAITING, JobState.PAUSED)
    under_way = [job for unit in own for job in unit.jobs if job.state in _UNDER_WAY]
    for worker, jobs in _by_worker(under_way).items():
        _stop_jobs(hosts, worker, jobs)
    _set_states(controller, own, _UNDER_WAY, JobState.USER_STOPPED)
    refresh_flow_states(controller, flows)
    return len(units)


def pause_units(controller: Queue, hosts: Hosts, campaign_id: str) -> int:
    """Keep what waits from starting; running jobs go on, and so does what the cluster's own queue has already.

    The runner prepares every job that could start, so most of those that wait have left the state READY.

    Parameters
    ----------
    controller : Queue
        The queue.
    hosts : Hosts
        Connections to the workers' hosts.
    campaign_id : str
        The campaign.

    Returns
    -------
    int
        Number of units that are held.

    Raises
    ------
    StoreError
        If the host of a worker cannot be reached.
    """
    held = (*_WAITING, *_PREPARED, JobState.BATCH_SUBMITTED)
    units = [unit for unit in load_units(controller, campaign_id) if _has(unit, held) and not unit.is_cancelled]
    _set_states(controller, units, (*_WAITING, *_PREPARED), JobState.PAUSED)
    in_batch = [job for unit in units for job in unit.jobs if job.state is JobState.BATCH_SUBMITTED]
    for worker, jobs in _by_worker(in_batch).items():
        taken_back = _take_out_of_batch(hosts, worker, jobs)
        query = {"uuid": {"$in": [job.uuid for job in taken_back]}, "state": JobState.BATCH_SUBMITTED.value}
        controller.jobs.update_many(query, {"$set": {"state": JobState.PAUSED.value}})
    refresh_flow_states(controller, [unit.flow_uuid for unit in units])
    return len(units)


def resume_units(controller: Queue, campaign_id: str) -> int:
    """Let paused units start.

    Parameters
    ----------
    controller : Queue
        The queue.
    campaign_id : str
        The campaign.

    Returns
    -------
    int
        Number of units.
    """
    units = [
        unit for unit in load_units(controller, campaign_id) if _has(unit, (JobState.PAUSED,)) and not unit.is_cancelled
    ]
    _let_go_on(controller, units, (JobState.PAUSED,))
    return len(units)


def retry_units(controller: Queue, campaign_id: str, stage_keys: Collection[str]) -> int:
    """Let failed or cancelled units go on; jobs that ended well are kept, and so are checkpoints.

    Parameters
    ----------
    controller : Queue
        The queue.
    campaign_id : str
        The campaign.
    stage_keys : collection of str
        Which.

    Returns
    -------
    int
        Number of units.

    Raises
    ------
    StoreError
        If jobflow-remote refuses to run a job of them again.
    """
    units = [
        unit
        for unit in load_units(controller, campaign_id, stage_keys)
        if standing(unit).phase in ("failed", "cancelled")
    ]
    if not units:
        return 0
    controller.flows.update_many(
        {"uuid": {"$in": [unit.flow_uuid for unit in units]}},
        {"$unset": {f"{MARK}.put_back": "", f"{MARK}.retried": "", f"{MARK}.is_cancelled": ""}},
    )
    _let_go_on(controller, units, _HELD)
    for unit in units:
        _rerun_failed(controller, unit)
    return len(units)


def _rerun_failed(controller: Queue, unit: UnitRecord) -> None:
    """Run the jobs again that failed by themselves; those that failed for them wait for them again."""
    for job in first_broken(unit):
        try:
            controller.rerun_job(db_id=job.db_id, force=True, delete_files=False)
        except Exception as error:
            # Its errors are ValueErrors and those of locks.
            raise StoreError(
                f"The job {job.db_id} ({job.name} of {unit.label}) cannot run again: {' '.join(str(error).split())}"
            ) from error
    # jobflow-remote itself finds those only that were there when the unit was submitted, or replaced a job.
    below = {job.db_id for job in unit.latest.values()} - {job.db_id for job in first_broken(unit)}
    query = {"db_id": {"$in": sorted(below)}, "state": {"$in": [JobState.FAILED.value, JobState.REMOTE_ERROR.value]}}
    controller.jobs.update_many(query, {"$set": get_reset_job_base_dict() | {"state": JobState.WAITING.value}})
    refresh_flow_states(controller, [unit.flow_uuid])


def _let_go_on(controller: Queue, units: list[UnitRecord], held: Iterable[JobState]) -> None:
    """Let held jobs wait again, and those start that have all they need."""
    _set_states(controller, units, held, JobState.WAITING)
    uuids = [job.uuid for unit in units for job in unit.jobs]
    for start in range(0, len(uuids), 10_000):
        controller.refresh_children(uuids[start : start + 10_000])
    refresh_flow_states(controller, [unit.flow_uuid for unit in units])


def _set_states(controller: Queue, units: list[UnitRecord], before: Iterable[JobState], after: JobState) -> None:
    uuids = [job.uuid for unit in units for job in unit.jobs]
    query: dict[str, Any] = {"uuid": {"$in": uuids}, "state": {"$in": [state.value for state in before]}}
    if after is JobState.PAUSED:
        # The runner has these in its hands now; it would write its own state over ours.
        query["lock_id"] = None
    if uuids:
        controller.jobs.update_many(query, {"$set": {"state": after.value}})


def _stop_jobs(hosts: Hosts, worker: str, jobs: list[JobRecord]) -> None:
    """Ask jobs on a worker to stop: by a file, wherever they run, and through the queue."""
    hosts.touch(worker, [job.run_dir for job in jobs if job.run_dir], STOP_FILE)
    if hosts.worker(worker).batch is not None:
        # What an allocation has taken already is told by the stop file.
        _take_out_of_batch(hosts, worker, jobs)
        return
    folders = {job.process_id: job.run_dir for job in jobs if job.process_id and job.run_dir}
    ours = set(folders) - strangers(hosts, worker, folders)
    cancel_in_queue(hosts, worker, sorted(ours))


def _take_out_of_batch(hosts: Hosts, worker: str, jobs: list[JobRecord]) -> list[JobRecord]:
    """Take jobs back that no allocation has taken yet; give them."""
    taken_back = []
    with hosts.reaching(worker) as host:
        manager = RemoteBatchManager(host, hosts.batch_of(worker).jobs_handle_dir)
        there = set(manager.get_submitted())
        for job in jobs:
            name = f"{job.uuid}_{job.index}"
            if name not in there:
                continue
            try:
                host.remove(manager.submitted_dir / name)
            except OSError:
                # An allocation took it in this instant.
                continue
            taken_back.append(job)
    return taken_back


def _by_worker(jobs: Iterable[JobRecord]) -> dict[str, list[JobRecord]]:
    found: dict[str, list[JobRecord]] = defaultdict(list)
    for job in jobs:
        found[job.worker].append(job)
    return found


def _has(unit: UnitRecord, states: Iterable[JobState]) -> bool:
    return any(job.state in states for job in unit.jobs)
