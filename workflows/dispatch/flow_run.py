"""One flow while it is driven: its folder, its graph, and what becomes of each job. It knows nothing of processes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from jobflow import Flow, JobStore
from jobflow.core.reference import find_and_get_references
from monty.json import jsanitize

from ...dynamics.results import MdProgress
from ...errors import StoreError, UnreadableRunError
from ...files import write_text_atomically
from ...runtime.heartbeat import RelaxationProgress, TrainingProgress, read_heartbeat
from .codec import JobOutcome, decode_flow, decode_outcome, encode_flow
from .events import EventKind, JobRecord, LocalRunReport, RunEvent
from .job_graph import JobEntry, JobGraph, JobKey
from .remaining_time import remaining_seconds
from .run_folder import RunFolder

MAXIMUM_ATTEMPTS = 2
"""How often a job is started whose process dies under it."""

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


def ignore_event(event: RunEvent) -> None:
    """Take no notice.

    Parameters
    ----------
    event : RunEvent
        What happened.
    """


@dataclass
class FlowRun:
    """The state of one flow while it is driven.

    Parameters
    ----------
    folder : RunFolder
        Where the run keeps what survives a kill.
    store : JobStore
        Where the outputs go.
    flow : Flow
        What runs.
    n_workers : int
        Processes that share the work, for the estimate of the time left.
    on_event : callable
        Told of everything that happens.
    on_outcome : callable or None
        Told of every document that went into the store, replayed ones included; raises UnreadableRunError for one
        that it cannot use, which is then set aside.
    """

    folder: RunFolder
    store: JobStore
    flow: Flow
    n_workers: int = 1
    on_event: Watcher = ignore_event
    on_outcome: Callable[[JobEntry, JobOutcome], None] | None = None
    graph: JobGraph = field(init=False)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    progress: dict[str, MdProgress] = field(default_factory=dict)
    is_stopping: bool = False
    given_up: str | None = None
    started: float = field(default_factory=time.monotonic)
    _heartbeats: dict[str, int] = field(default_factory=dict)
    _told_skipped: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.graph = JobGraph(self.flow)

    # --------------------------------------------------------------- beginning

    def open(self) -> None:
        """Take in what earlier drivers left: outcomes stay, failures are forgotten."""
        self._forget_failures()
        self._replay()
        self._told_skipped = {key for key, entry in self.graph.entries.items() if entry.status == "skipped"}

    def _forget_failures(self) -> None:
        """Let failed jobs, and what was computed without them, be computed anew."""
        failed = {_key_of(path.stem) for path in (self.folder.path / "failures").glob("*.json")}
        if not failed:
            return
        self._replay()
        for key in self.graph.descendants(failed):
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
                    try:
                        self._take_outcome(entry)
                    except UnreadableRunError as error:
                        self._set_outcome_aside(entry, str(error))
                    found = True
                elif (failure := self.folder.read_failure(entry.key)) is not None:
                    self.graph.fail(entry.key, failure["message"])
                    found = True

    # -------------------------------------------------------------------- jobs

    @property
    def is_over(self) -> bool:
        """Whether no job is running and none can start any more."""
        return not any(entry.status == "running" for entry in self.graph.entries.values()) and not self.ready()

    def ready(self) -> list[JobEntry]:
        """List the jobs that may start now, telling of those that never can.

        Returns
        -------
        list of JobEntry
            In the flow's order.
        """
        if self.graph.stopped:
            return []
        ready = self.graph.ready()
        if self.given_up is not None:
            for entry in ready:
                self._fail(entry, self.given_up, "GivenUp")
            ready = []
        for key, entry in self.graph.entries.items():
            if entry.status == "skipped" and key not in self._told_skipped:
                self._told_skipped.add(key)
                self.tell("job_skipped", entry, entry.reason)
        return ready

    def prepare(self, entry: JobEntry) -> dict[str, Any] | None:
        """Write a job with its inputs resolved.

        Parameters
        ----------
        entry : JobEntry
            A job that is ready.

        Returns
        -------
        dict or None
            What a worker needs to know; None, and a failed job, where the inputs cannot be had.
        """
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
            "progress": str(self.folder.progress_folder),
            "store": describe_store(self.store) if job.config.expose_store else None,
            "sys_path": [path for path in sys.path if path],
        }

    def give_up(self, reason: str) -> None:
        """Begin nothing more: all that is not over fails for this reason, what runs as soon as its worker ends.

        Parameters
        ----------
        reason : str
            One sentence.
        """
        self.given_up = reason

    def begin(self, entry: JobEntry) -> None:
        """Note that a worker has taken a job.

        Parameters
        ----------
        entry : JobEntry
            The job.
        """
        entry.status = "running"
        entry.attempts += 1
        self.tell("job_started", entry)

    def settle(self, entry: JobEntry, exit_words: Callable[[], str], answers: list[dict[str, Any]]) -> bool:
        """Decide what became of a job whose worker answered or died.

        Parameters
        ----------
        entry : JobEntry
            The job.
        exit_words : callable
            Says how the worker's process ended.
        answers : list of dict
            What the worker said.

        Returns
        -------
        bool
            Whether it went wrong.
        """
        # A quick job may have ended between two looks.
        self._read_heartbeat(entry)
        if self.folder.outcome_file(entry.key).exists():
            try:
                self._take_outcome(entry, announce=True)
            except (OSError, StoreError):
                # Ours to mend, and no fault of the job.
                raise
            except Exception as error:
                why = f"its outcome cannot be kept: {type(error).__name__}: {error}"
                place = self.folder.set_aside([self.folder.outcome_file(entry.key)], f"{entry.job.name}: {why}")
                self._fail(entry, f"{why}; it lies in {place}", "OutcomeError")
                return True
            return False
        # A full disk may have kept the worker from writing why it failed.
        told = next((answer["failure"] for answer in answers if answer.get("failure")), None)
        if (failure := self.folder.read_failure(entry.key) or told) is not None:
            self.failures[entry.job.uuid] = failure
            self._fail(entry, failure["message"])
            return True
        if self.given_up is not None:
            self._fail(entry, self.given_up, "GivenUp")
            return True
        if self.is_stopping:
            entry.status = "waiting"
            return True
        if entry.attempts < MAXIMUM_ATTEMPTS:
            entry.status = "waiting"
            self.tell("job_retried", entry, f"its process {exit_words()}; it is tried once more")
        else:
            self._fail(entry, f"its process {exit_words()}, {entry.attempts} times", "WorkerDied")
        return True

    def _take_outcome(self, entry: JobEntry, announce: bool = False) -> None:
        """Put a job's document into the store and its new jobs into the graph."""
        outcome = decode_outcome(self.folder.outcome_file(entry.key).read_bytes())
        known = None
        if not announce:
            known = self.store.query_one({"uuid": entry.key[0], "index": entry.key[1]}, ["uuid"])
        if known is None:
            self.store.update(outcome.document, key=["uuid", "index"], save=outcome.save)
        if self.on_outcome is not None:
            self.on_outcome(entry, outcome)
        # Last: a job whose outcome serves nobody is not over.
        self.graph.complete(entry.key, outcome.response)
        if announce:
            self.tell("job_completed" if outcome.response.replace is None else "job_continued", entry)

    def _set_outcome_aside(self, entry: JobEntry, why: str) -> None:
        """Move an unreadable outcome out of the way, and those of jobs that worked with it: they all run again."""
        uuid, index = entry.key
        below = self.graph.descendants({entry.key})
        paths = [
            path
            for key, path in self.folder.outcome_files().items()
            if key in below or (key[0] == uuid and key[1] >= index)
        ]
        place = self.folder.set_aside(paths, f"{entry.job.name}: {why}")
        self.tell("outcome_set_aside", entry, f"{why.rstrip('.')}; it was moved to {place}, and the job runs again")

    def _fail(self, entry: JobEntry, reason: str, kind: str | None = None) -> None:
        """Record a failed job, durably where its worker has not done so."""
        if kind is not None:
            record = {"type": kind, "message": reason, "is_superion_error": False, "is_disk_full": False}
            self.failures[entry.job.uuid] = record
            write_text_atomically(self.folder.failure_file(entry.key), json.dumps(record))
        self.graph.fail(entry.key, reason)
        self.tell("job_failed", entry, reason)

    # ------------------------------------------------------------------ the end

    def report(self, *, signal_name: str | None = None) -> LocalRunReport:
        """Sum up how the jobs ended.

        Parameters
        ----------
        signal_name : str or None
            The signal that stopped the run.

        Returns
        -------
        LocalRunReport
            How each job ended.
        """
        records = [self._record(entry) for entry in self.graph.entries.values()]
        state: Literal["completed", "failed", "stopped"]
        if signal_name is not None and not self.graph.is_over:
            state = "stopped"
        elif all(entry.status == "completed" for entry in self.graph.entries.values()) or (
            self.graph.stopped and not any(entry.status == "failed" for entry in self.graph.entries.values())
        ):
            state = "completed"
        else:
            state = "failed"
        return LocalRunReport(
            state=state,
            run_folder=self.folder.path,
            jobs=records,
            output_uuids=self.output_uuids,
            elapsed_s=time.monotonic() - self.started,
            signal_name=signal_name,
        )

    @property
    def output_uuids(self) -> list[str]:
        """Jobs whose outputs the flow declares as its own."""
        return [] if self.flow.output is None else [ref.uuid for ref in find_and_get_references(self.flow.output)]

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

    # --------------------------------------------------------------------- news

    def read_heartbeats(self) -> None:
        """Pass on the progress of running trajectories, relaxations and trainings."""
        for entry in self.graph.entries.values():
            if entry.status == "running":
                self._read_heartbeat(entry)

    def _read_heartbeat(self, entry: JobEntry) -> None:
        """Pass on the progress of one job, if it has got on since the last time."""
        path = self.folder.progress_folder / f"{entry.job.uuid}.json"
        try:
            stamp = path.stat().st_mtime_ns
            if self._heartbeats.get(entry.job.uuid) == stamp:
                return
            beat = read_heartbeat(path).progress
        except FileNotFoundError:
            return
        self._heartbeats[entry.job.uuid] = stamp
        if isinstance(beat, RelaxationProgress):
            self.tell("job_progress", entry, relaxation=beat)
        elif isinstance(beat, TrainingProgress):
            self.tell("job_progress", entry, training=beat)
        else:
            self.progress[entry.job.uuid] = beat
            self.tell("job_progress", entry, beat.message, beat)

    def tell(
        self,
        kind: EventKind,
        entry: JobEntry | None = None,
        message: str = "",
        progress: MdProgress | None = None,
        relaxation: RelaxationProgress | None = None,
        training: TrainingProgress | None = None,
    ) -> None:
        """Send an event to the watcher and keep the readable status up to date.

        Parameters
        ----------
        kind : str
            What happened.
        entry : JobEntry or None
            The job it happened to.
        message : str
            One sentence for the user.
        progress : MdProgress or None
            Heartbeat of a trajectory.
        relaxation : RelaxationProgress or None
            Heartbeat of a relaxation.
        training : TrainingProgress or None
            Heartbeat of a training.
        """
        entries = self.graph.entries.values()
        if kind != "job_progress":
            self.write_status("stopping" if self.is_stopping else "running")
        self.on_event(
            RunEvent(
                kind=kind,
                job_uuid=None if entry is None else entry.job.uuid,
                job_index=1 if entry is None else entry.job.index,
                job_name="" if entry is None else entry.job.name,
                message=message,
                progress=progress,
                relaxation=relaxation,
                training=training,
                n_jobs=len(self.graph.entries),
                n_over=sum(other.is_over for other in entries),
                elapsed_s=time.monotonic() - self.started,
                remaining_s=remaining_seconds(entries, self.progress, self.n_workers),
            )
        )

    def write_status(self, state: str) -> None:
        """Write the summary that listings read.

        Parameters
        ----------
        state : str
            State of the run.
        """
        jobs = [
            {"uuid": entry.job.uuid, "index": entry.job.index, "name": entry.job.name, "status": entry.status}
            | ({"reason": entry.reason} if entry.reason else {})
            for entry in self.graph.entries.values()
        ]
        status = {"state": state, "written_at": time.time(), "jobs": jobs}
        write_text_atomically(self.folder.status_file, json.dumps(status), durable=False)


def _key_of(stem: str) -> JobKey:
    """Read the uuid and the index of a job from the name of one of its files."""
    uuid, _, index = stem.rpartition(".")
    return uuid, int(index)
