"""A clock for limits of wall time that counts steps of the dynamics: it shows the same on every machine."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest


def let_steps_take(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let each step of the dynamics take so many seconds, by the clock that runs look at to stop in time.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
        What puts the true clock back.
    seconds : float
        How far the clock goes on at each look; a run looks once a step. In s.
    """
    looks = count()
    clock = SimpleNamespace(monotonic=lambda: seconds * next(looks))
    monkeypatch.setattr("superion.dynamics.stop_request.time", clock)
