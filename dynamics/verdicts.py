"""Ask stop rules and health checks, and keep what they said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .results import StopVerdict
from .trajectory import Trajectory

BREAKDOWNS = ("melted", "exploded", "temperature_runaway", "volume_collapse")
"""Stop reasons with which the crystal, or a potential that does not describe it, breaks down; a crash is none."""

StopRule = Callable[[Trajectory], StopVerdict]
"""Looks at a trajectory after a segment and gives a reason to stop, or none; depends on the trajectory alone."""


def ask_rules(rules: Sequence[StopRule], trajectory: Trajectory) -> tuple[StopVerdict | None, list[dict[str, Any]]]:
    """Ask every rule about a trajectory.

    Parameters
    ----------
    rules : sequence of callables
        Stop rules or health checks.
    trajectory : Trajectory
        The trajectory so far.

    Returns
    -------
    verdict : StopVerdict or None
        The first one with a reason to stop.
    entries : list of dict
        What each said, for the history: step, completed_ps, rule, reason, message and estimate.
    """
    decisive: StopVerdict | None = None
    entries = []
    for rule in rules:
        verdict = rule(trajectory)
        entries.append(
            {
                "step": trajectory.manifest.last_step,
                "completed_ps": trajectory.duration_ps,
                "rule": getattr(rule, "__name__", type(rule).__name__),
                "reason": verdict.reason,
                "message": verdict.message,
                "estimate": _plain(verdict.estimate),
            }
        )
        if decisive is None and verdict.reason is not None:
            decisive = verdict
    return decisive, entries


def _plain(estimate: dict[str, Any]) -> dict[str, Any]:
    """Make an estimate of Python numbers, lists and texts, the same before and after a file."""

    def convert(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            return value.tolist()
        return str(value)

    return json.loads(json.dumps(estimate, default=convert))
