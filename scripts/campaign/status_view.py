"""A campaign's status as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...workflows.campaign.engine_status import EngineStatus
    from ...workflows.campaign.status import CampaignStatus

_MOST_RUNNING = 16
_MOST_FAILED = 10
_LONG_SILENCE_S = 120.0
"""Silence of a running job that is worth a word, in s."""
_COLUMNS = ("passed", "running", "waiting", "held", "rejected", "failed")


def status_table(status: CampaignStatus) -> Any:
    """Lay a status out.

    Parameters
    ----------
    status : CampaignStatus
        What to show.

    Returns
    -------
    rich.console.Group
        Stages, running units, throughput and time left.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from ...workflows.report.numbers import format_duration

    stages = Table(
        title=f"campaign {status.campaign_id}: {status.state}", title_justify="left", box=None, padding=(0, 2)
    )
    stages.add_column("stage")
    for column in _COLUMNS:
        stages.add_column(column, justify="right")
    stages.add_column("core time per unit", justify="right")
    if status.rejected_before:
        stages.add_row("(before any)", *("" if c != "rejected" else str(status.rejected_before) for c in _COLUMNS), "")
    for stage in status.stages:
        mean = stage.core_seconds_per_unit
        numbers = [str(getattr(stage, column) or "") for column in _COLUMNS]
        stages.add_row(Text(stage.stage), *numbers, "" if mean is None else format_duration(mean))
    parts: list[Any] = [stages]
    if status.running:
        running = Table(box=None, padding=(0, 2))
        for title in ("running", "stage", "for", "trajectories"):
            running.add_column(title)
        for unit in status.running[:_MOST_RUNNING]:
            length = ""
            if unit.completed_ps is not None and unit.requested_ps:
                length = f"{unit.completed_ps:.1f} of at most {unit.requested_ps:g} ps"
            running.add_row(Text(unit.label), Text(unit.stage), format_duration(unit.elapsed_s), length)
        parts += [Text(), running]
        if len(status.running) > _MOST_RUNNING:
            parts.append(Text(f"… and {len(status.running) - _MOST_RUNNING} more"))
    if status.engine is not None:
        parts += _engine_parts(status.engine, status.campaign_id)
    if status.failed:
        parts += _failed_parts(status)
    parts += [Text(), Text(_last_line(status))]
    return Group(*parts)


def _failed_parts(status: CampaignStatus) -> list[Any]:
    """Lay out what failed, each in one line."""
    from rich.text import Text

    lines = [
        Text(f"failed: {candidate.label}{f' in {candidate.stage}' if candidate.stage else ''}: {candidate.reason}")
        for candidate in status.failed[:_MOST_FAILED]
    ]
    if len(status.failed) > _MOST_FAILED:
        lines.append(Text(f"… and {len(status.failed) - _MOST_FAILED} more: `superion query --status failed`"))
    return [Text(), *lines]


def _engine_parts(engine: EngineStatus, campaign_id: str) -> list[Any]:
    """Lay out what the engine of a cluster tells."""
    from rich.table import Table
    from rich.text import Text

    from ...workflows.report.numbers import format_duration

    if engine.problem is not None:
        return [Text(), Text(f"{engine.engine} could not be asked: {engine.problem}")]
    phases = ", ".join(f"{number} {phase}" for phase, number in engine.units.items()) or "none"
    parts: list[Any] = [Text(), Text(f"units in {engine.engine}: {phases}")]
    if engine.coordinator == "absent" and (engine.n_not_taken_in or set(engine.units) - {"finished", "failed"}):
        waiting = f"; {engine.n_not_taken_in} units that are over wait for it" if engine.n_not_taken_in else ""
        sentence = f"no coordinator runs here{waiting}: `superion campaign resume {campaign_id}` goes on"
        parts.append(Text(sentence))
    if engine.standstill is not None:
        parts.append(Text(engine.standstill))
    if engine.running:
        running = Table(box=None, padding=(0, 2))
        for title in ("running", "stage", "job", "where", "for", "trajectory"):
            running.add_column(title)
        for job in engine.running[:_MOST_RUNNING]:
            where = " ".join(filter(None, (job.host, job.queue_id and f"({job.queue_id})")))
            length = ""
            if job.completed_ps is not None and job.requested_ps:
                length = f"{job.completed_ps:.1f} of at most {job.requested_ps:g} ps"
                length += f", {job.ps_per_hour:.3g} ps per hour" if job.ps_per_hour else ""
            if job.silent_s is not None and job.silent_s > _LONG_SILENCE_S:
                length += f"{', ' if length else ''}no word for {format_duration(job.silent_s)}"
            elapsed = "" if job.elapsed_s is None else format_duration(job.elapsed_s)
            running.add_row(Text(job.label), Text(job.stage), Text(job.job), Text(where), elapsed, length)
        parts += [Text(), running]
        if len(engine.running) > _MOST_RUNNING:
            parts.append(Text(f"… and {len(engine.running) - _MOST_RUNNING} more"))
    return parts


def _last_line(status: CampaignStatus) -> str:
    """Sum up candidates, throughput and time left."""
    from ...workflows.report.numbers import format_duration

    words = [f"{status.n_candidates} candidates: " + ", ".join(f"{n} {name}" for name, n in status.counts.items())]
    if status.units_per_hour is not None:
        workers = "" if status.n_workers is None else f" on {status.n_workers} workers"
        words.append(f"{status.units_per_hour:.3g} units per hour{workers}")
    if status.state == "finished":
        words.append("nothing is left to do")
    elif status.remaining_s is not None:
        bound = "at least " if status.remaining_is_lower_bound else "about "
        words.append(f"{bound}{format_duration(status.remaining_s)} left")
    elif status.remaining_is_lower_bound:
        words.append("time left: not known before a unit is finished")
    return "; ".join(words)
