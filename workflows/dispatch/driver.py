"""The driver: gives the jobs of one flow, or of many small ones, to a pool of workers until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .events import LocalRunReport
from .flow_run import FlowRun
from .signals import StopSignal, caught_signals
from .worker_pool import POLL_S, WorkerPool

GRACE_S = 120.0
"""Time that workers get to write their checkpoints when the run is stopped, in s."""

STOP_NEWS_S = 10.0
"""Time between two words on what a stop waits for, in s."""


def drive_flow(run: FlowRun, pool: WorkerPool) -> LocalRunReport:
    """Run one flow until every job is over or a signal comes.

    Parameters
    ----------
    run : FlowRun
        The flow.
    pool : WorkerPool
        Who works.

    Returns
    -------
    LocalRunReport
        How each job ended.
    """
    run.open()
    run.tell("run_started", message=f"{len(pool.slots)} worker processes")
    waiting = [run]
    driver = PoolDriver(pool, next_run=lambda: waiting.pop() if waiting else None)
    caught = driver.drive()
    report = run.report(signal_name=caught.name)
    run.tell("run_finished", message=report.state)
    # Last: every event before it writes the state of a run that goes on.
    run.write_status(report.state)
    return report


@dataclass
class PoolDriver:
    """Feeds flows to a pool of workers; only as many are open at once as keep the workers busy.

    Parameters
    ----------
    pool : WorkerPool
        Who works.
    next_run : callable
        Gives the next flow, opened; None while there is none.
    on_over : callable or None
        Told of every flow of which nothing is left to do.
    on_round : callable or None
        Called in every round, some times a second; may return a reason to stop.
    """

    pool: WorkerPool
    next_run: Callable[[], FlowRun | None]
    on_over: Callable[[FlowRun], None] | None = None
    on_round: Callable[[], str | None] | None = None
    stop_reason: str | None = None
    active: list[FlowRun] = field(default_factory=list)

    def drive(self) -> StopSignal:
        """Run until nothing is left, `on_round` wants an end, or a signal comes.

        Returns
        -------
        StopSignal
            The signal that came, if any.
        """
        with caught_signals(on_second=self.pool.kill) as caught:
            try:
                while caught.number is None and self.stop_reason is None:
                    self._feed()
                    if not self.active:
                        break
                    self._work()
                    if self.on_round is not None:
                        self.stop_reason = self.on_round()
                if self.active:
                    self._stop()
            finally:
                self.pool.close()
        return caught

    def give_up(self, run: FlowRun, reason: str) -> None:
        """Stop the jobs of one flow, which fail for this reason; the other flows go on.

        Its trajectories write their checkpoints, so that a later try continues them.

        Parameters
        ----------
        run : FlowRun
            An active flow.
        reason : str
            One sentence.
        """
        run.give_up(reason)
        self.pool.stop_work_on(run, GRACE_S)

    def _feed(self) -> None:
        """Give every idle worker a job, opening flows as they are needed."""
        for run in [*self.active]:
            self._start_jobs(run)
        while self.pool.n_idle:
            found = self.next_run()
            if found is None:
                return
            self.active.append(found)
            self._start_jobs(found)

    def _start_jobs(self, run: FlowRun) -> None:
        """Hand out the ready jobs of one flow; close it where nothing is left of it."""
        for entry in run.ready() if self.pool.n_idle else ():
            if not self.pool.n_idle:
                break
            task = run.prepare(entry)
            if task is not None:
                # A worker found dead here is replaced at the next round.
                self.pool.assign(run, entry, task)
        self._close_if_over(run)

    def _close_if_over(self, run: FlowRun) -> None:
        if run.is_over and run in self.active:
            self.active.remove(run)
            if self.on_over is not None:
                self.on_over(run)

    def _work(self) -> None:
        """Wait for news and take them in."""
        if self.pool.is_busy:
            self.pool.wait()
        else:
            time.sleep(POLL_S / 10)
        for run in self.pool.collect():
            self._close_if_over(run)
        for run in self.active:
            run.read_heartbeats()

    def _stop(self) -> None:
        """Let the workers write their checkpoints and take in what they finish meanwhile."""
        for run in self.active:
            run.is_stopping = True
        teller = self.active[0]
        began = told = time.monotonic()
        teller.tell("run_stopping", message=f"{_waiting(self.pool)}, {GRACE_S:g} s at most; a second Ctrl-C kills them")
        self.pool.ask_to_stop()
        while self.pool.is_busy and time.monotonic() < began + GRACE_S:
            self.pool.wait()
            for run in self.pool.collect():
                self._close_if_over(run)
            if self.pool.is_busy and time.monotonic() - told > STOP_NEWS_S:
                told = time.monotonic()
                teller.tell("run_stopping", message=f"{_waiting(self.pool)}, for {told - began:.0f} s so far")
        if self.pool.is_busy:
            teller.tell("run_stopping", message="they do not answer and are killed; their last checkpoints stay")


def _waiting(pool: WorkerPool) -> str:
    """Say what a stop waits for."""
    n_busy = len(pool.busy())
    if n_busy == 1:
        return "waiting for 1 worker to write its checkpoint"
    return f"waiting for {n_busy} workers to write their checkpoints"
