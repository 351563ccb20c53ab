"""A few worker processes that take jobs of any flow."""

from __future__ import annotations

import selectors
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .flow_run import FlowRun
from .job_graph import JobEntry
from .worker_process import WorkerProcess

POLL_S = 0.2
"""Longest sleep of the driver, in s."""


@dataclass
class Assignment:
    """A job that a worker is busy with.

    Parameters
    ----------
    run : FlowRun
        The flow that it belongs to.
    entry : JobEntry
        The job.
    started : float
        When it was handed out, by the monotonic clock in s.
    kill_at : float or None
        When the worker is killed, by the same clock; None where it was not asked to stop.
    """

    run: FlowRun
    entry: JobEntry
    started: float = field(default_factory=time.monotonic)
    kill_at: float | None = None


@dataclass
class WorkerPool:
    """Slots for worker processes; a process is started when there is a job for it, and replaced when it dies.

    Parameters
    ----------
    slots : list of dict
        Environment of each worker process.
    folder : Path
        Where the workers start, and leave what they say outside jobs.
    kept_descriptors : tuple of int
        Open files that the workers inherit, such as a lock.
    """

    slots: list[dict[str, str]]
    folder: Path
    kept_descriptors: tuple[int, ...] = ()
    workers: list[WorkerProcess | None] = field(init=False)
    assignments: list[Assignment | None] = field(init=False)

    def __post_init__(self) -> None:
        self.workers = [None] * len(self.slots)
        self.assignments = [None] * len(self.slots)

    @property
    def n_idle(self) -> int:
        """Number of slots without a job."""
        return self.assignments.count(None)

    @property
    def is_busy(self) -> bool:
        """Whether any worker has a job."""
        return self.n_idle < len(self.slots)

    def busy(self) -> list[WorkerProcess]:
        """List the workers that have a job.

        Returns
        -------
        list of WorkerProcess
            In the order of their slots.
        """
        pairs = zip(self.workers, self.assignments, strict=True)
        return [worker for worker, assignment in pairs if worker is not None and assignment is not None]

    def assign(self, run: FlowRun, entry: JobEntry, task: dict[str, Any]) -> bool:
        """Hand a job to an idle worker, starting one where there is none.

        Parameters
        ----------
        run : FlowRun
            The flow of the job.
        entry : JobEntry
            The job.
        task : dict
            What the worker needs to know.

        Returns
        -------
        bool
            False if the worker was found dead: it is replaced at the next try.
        """
        # One that runs already is preferred: its heavy imports are paid.
        idle = [slot for slot, assignment in enumerate(self.assignments) if assignment is None]
        slot = next((slot for slot in idle if self._lives(slot)), idle[0])
        worker = self.workers[slot] if self._lives(slot) else self._start_worker(slot)
        assert worker is not None
        if not worker.assign(entry.key, task):
            return False
        self.assignments[slot] = Assignment(run, entry)
        run.begin(entry)
        return True

    def _lives(self, slot: int) -> bool:
        worker = self.workers[slot]
        return worker is not None and worker.is_alive

    def _start_worker(self, slot: int) -> WorkerProcess:
        """Start a worker process in a slot."""
        previous = self.workers[slot]
        if previous is not None:
            previous.close()
        worker = WorkerProcess(self.slots[slot], self.kept_descriptors, self.folder)
        self.workers[slot] = worker
        return worker

    def wait(self) -> None:
        """Sleep until a worker speaks, for a short while at most."""
        busy = self.busy()
        if not busy:
            return
        with selectors.DefaultSelector() as selector:
            for worker in busy:
                selector.register(worker.output, selectors.EVENT_READ)
            selector.select(POLL_S)

    def collect(self) -> list[FlowRun]:
        """Take in what workers finished, and notice those that died.

        Returns
        -------
        list of FlowRun
            The flows of these jobs.
        """
        touched = []
        for slot, (worker, assignment) in enumerate(zip(self.workers, self.assignments, strict=True)):
            if worker is None or assignment is None:
                continue
            if assignment.kill_at is not None and time.monotonic() > assignment.kill_at:
                worker.kill()
            # Liveness first: an answer may arrive between the two questions.
            alive = worker.is_alive
            answers = worker.answers()
            if answers or not alive:
                self.assignments[slot] = None
                touched.append(assignment.run)
                failed = assignment.run.settle(assignment.entry, worker.describe_exit, answers)
                if failed or not alive or assignment.kill_at is not None:
                    # A fresh process after a failure: its memory may be what failed. One that was asked to stop leaves.
                    worker.close()
                    self.workers[slot] = None
        return touched

    def seconds_spent_on(self, run: FlowRun) -> float:
        """Say for how long workers have been busy with the jobs of one flow that are not over yet.

        Parameters
        ----------
        run : FlowRun
            The flow.

        Returns
        -------
        float
            Time in s, of all its workers together.
        """
        now = time.monotonic()
        return sum(now - found.started for found in self.assignments if found is not None and found.run is run)

    def stop_work_on(self, run: FlowRun, grace_s: float) -> None:
        """Ask the workers of one flow to write their checkpoints and leave; `collect` kills those that do not.

        Parameters
        ----------
        run : FlowRun
            The flow.
        grace_s : float
            Time that they get, in s.
        """
        for worker, assignment in zip(self.workers, self.assignments, strict=True):
            if worker is not None and assignment is not None and assignment.run is run:
                assignment.kill_at = time.monotonic() + grace_s
                worker.ask_to_stop()

    def ask_to_stop(self) -> None:
        """Ask busy workers to write their checkpoints and leave."""
        for worker in self.busy():
            worker.ask_to_stop()

    def kill(self) -> None:
        """Kill every worker at once."""
        for worker in self.workers:
            if worker is not None:
                worker.kill()

    def close(self) -> None:
        """End every worker process; idle ones leave by themselves."""
        living = [(worker, self.assignments[slot]) for slot, worker in enumerate(self.workers) if worker is not None]
        for worker, assignment in living:
            if assignment is None:
                worker.dismiss()
            else:
                worker.ask_to_stop()
        deadline = time.monotonic() + 5.0
        while any(worker.is_alive for worker, _ in living) and time.monotonic() < deadline:
            time.sleep(0.02)
        for worker, _ in living:
            worker.close()
        self.workers = [None] * len(self.slots)
        self.assignments = [None] * len(self.slots)
