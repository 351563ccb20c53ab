"""Finding jobs whose worker, runner or number in the queue is gone, and putting them back."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass, field

from jobflow_remote.jobs.batch import RemoteBatchManager
from jobflow_remote.jobs.data import get_reset_job_base_dict
from jobflow_remote.jobs.state import RUNNING_STATES, BatchState, JobState
from jobflow_remote.remote.data import get_job_path

from ....errors import StoreError
from ..queue_engine import RecoveryReport
from .connection import Queue
from .deaths import BATCHED, has_died, remedy_for
from .flow_states import refresh_flow_states
from .hosts import Hosts
from .locks import unlock_stale
from .queue_view import strangers
from .reasons import words_of
from .records import MARK, JobRecord, UnitRecord, load_units
from .runner import look_for_runner
from .states import outlooks, standing, waits_in_vain

SETTLING_S = 60.0
"""How long a state must have lasted before a file that is missing means anything."""

_IN_QUEUE = (JobState.SUBMITTED, JobState.RUNNING)
_IN_BATCH = (JobState.BATCH_SUBMITTED, JobState.BATCH_RUNNING)


@dataclass
class Recovery:
    """One search for lost jobs.

    Parameters
    ----------
    controller : Queue
        The queue.
    hosts : Hosts
        Connections to the workers' hosts.
    campaign_id : str
        The campaign.
    settling_s : float
        How long a state must have lasted before a file that is missing means anything, in s.
    """

    controller: Queue
    hosts: Hosts
    campaign_id: str
    settling_s: float = SETTLING_S
    put_back: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def run(self) -> RecoveryReport:
        """Look everywhere once.

        Returns
        -------
        RecoveryReport
            What was put back, and what somebody must look at.
        """
        units = [unit for unit in load_units(self.controller, self.campaign_id) if unit.flow_state != "COMPLETED"]
        self._unlock(units)
        self._remove_halves(units)
        open_units = [unit for unit in units if standing(unit).phase in ("queued", "running", "paused") and unit.jobs]
        for worker, pairs in self._by_worker(open_units).items():
            try:
                self._look_at_worker(worker, pairs)
            except StoreError as error:
                self.left.append(str(error))
        for unit in open_units:
            for job in unit.latest.values():
                remedy = remedy_for(job, unit.put_back.get(job.uuid, 0), unit.retried.get(job.uuid, 0))
                if remedy is not None:
                    self._help(unit, job, remedy)
                elif job.state is JobState.REMOTE_ERROR:
                    self._give_up(unit, job)
        self._release(open_units)
        return RecoveryReport(tuple(self.put_back), tuple(self.left))

    # ---------------------------------------------------------------- database

    def _unlock(self, units: list[UnitRecord]) -> None:
        flows = [unit.flow_uuid for unit in units]
        jobs = [job.uuid for unit in units for job in unit.jobs]
        unlock_stale(self.controller, look_for_runner(self.controller), flows, jobs)

    def _remove_halves(self, units: list[UnitRecord]) -> None:
        """Remove flows whose submitter died before all their jobs were written: they are submitted again."""
        now = time.time()
        halves = [
            unit
            for unit in units
            if len(unit.jobs) < unit.n_jobs
            and now - unit.created_at > self.settling_s
            and not any(job.state in RUNNING_STATES for job in unit.jobs)
        ]
        for unit in halves:
            flow = {"uuid": unit.flow_uuid, "lock_id": None}
            if not self.controller.flows.count_documents(flow):
                continue
            # The flow last: without it, nobody would find the jobs.
            self.controller.jobs.delete_many({"uuid": {"$in": [job.uuid for job in unit.jobs]}})
            if self.controller.flows.delete_one(flow).deleted_count:
                self.put_back.append(unit.label)

    def _help(self, unit: UnitRecord, job: JobRecord, remedy: str) -> None:
        """Put one job back by jobflow-remote's own means; its files stay."""
        if any(job.uuid in other.parents and other.state in RUNNING_STATES for other in unit.latest.values()):
            # What waited for it was content without it and runs: it decides.
            return
        try:
            if remedy == "retry":
                self.controller.retry_job(db_id=job.db_id)
            else:
                self.controller.rerun_job(db_id=job.db_id, delete_files=False, force=True)
        except Exception as error:
            # Locks and states change under us; the next search sees more.
            self.left.append(f"{job.name} of {unit.label} could not be put back: {' '.join(str(error).split())}")
            return
        if remedy == "retry":
            self._count(unit, job, "retried")
            self.left.append(
                f"{job.name} of {unit.label} did not get through ({words_of(job.error)}): its last step is taken again"
            )
            return
        self._count(unit, job)
        self.put_back.append(f"{job.name} of {unit.label}")

    def _give_up(self, unit: UnitRecord, job: JobRecord) -> None:
        """Let a job that died too often count as failed: what takes missing inputs goes on without it."""
        times = unit.put_back.get(job.uuid, 0) + 1
        died = has_died(job) or job.previous_state in BATCHED
        words = f"it died {times} times without a word" if died else words_of(job.error)
        query = {"db_id": job.db_id, "state": JobState.REMOTE_ERROR.value, "lock_id": None}
        change = {"$set": {"state": JobState.FAILED.value, "error": words}}
        if self.controller.jobs.update_one(query, change).modified_count:
            self.controller.refresh_children([one.uuid for one in unit.jobs])
            refresh_flow_states(self.controller, [unit.flow_uuid])
            self.left.append(f"{job.name} of {unit.label} was given up: {words}")

    def _count(self, unit: UnitRecord, job: JobRecord, what: str = "put_back") -> None:
        self.controller.flows.update_one({"uuid": unit.flow_uuid}, {"$inc": {f"{MARK}.{what}.{job.uuid}": 1}})

    def _release(self, units: list[UnitRecord]) -> None:
        """Let jobs that take missing inputs run though a job between them and the failure never can.

        jobflow-remote leaves a job that waits for a failed one waiting for ever, and with it all that wait for it.
        """
        changed = []
        for unit in units:
            found = outlooks(unit)
            vain = [job for job in unit.latest.values() if job.state is JobState.WAITING and waits_in_vain(job, found)]
            if not vain or found.get(unit.last_job) == "lost":
                continue
            failed = next((job for job in unit.jobs if job.state is JobState.FAILED), None)
            words = f"it needs the output of {failed.name}, which failed" if failed else "a job before it failed"
            self.controller.jobs.update_many(
                {"db_id": {"$in": [job.db_id for job in vain]}, "state": JobState.WAITING.value},
                {"$set": {"state": JobState.FAILED.value, "error": words}},
            )
            changed.append(unit)
        if changed:
            self.controller.refresh_children([job.uuid for unit in changed for job in unit.jobs])
            refresh_flow_states(self.controller, [unit.flow_uuid for unit in changed])

    # ----------------------------------------------------------------- workers

    def _by_worker(self, units: list[UnitRecord]) -> dict[str, list[tuple[UnitRecord, JobRecord]]]:
        pairs: dict[str, list[tuple[UnitRecord, JobRecord]]] = defaultdict(list)
        for unit in units:
            for job in unit.latest.values():
                if job.state in (*_IN_QUEUE, *_IN_BATCH):
                    pairs[job.worker].append((unit, job))
        return pairs

    def _look_at_worker(self, worker: str, pairs: list[tuple[UnitRecord, JobRecord]]) -> None:
        """Compare what the database says of a worker's jobs with its queue and folders."""
        batch = self.hosts.worker(worker).batch
        if batch is None:
            folders = {job.process_id: job.run_dir for _, job in pairs if job.process_id and job.run_dir}
            alien = strangers(self.hosts, worker, folders)
            for unit, job in pairs:
                if job.process_id in alien:
                    self._reset(unit, job, f"the queue gave its number {job.process_id} to another job")
            return
        self._look_at_batches(worker)
        self._look_for_lost_batch_jobs(worker, pairs)

    def _look_at_batches(self, worker: str) -> None:
        """Find allocations whose number is somebody else's now; the runner would wait for them for ever."""
        states = [BatchState.SUBMITTED, BatchState.RUNNING]
        batches = self.controller.get_batches(worker=worker, batch_state=states)
        base = self.hosts.batch_of(worker).work_dir
        folders = {one.process_id: get_job_path(one.batch_uid, None, base) for one in batches}
        for number in strangers(self.hosts, worker, folders):
            for one in batches:
                if one.process_id == number:
                    self.controller.set_finished_batch_process(one.batch_uid)
                    self.put_back.append(f"allocation {number} of {worker}")

    def _look_for_lost_batch_jobs(self, worker: str, pairs: list[tuple[UnitRecord, JobRecord]]) -> None:
        """Find jobs that no file of the batch worker knows, or whose allocation has ended."""
        before = time.time() - self.settling_s
        waiting = [(unit, job) for unit, job in pairs if (job.updated_at or 0.0) < before]
        if not waiting:
            return
        with self.hosts.reaching(worker) as host:
            manager = RemoteBatchManager(host, self.hosts.batch_of(worker).jobs_handle_dir)
            submitted = set(manager.get_submitted())
            running = {f"{uuid}_{index}": batch for uuid, index, batch in manager.get_running()}
            finished = {f"{uuid}_{index}" for uuid, index, _ in manager.get_run_finished()}
        states = [BatchState.SUBMITTED, BatchState.RUNNING]
        alive = {one.batch_uid for one in self.controller.get_batches(worker=worker, batch_state=states)}
        for unit, job in waiting:
            key = f"{job.uuid}_{job.index}"
            if key in submitted or key in finished or running.get(key) in alive:
                continue
            # A job that ended meanwhile has another state by now, and is left alone.
            self._reset(unit, job, "no allocation has it any more")
            if key in running:
                # The runner may have removed it meanwhile.
                with contextlib.suppress(FileNotFoundError), self.hosts.reaching(worker):
                    manager.delete_running(running[key])

    def _reset(self, unit: UnitRecord, job: JobRecord, why: str) -> None:
        """Make a job ready again without touching the queue, where its number may be somebody else's."""
        query = {"db_id": job.db_id, "state": job.state.value}
        with self.controller.lock_job(filter=query, projection=["db_id"]) as lock:
            if not lock.locked_document:
                return
            lock.update_on_release = {
                "$set": get_reset_job_base_dict() | {"state": JobState.READY.value, "remote.process_id": None}
            }
        self._count(unit, job)
        self.put_back.append(f"{job.name} of {unit.label} ({why})")
