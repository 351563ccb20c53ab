"""Signals that ask a driver to stop."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass
class StopSignal:
    """The first signal that came, if any.

    Parameters
    ----------
    number : int or None
        Number of the signal.
    """

    number: int | None = None

    @property
    def name(self) -> str | None:
        """Its name, such as SIGINT."""
        return None if self.number is None else signal.Signals(self.number).name


@contextlib.contextmanager
def caught_signals(on_second: Callable[[], None]) -> Iterator[StopSignal]:
    """Turn the first SIGINT, SIGTERM or SIGUSR1 into a request to stop.

    Parameters
    ----------
    on_second : callable
        What a second signal does, such as killing the workers.

    Yields
    ------
    StopSignal
        Has a number once a signal came. Outside the main thread none is caught.
    """
    caught = StopSignal()

    def handle(number: int, frame: FrameType | None) -> None:
        if caught.number is not None:
            on_second()
        caught.number = number

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield caught
    finally:
        for number, action in previous.items():
            signal.signal(number, action)
