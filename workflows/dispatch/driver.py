"""The driver of a local run: gives jobs to workers, takes their outcomes in, and alone writes to the store."""

from __future__ import annotations

import contextlib
import json
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Literal

from jobflow import Flow, JobStore
from jobflow.core.reference import find_and_get_references
from monty.json import jsanitize

from ...dynamics.results import MdProgress
from ...makers.atomic_file import write_text_atomically
from ...makers.heartbeat import PROGRESS_FOLDER_VARIABLE
from .codec import decode_flow, decode_outcome, encode_flow
from .events import EventKind, JobRecord, LocalRunReport, RunEvent
from .job_graph import JobEntry, JobGraph
from .remaining_time import remaining_seconds
from .run_folder import RunFolder
from .worker_process import WorkerProcess

_POLL_S = 0.2
_MAXIMUM_ATTEMPTS = 2

GRACE_S = 120.0
"""Time that workers get to write their checkpoints when the run is stopped, in s."""

Watcher = Callable[[RunEvent], None]


def describe_store(store: JobStore) -> dict[str, Any] | None:
    """Give a store as plain data, to reopen it in another process.

    Parameters
    ----------
    store : JobStore
        The store.

    Returns
    -------
    dict or None
        None for one that lives and dies with this process.
    """
    if type(store.docs_store).__name__ == "MemoryStore":
        return None
    return jsanitize(store.as_dict(), strict=True)


