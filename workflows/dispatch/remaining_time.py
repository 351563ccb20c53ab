"""Estimate of the time that a local run still takes, from the speed of its trajectories so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...dynamics.results import MdProgress
from .job_graph import JobEntry


def remaining_seconds(entries: Iterable[JobEntry], progress: Mapping[str, MdProgress], n_workers: int) -> float | None:
    """Estimate the wall time until the last trajectory reaches its maximum length.

    Only molecular dynamics counts, and stop rules may end it earlier, so this is closer to an upper bound.

    Parameters
    ----------
    entries : iterable of JobEntry
        All jobs known.
    progress : mapping of str to MdProgress
        Last heartbeat by job uuid.
    n_workers : int
        Processes that share the work.

    Returns
    -------
    float or None
        Seconds; None while no trajectory has shown its speed.
    """
    rates = [beat.ps_per_hour for beat in progress.values() if beat.ps_per_hour]
    if not rates:
        return None
    typical = sum(rates) / len(rates)
    queues = [0.0] * n_workers
    for entry in sorted(entries, key=lambda entry: entry.status != "running"):
        length_ps = maximum_length_ps(entry)
        if entry.is_over or length_ps is None:
            continue
        beat = progress.get(entry.job.uuid)
        left_ps = length_ps if beat is None else max(0.0, beat.requested_ps - beat.completed_ps)
        rate = beat.ps_per_hour if beat is not None and beat.ps_per_hour else typical
        shortest = queues.index(min(queues))
        queues[shortest] += 3600.0 * left_ps / rate
    return max(queues)


def maximum_length_ps(entry: JobEntry) -> float | None:
    """Give the length of the trajectory that a job runs.

    Parameters
    ----------
    entry : JobEntry
        A job.

    Returns
    -------
    float or None
        Length in ps; None for a job that runs no molecular dynamics.
    """
    limits = getattr(entry.job.maker, "limits", None)
    return getattr(limits, "duration_ps", None)
