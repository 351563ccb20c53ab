"""Heartbeats of a running trajectory, about one a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from .plan import StepPlan
from .results import MdProgress

_INTERVAL_S = 1.0


class ProgressReporter:
    """Tell a callable how far the run is, at most once a second.

    Parameters
    ----------
    callback : callable or None
        Given an `MdProgress`; None for silence.
    key : str
        Identity of the trajectory.
    plan : StepPlan
        The run in steps.
    first_step : int
        Step at which this process took over.
    """

    def __init__(
        self, callback: Callable[[MdProgress], None] | None, key: str, plan: StepPlan, first_step: int
    ) -> None:
        self.message = ""
        self._callback = callback
        self._key = key
        self._plan = plan
        self._first_step = first_step
        self._began = time.monotonic()
        self._last = -float("inf")

    def step(self, step: int, temperature_k: float) -> None:
        """Report a step, unless the last report is younger than a second.

        Parameters
        ----------
        step : int
            MD step.
        temperature_k : float
            Kinetic temperature now, in K.
        """
        if self._callback is None:
            return
        now = time.monotonic()
        if now - self._last < _INTERVAL_S and step < self._plan.total_steps:
            return
        self._last = now
        self._tell(step, temperature_k, self._plan.total_steps)

    def ended(self, step: int) -> None:
        """Report that the trajectory is over: nothing beyond this step is asked for.

        Parameters
        ----------
        step : int
            MD step of its end.
        """
        if self._callback is not None:
            self._tell(step, None, step)

    def _tell(self, step: int, temperature_k: float | None, requested_steps: int) -> None:
        assert self._callback is not None
        elapsed = time.monotonic() - self._began
        done = self._plan.picoseconds(step - self._first_step)
        self._callback(
            MdProgress(
                key=self._key,
                completed_ps=self._plan.picoseconds(step),
                requested_ps=self._plan.picoseconds(requested_steps),
                ps_per_hour=3600.0 * done / elapsed if elapsed > 0 else None,
                temperature_k=temperature_k,
                message=self.message,
            )
        )