@dataclass
class LocalDriver:
    """The state of one run while it is driven.

    Parameters
    ----------
    folder : RunFolder
        Where the run keeps what survives a kill.
    store : JobStore
        Where the outputs go.
    flow : Flow
        What runs.
    slots : list of dict
        Environment of each worker process.
    on_event : callable
        Told of everything that happens.
    lock : int
        Open file that holds the run's lock; workers inherit it.
    """

    folder: RunFolder
    store: JobStore
    flow: Flow
    slots: list[dict[str, str]]
    on_event: Watcher
    lock: int
    graph: JobGraph = field(init=False)
    workers: list[WorkerProcess | None] = field(init=False)
    progress: dict[str, MdProgress] = field(default_factory=dict)
    stop_signal: int | None = None
    started: float = field(default_factory=time.monotonic)
    _heartbeats: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = JobGraph(self.flow)
        self.workers = [None] * len(self.slots)

    # ---------------------------------------------------------------- the run

    def run(self) -> LocalRunReport:
        """Run until every job is over or a signal comes.

        Returns
        -------
        LocalRunReport
            How each job ended.
        """
        self._forget_failures()
        self._replay()
        self._tell("run_started", message=f"{len(self.slots)} worker processes")
        with self._catch_signals():
            try:
                while not self.graph.is_over and self.stop_signal is None:
                    self._start_ready_jobs()
                    self._wait()
                    self._collect()
                    self._read_heartbeats()
                if self.stop_signal is not None:
                    self._stop()
            finally:
                self._close_workers()
        report = self._report()
        self._tell("run_finished", message=report.state)
        # Last: every event before it writes the state of a run that goes on.
        self._write_status(report.state)
        return report

    def _forget_failures(self) -> None:
        """Let failed jobs, and what was computed without them, be computed anew."""
        failed = {path.stem.rsplit(".", 1)[0] for path in (self.folder.path / "failures").glob("*.json")}
        if not failed:
            return
        self._replay()
        outdated = self.graph.descendants(failed)
        for key in list(self.graph.entries):
            if key[0] in outdated:
                self.folder.outcome_file(key).unlink(missing_ok=True)
        # Last: until these are gone a kill here is harmless.
        for path in (self.folder.path / "failures").glob("*.json"):
            path.unlink()
        self.graph = JobGraph(decode_flow(self.folder.read_flow()))

    def _replay(self) -> None:
        """Take in the outcomes that are already there, in an order that the flow allows."""
        found = True
        while found:
            found = False
            for entry in self.graph.ready():
                if self.folder.outcome_file(entry.key).exists():
                    self._take_outcome(entry)
                    found = True
                elif (failure := self.folder.read_failure(entry.key)) is not None:
                    self.graph.fail(entry.key, failure["message"])
                    found = True

    # ------------------------------------------------------------------- jobs

    def _start_ready_jobs(self) -> None:
        """Give every idle worker a job, starting workers as they are needed."""
        if self.graph.stopped:
            return
        before = {key for key, entry in self.graph.entries.items() if entry.status == "skipped"}
        ready = self.graph.ready()
        for entry in self.graph.entries.values():
            if entry.status == "skipped" and entry.key not in before:
                self._tell("job_skipped", entry, entry.reason)
        for slot, worker in enumerate(self.workers):
            if not ready:
                break
            if worker is not None and worker.task is not None:
                continue
            entry = ready.pop(0)
            task = self._prepare(entry)
            if task is None:
                continue
            if worker is None or not worker.is_alive:
                worker = self._start_worker(slot)
            # A worker found dead here is replaced at the next round.
            if worker.assign(entry.key, task):
                entry.status = "running"
                entry.attempts += 1
                self._tell("job_started", entry)

    def _start_worker(self, slot: int) -> WorkerProcess:
        """Start a worker process in a slot."""
        previous = self.workers[slot]
        if previous is not None:
            previous.close()
        environment = self.slots[slot] | {PROGRESS_FOLDER_VARIABLE: str(self.folder.progress_folder)}
        worker = WorkerProcess(environment, (self.lock,), self.folder.path)
        self.workers[slot] = worker
        return worker

    def _prepare(self, entry: JobEntry) -> dict[str, Any] | None:
        """Write the job with its inputs resolved; None, and a failed job, where they cannot be."""
        job = deepcopy(entry.job)
        try:
            if job.config.resolve_references:
                job.resolve_args(self.store, wrap_resolved=job.config.resolve_references == "both")
                job.config.resolve_references = False
            text = encode_flow(job)
        except Exception as error:
            self._fail(entry, f"its inputs could not be prepared: {type(error).__name__}: {error}", "InputError")
            return None
        write_text_atomically(self.folder.task_file(entry.key), text, durable=False)
        return {
            "id": list(entry.key),
            "job": str(self.folder.task_file(entry.key)),
            "outcome": str(self.folder.outcome_file(entry.key)),
            "failure": str(self.folder.failure_file(entry.key)),
            "folder": str(self.folder.job_folder(entry.key, entry.job.name)),
            "log": str(self.folder.log_file(entry.key, entry.job.name)),
            "store": describe_store(self.store) if job.config.expose_store else None,
            "sys_path": [path for path in sys.path if path],
        }

    def _wait(self) -> None:
        """Sleep until a worker speaks, for a short while at most."""
        busy = [worker for worker in self.workers if worker is not None and worker.task is not None]
        if not busy:
            return
        with selectors.DefaultSelector() as selector:
            for worker in busy:
                selector.register(worker.output, selectors.EVENT_READ)
            selector.select(_POLL_S)

    def _collect(self) -> None:
        """Take in what workers finished, and notice those that died."""
        for slot, worker in enumerate(self.workers):
            if worker is None or worker.task is None:
                continue
            # Liveness first: an answer may arrive between the two questions.
            alive = worker.is_alive
            entry = self.graph.entries[worker.task]
            if worker.answers() or not alive:
                worker.task = None
                failed = self._settle(entry, worker)
                if failed or not alive:
                    # A fresh process after a failure: its memory may be what failed.
                    worker.close()
                    self.workers[slot] = None

    def _settle(self, entry: JobEntry, worker: WorkerProcess) -> bool:
        """Decide what became of a job whose worker answered or died; say whether it went wrong."""
        if self.folder.outcome_file(entry.key).exists():
            self._take_outcome(entry, announce=True)
            return False
        if (failure := self.folder.read_failure(entry.key)) is not None:
            self._fail(entry, failure["message"])
            return True
        if self.stop_signal is not None:
            entry.status = "waiting"
            return True
        if entry.attempts < _MAXIMUM_ATTEMPTS:
            entry.status = "waiting"
            self._tell("job_retried", entry, f"its process {worker.describe_exit()}; it is tried once more")
        else:
            self._fail(entry, f"its process {worker.describe_exit()}, {entry.attempts} times", "WorkerDied")
        return True

    def _take_outcome(self, entry: JobEntry, announce: bool = False) -> None:
        """Put a job's document into the store and its new jobs into the graph."""
        outcome = decode_outcome(self.folder.outcome_file(entry.key).read_text(encoding="utf-8"))
        known = None
        if not announce:
            known = self.store.query_one({"uuid": entry.key[0], "index": entry.key[1]}, ["uuid"])
        if known is None:
            self.store.update(outcome.document, key=["uuid", "index"], save=outcome.save)
        self.graph.complete(entry.key, outcome.response)
        if announce:
            self._tell("job_completed" if outcome.response.replace is None else "job_continued", entry)

    def _fail(self, entry: JobEntry, reason: str, kind: str | None = None) -> None:
        """Record a failed job, durably where its worker has not done so."""
        if kind is not None:
            record = {"type": kind, "message": reason, "is_superion_error": False}
            write_text_atomically(self.folder.failure_file(entry.key), json.dumps(record))
        self.graph.fail(entry.key, reason)
        self._tell("job_failed", entry, reason)

    # ---------------------------------------------------------------- the end

    @contextlib.contextmanager
    def _catch_signals(self) -> Iterator[None]:
        """Turn the first signal into a request to stop; the second one kills the workers."""

        def handle(signum: int, frame: FrameType | None) -> None:
            if self.stop_signal is not None:
                for worker in self.workers:
                    if worker is not None and worker.is_alive:
                        worker.process.kill()
            self.stop_signal = signum

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
        try:
            yield
        finally:
            for number, action in previous.items():
                signal.signal(number, action)

    def _stop(self) -> None:
        """Let the workers write their checkpoints and take in what they finish meanwhile."""
        busy = [worker for worker in self.workers if worker is not None and worker.task is not None]
        self._tell("run_stopping", message=f"waiting for {len(busy)} jobs to write their checkpoints")
        for worker in busy:
            worker.ask_to_stop()
        deadline = time.monotonic() + GRACE_S
        while any(worker is not None and worker.task is not None for worker in self.workers):
            if time.monotonic() > deadline:
                break
            self._wait()
            self._collect()

    def _close_workers(self) -> None:
        """End every worker process; idle ones leave by themselves."""
        living = [worker for worker in self.workers if worker is not None]
        for worker in living:
            if worker.task is None:
                worker.dismiss()
            else:
                worker.ask_to_stop()
        deadline = time.monotonic() + 5.0
        while any(worker.is_alive for worker in living) and time.monotonic() < deadline:
            time.sleep(0.02)
        for worker in living:
            worker.close()
        self.workers = [None] * len(self.slots)

    def _report(self) -> LocalRunReport:
        """Sum up how the jobs ended."""
        records = [self._record(entry) for entry in self.graph.entries.values()]
        state: Literal["completed", "failed", "stopped"]
        if self.stop_signal is not None and not self.graph.is_over:
            state = "stopped"
        elif all(entry.status == "completed" for entry in self.graph.entries.values()) or (
            self.graph.stopped and not any(entry.status == "failed" for entry in self.graph.entries.values())
        ):
            state = "completed"
        else:
            state = "failed"
        outputs = [] if self.flow.output is None else find_and_get_references(self.flow.output)
        return LocalRunReport(
            state=state,
            run_folder=self.folder.path,
            jobs=records,
            output_uuids=[reference.uuid for reference in outputs],
            elapsed_s=time.monotonic() - self.started,
            signal_name=None if self.stop_signal is None else signal.Signals(self.stop_signal).name,
        )

    def _record(self, entry: JobEntry) -> JobRecord:
        """Sum up one job."""
        broken = {other.job.uuid for other in self.graph.entries.values() if other.status in ("failed", "skipped")}
        log = self.folder.log_file(entry.key, entry.job.name)
        return JobRecord(
            uuid=entry.job.uuid,
            index=entry.job.index,
            name=entry.job.name,
            status=entry.status,
            reason=entry.reason,
            is_root_cause=entry.status == "failed" and not broken & set(entry.parents),
            log=log if log.exists() else None,
        )

    # ------------------------------------------------------------------- news

    def _read_heartbeats(self) -> None:
        """Pass on the progress of running trajectories."""
        for entry in self.graph.entries.values():
            if entry.status != "running":
                continue
            path = self.folder.progress_folder / f"{entry.job.uuid}.json"
            try:
                stamp = path.stat().st_mtime_ns
                if self._heartbeats.get(entry.job.uuid) == stamp:
                    continue
                beat = MdProgress.model_validate(json.loads(path.read_text(encoding="utf-8"))["progress"])
            except FileNotFoundError:
                continue
            self._heartbeats[entry.job.uuid] = stamp
            self.progress[entry.job.uuid] = beat
            self._tell("job_progress", entry, beat.message, beat)

    def _tell(
        self,
        kind: EventKind,
        entry: JobEntry | None = None,
        message: str = "",
        progress: MdProgress | None = None,
    ) -> None:
        """Send an event to the watcher and keep the readable status up to date."""
        entries = self.graph.entries.values()
        if kind != "job_progress":
            self._write_status("stopping" if self.stop_signal is not None else "running")
        self.on_event(
            RunEvent(
                kind=kind,
                job_uuid=None if entry is None else entry.job.uuid,
                job_index=1 if entry is None else entry.job.index,
                job_name="" if entry is None else entry.job.name,
                message=message,
                progress=progress,
                n_jobs=len(self.graph.entries),
                n_over=sum(other.is_over for other in entries),
                elapsed_s=time.monotonic() - self.started,
                remaining_s=remaining_seconds(entries, self.progress, len(self.slots)),
            )
        )

    def _write_status(self, state: str) -> None:
        """Write the summary that listings read."""
        jobs = [
            {"uuid": entry.job.uuid, "index": entry.job.index, "name": entry.job.name, "status": entry.status}
            | ({"reason": entry.reason} if entry.reason else {})
            for entry in self.graph.entries.values()
        ]
        status = {"state": state, "written_at": time.time(), "jobs": jobs}
        write_text_atomically(self.folder.status_file, json.dumps(status), durable=False)
