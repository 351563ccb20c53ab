"""jobflow's `job`, for Makers whose jobs say what they took: wall time, processor time, time on a GPU."""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jobflow import CURRENT_JOB, Flow, Job, Response
from jobflow import job as jobflow_job
from pydantic import BaseModel, ConfigDict, Field

from .resource_kind import resource_kind_of

USAGE = "usage"
"""Entry of a job's metadata with what the whole job took, as `JobUsage`."""


class JobUsage(BaseModel):
    """What a job took, from its start in this process on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = Field(description="host that it ran on")
    wall_time_s: float = Field(description="wall time in s")
    cpu_time_s: float = Field(description="time of all processor cores together, child processes included, in s")
    gpu_time_s: float = Field(description="wall time for which it held a GPU, times the number of GPUs, in s")


@dataclass
class JobClock:
    """Measures a running job."""

    began_s: float = field(default_factory=time.monotonic)
    began_cpu_s: float = field(default_factory=lambda: _cpu_time_s())
    gpu_since_s: float | None = None

    def usage(self) -> JobUsage:
        """Give what the job took until now.

        Returns
        -------
        JobUsage
            Times in s.
        """
        now = time.monotonic()
        return JobUsage(
            host=platform.node() or None,
            wall_time_s=round(now - self.began_s, 3),
            cpu_time_s=round(max(0.0, _cpu_time_s() - self.began_cpu_s), 3),
            gpu_time_s=0.0 if self.gpu_since_s is None else round(now - self.gpu_since_s, 3),
        )


_running: JobClock | None = None


def job(method: Callable[..., Any] | None = None, **settings: Any) -> Any:
    """Make a job of a Maker's method, as jobflow's decorator does, that says what it took.

    Parameters
    ----------
    method : callable, optional
        The method, where the decorator is used without settings.
    **settings
        As for `jobflow.job`.

    Returns
    -------
    callable
        The decorated method, or the decorator.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from jobflow import Maker, run_locally
    >>> @job
    ... def add(a, b):
    ...     return a + b
    >>> add.original(1, 2), current_usage() is None
    (3, True)
    """

    def decorate(function: Callable[..., Any]) -> Any:
        return jobflow_job(_timed(function), **settings)

    return decorate if method is None else decorate(method)


def current_usage() -> JobUsage | None:
    """Say what the running job took until now.

    Returns
    -------
    JobUsage or None
        None outside a job of a superion Maker.
    """
    return None if _running is None else _running.usage()


def note_device(device: str) -> None:
    """Note that the running job computes on a device from now on.

    Parameters
    ----------
    device : str
        Device as torch names it: cpu, cuda, cuda:1, …
    """
    if _running is not None and _running.gpu_since_s is None and device.partition(":")[0] != "cpu":
        _running.gpu_since_s = time.monotonic()


def _timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*arguments: Any, **named: Any) -> Any:
        global _running
        outer, _running = _running, JobClock()
        current = CURRENT_JOB.job
        if current is not None:
            # A continuation inherits the metadata of the job that it replaces.
            current.metadata.pop(USAGE, None)
        try:
            result = function(*arguments, **named)
            if current is not None:
                current.metadata[USAGE] = _running.usage().model_dump()
                _check_resource_kinds(result)
                if _is_replaced_by_flow(result):
                    # jobflow hands the schema on to a job that gives a reference to the flow's output: it fits none.
                    current.output_schema = None
            return result
        finally:
            _running = outer

    return timed


def _check_resource_kinds(result: Any) -> None:
    """Refuse jobs of a kind that nobody registered here, where the job that makes them can say so."""
    made = [result.replace, result.detour, result.addition] if isinstance(result, Response) else [result]
    for one in made:
        for job, _ in one.iterflow() if isinstance(one, Flow) else [(one, None)] if isinstance(one, Job) else ():
            resource_kind_of(job)


def _is_replaced_by_flow(result: Any) -> bool:
    """Whether a job gives several jobs, rather than one, in place of itself."""
    replacement = result.replace if isinstance(result, Response) else result
    return isinstance(replacement, Flow) or (
        isinstance(result, Response) and isinstance(replacement, list | tuple | dict)
    )


def _cpu_time_s() -> float:
    """Give the processor time of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
