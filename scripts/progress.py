"""What the user sees while a run goes on: a bar for each trajectory on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from .console import messages_console, say

if TYPE_CHECKING:
    from ..runtime.heartbeat import RelaxationProgress
    from ..workflows.dispatch.events import RunEvent

_LINE_INTERVAL_S = 30.0
"""Time between two plain progress lines of one trajectory, in s."""


class ProgressView(Protocol):
    """Something that shows the events of a run; used as a context manager around it."""

    def __enter__(self) -> ProgressView: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def on_event(self, event: RunEvent) -> None:
        """Take in one event."""


def progress_view(*, quiet: bool = False) -> ProgressView:
    """Choose how a run is shown.

    Parameters
    ----------
    quiet : bool
        Whether to show failures only.

    Returns
    -------
    ProgressView
        Bars where standard error is a terminal, lines elsewhere.
    """
    if quiet:
        return LineView(every_s=float("inf"), failures_only=True)
    return BarView() if sys.stderr.isatty() else LineView()


class BarView:
    """Live bars: one for the whole run and one for each trajectory or other job that runs."""

    def __init__(self, console: Any = None) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[amount]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.fields[remark]}", markup=False, style="dim"),
            console=console or messages_console(),
            refresh_per_second=4,
        )
        self._whole: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> BarView:
        self._progress.start()
        self._whole = self._progress.add_task("whole run", total=None, amount="", left="", remark="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_event(self, event: RunEvent) -> None:
        """Take in one event.

        Parameters
        ----------
        event : RunEvent
            What happened.
        """
        from rich.markup import escape

        if event.kind == "job_started" or event.kind == "job_retried":
            self._bar(event)
        elif event.kind == "job_progress" and event.progress is not None:
            beat = event.progress
            self._progress.update(
                self._bar(event),
                total=beat.requested_ps,
                completed=min(beat.completed_ps, beat.requested_ps),
                amount=f"{beat.completed_ps:.1f}/{beat.requested_ps:g} ps",
                left=_time_left(event),
                remark=beat.message,
            )
        elif event.kind == "job_progress" and event.relaxation is not None:
            step = event.relaxation
            self._progress.update(
                self._bar(event),
                total=step.maximum_steps,
                completed=step.step,
                amount=f"{step.step} steps",
                left=f"{step.maximum_steps} at most",
                remark=_force(step),
            )
        elif event.kind == "job_progress" and event.training is not None:
            training = event.training
            self._progress.update(
                self._bar(event),
                total=training.maximum_epochs,
                completed=training.epoch,
                amount=f"{training.epoch} epochs",
                left=f"{training.maximum_epochs} at most",
                remark=training.force_error,
            )
        elif event.kind == "job_completed":
            bar = self._bar(event)
            task = next(task for task in self._progress.tasks if task.id == bar)
            # A job that a stop rule ended early is over all the same.
            self._progress.update(bar, total=task.total or 1.0, completed=task.total or 1.0, left="done")
        elif event.kind == "job_continued":
            self._progress.update(self._bar(event), left="to be continued")
        elif event.kind == "job_failed":
            bar = self._bar(event)
            self._progress.update(bar, left="failed")
            self._progress.stop_task(bar)
            self._progress.console.print(f"[bold red]failed[/] {escape(event.job_name)}: {escape(event.message)}")
        elif event.kind == "job_skipped":
            self._progress.console.print(f"skipped {escape(event.job_name)}: {escape(event.message)}")
        elif event.kind == "outcome_set_aside":
            self._progress.console.print(f"set aside {escape(event.job_name)}: {escape(event.message)}")
        elif event.kind in ("run_stopping", "run_waiting"):
            self._progress.console.print(f"{event.kind.removeprefix('run_')}: {escape(event.message)}")
        self._update_whole(event)

    def _bar(self, event: RunEvent) -> Any:
        """Give the bar of a job; a continuation goes on in the bar of its first part."""
        uuid = event.job_uuid or ""
        if uuid not in self._tasks:
            self._tasks[uuid] = self._progress.add_task(
                event.job_name or "job", total=None, amount="", left="", remark=event.message
            )
        return self._tasks[uuid]

    def _update_whole(self, event: RunEvent) -> None:
        """Bring the first bar up to date."""
        from ..workflows.report.numbers import format_duration

        if self._whole is None or not event.n_jobs:
            return
        left = "" if event.remaining_s is None else f"at most {format_duration(event.remaining_s)} left"
        self._progress.update(
            self._whole,
            total=event.n_jobs,
            completed=event.n_over,
            amount=f"{event.n_over}/{event.n_jobs} jobs",
            left=left if event.n_over < event.n_jobs else "",
        )


class LineView:
    """Plain lines for logs and pipes."""

    def __init__(self, every_s: float = _LINE_INTERVAL_S, failures_only: bool = False) -> None:
        self._every_s = every_s
        self._failures_only = failures_only
        self._last: dict[str, float] = {}

    def __enter__(self) -> LineView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def on_event(self, event: RunEvent) -> None:
        """Take in one event.

        Parameters
        ----------
        event : RunEvent
            What happened.
        """
        if event.kind in ("job_failed", "outcome_set_aside"):
            what = "failed" if event.kind == "job_failed" else "set aside"
            say(f"{what}: {event.job_name}: {event.message}")
            return
        if self._failures_only:
            return
        count = f"[{event.n_over}/{event.n_jobs}] " if event.n_jobs else ""
        if event.kind == "job_progress":
            now = time.monotonic()
            uuid = event.job_uuid or ""
            if now - self._last.setdefault(uuid, now) < self._every_s:
                return
            self._last[uuid] = now
            say(f"{count}{event.job_name}: {', '.join(word for word in _how_far(event) if word)}")
        elif event.kind in ("job_started", "job_completed", "job_continued", "job_retried", "job_skipped"):
            what = event.kind.removeprefix("job_")
            say(f"{count}{what}: {event.job_name}{f' ({event.message})' if event.message else ''}")
        elif event.kind in ("run_stopping", "run_waiting"):
            say(f"{event.kind.removeprefix('run_')}: {event.message}")


def _how_far(event: RunEvent) -> list[str]:
    """Words on how far a job is."""
    if event.relaxation is not None:
        step = event.relaxation
        return [f"step {step.step} of at most {step.maximum_steps}", _force(step)]
    if event.training is not None:
        training = event.training
        return [f"epoch {training.epoch} of at most {training.maximum_epochs}", training.force_error]
    if event.progress is None:
        return [event.message]
    beat = event.progress
    return [f"{beat.completed_ps:.1f} of {beat.requested_ps:g} ps", _time_left(event), beat.message]


def _force(step: RelaxationProgress) -> str:
    """Largest force of a relaxation, and the one to reach."""
    force, tolerance = step.max_force_ev_per_angstrom, step.force_tolerance_ev_per_angstrom
    return f"largest force {force:.3g} eV/Å, {tolerance:g} asked for"


def _time_left(event: RunEvent) -> str:
    """Time that one trajectory needs to its maximum length at its present speed."""
    from ..workflows.report.numbers import format_duration

    beat = event.progress
    if beat is None or not beat.ps_per_hour:
        return ""
    seconds = 3600.0 * max(0.0, beat.requested_ps - beat.completed_ps) / beat.ps_per_hour
    return f"{format_duration(seconds)} left"
