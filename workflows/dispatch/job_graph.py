"""Which jobs of a flow may run now, under jobflow's rules for replacements, detours and failures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from jobflow import Flow, Job, OnMissing, Response

JobKey = tuple[str, int]
"""A job's uuid and index; a replacement keeps the uuid and raises the index."""

JobStatus = Literal["waiting", "running", "completed", "failed", "skipped"]


@dataclass
class JobEntry:
    """One job in the graph.

    Parameters
    ----------
    job : Job
        The job.
    parents : list of str
        Uuids of the jobs whose outputs it needs.
    status : str
        waiting, running, completed, failed or skipped.
    reason : str
        Why it failed or was skipped, as one sentence.
    attempts : int
        How often it was started.
    """

    job: Job
    parents: list[str]
    status: JobStatus = "waiting"
    reason: str = ""
    attempts: int = 0

    @property
    def key(self) -> JobKey:
        """The job's uuid and index."""
        return self.job.uuid, self.job.index

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to this job."""
        return self.status in ("completed", "failed", "skipped")


@dataclass
class JobGraph:
    """The jobs of a flow and of all that its jobs add while running.

    It follows `jobflow.run_locally`: children of a job wait for its replacements and detours, not for its additions;
    children of a failed job run only where they accept missing references. Beyond that, a job that accepts missing
    references but would get none of its inputs is left out, so that one failure is told once.

    Parameters
    ----------
    flow : Flow
        The flow to run.
    """

    flow: Flow
    entries: dict[JobKey, JobEntry] = field(default_factory=dict)
    stopped: bool = False
    _by_uuid: dict[str, list[JobEntry]] = field(default_factory=dict)
    _awaited: dict[str, set[str]] = field(default_factory=dict)
    _failed_uuids: set[str] = field(default_factory=set)
    _childless_uuids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._add(self.flow)

    def ready(self) -> list[JobEntry]:
        """List the jobs that may start now, skipping those that never can.

        Returns
        -------
        list of JobEntry
            Waiting jobs all of whose parents are settled, in the flow's order.
        """
        ready: list[JobEntry] = []
        changed = True
        while changed:
            changed = False
            ready = []
            for entry in self.entries.values():
                if entry.status != "waiting" or not all(self._is_settled(parent) for parent in entry.parents):
                    continue
                reason = self._reason_to_skip(entry)
                if reason:
                    entry.status, entry.reason = "skipped", reason
                    changed = True
                else:
                    ready.append(entry)
        return ready

    def complete(self, key: JobKey, response: Response) -> None:
        """Record a finished job and take in the jobs that it asks for.

        Parameters
        ----------
        key : JobKey
            Its uuid and index.
        response : Response
            What it gave back.
        """
        entry = self.entries[key]
        entry.status, entry.reason = "completed", ""
        if response.stop_children:
            self._childless_uuids.add(key[0])
        if response.stop_jobflow:
            self.stopped = True
            return
        for flow in (response.replace, response.detour):
            if flow is not None:
                self._awaited.setdefault(key[0], set()).update(self._add(flow))
        if response.addition is not None:
            self._add(response.addition)

    def fail(self, key: JobKey, reason: str) -> None:
        """Record a failed job.

        Parameters
        ----------
        key : JobKey
            Its uuid and index.
        reason : str
            Why, in one sentence.
        """
        entry = self.entries[key]
        entry.status, entry.reason = "failed", reason
        self._failed_uuids.add(key[0])

    def descendants(self, keys: Collection[JobKey]) -> set[JobKey]:
        """Find every job that was made or run with what given jobs gave, or without it.

        What replaces a job comes after it, and not before: where one of a hundred jobs failed that a job was replaced
        by, the output that they give together is below it, and the job that asked for them is not.

        Parameters
        ----------
        keys : collection of JobKey
            Uuids and indices of jobs.

        Returns
        -------
        set of JobKey
            All jobs below them, without themselves.
        """
        found: set[JobKey] = set()
        frontier = set(keys)
        while frontier:
            uuids = {uuid for uuid, _ in frontier}
            frontier = {
                key
                for key, entry in self.entries.items()
                if key not in found
                and key not in keys
                and (uuids & self._waits_of(entry) or any((key[0], index) in frontier for index in range(key[1])))
            }
            found |= frontier
        return found

    @property
    def is_over(self) -> bool:
        """Whether no job is running and none can start any more."""
        if any(entry.status == "running" for entry in self.entries.values()):
            return False
        return self.stopped or not self.ready()

    def _add(self, flow: Flow) -> set[str]:
        """Take in the jobs of a flow; give their uuids."""
        uuids = set()
        for job, parents in flow.iterflow():
            entry = JobEntry(job=job, parents=list(parents))
            uuids.add(job.uuid)
            if entry.key not in self.entries:
                self.entries[entry.key] = entry
                self._by_uuid.setdefault(job.uuid, []).append(entry)
        return uuids

    def _waits_of(self, entry: JobEntry) -> set[str]:
        """Uuids of a job's parents, and of all that these were replaced by or detoured to."""
        found: set[str] = set()
        frontier = set(entry.parents)
        while frontier:
            found |= frontier
            frontier = {awaited for uuid in frontier for awaited in self._awaited.get(uuid, set())} - found
        return found

    def _is_settled(self, uuid: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a job, all its replacements and its detours are over."""
        if not all(entry.is_over for entry in self._by_uuid.get(uuid, [])):
            return False
        others = self._awaited.get(uuid, set()) - seen - {uuid}
        return all(self._is_settled(other, seen | {uuid}) for other in others)

    def _reason_to_skip(self, entry: JobEntry) -> str:
        """Why a job whose parents are settled will never run; empty where it may."""
        if self._childless_uuids & set(entry.parents):
            self._childless_uuids.add(entry.job.uuid)
            return "a job before it asked that its children be left out"
        failed = self._failed_uuids & set(entry.parents)
        is_tolerant = entry.job.config.on_missing_references != OnMissing.ERROR
        if failed and (not is_tolerant or failed == set(entry.parents)):
            self._failed_uuids.add(entry.job.uuid)
            names = sorted({other.job.name for uuid in failed for other in self._by_uuid[uuid]})
            return f"it needs the output of {', '.join(names)}, which failed"
        return ""
