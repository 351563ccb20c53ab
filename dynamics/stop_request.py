"""Signals and the wall-time limit, which ask a run to stop at its next step."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Literal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """Listen for SIGTERM, SIGUSR1 and the end of the allowed wall time, within a ``with`` block.

    The handlers that were there before come back at its end. Outside the main thread, where Python allows no
    signal handlers, only the wall time is watched.

    Parameters
    ----------
    max_runtime_s : float or None
        Wall time in s after which to stop; None for no limit.

    Examples
    --------
    >>> with StopRequest(max_runtime_s=None) as stop:
    ...     print(stop.reason())
    None
    """

    def __init__(self, max_runtime_s: float | None = None) -> None:
        self._deadline = None if max_runtime_s is None else time.monotonic() + max_runtime_s
        self._previous: dict[signal.Signals, Any] = {}
        self.signal_name: str | None = None

    def __enter__(self) -> StopRequest:
        """Install the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                self._previous[number] = signal.signal(number, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the former handlers back."""
        for number, handler in self._previous.items():
            # a handler that was not set from Python reads as None and cannot be put back by name
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._previous.clear()

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.signal_name = signal.Signals(number).name

    def reason(self) -> Literal["signal", "walltime"] | None:
        """Why to stop now, or None to go on."""
        if self.signal_name is not None:
            return "signal"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "walltime"
        return None
