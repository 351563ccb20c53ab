"""What the user sees while a campaign runs: its status on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ..console import messages_console, say

if TYPE_CHECKING:
    from ...workflows.campaign.events import CampaignEvent
    from .opened import OpenedCampaigns

_LIVE_EVERY_S = 2.0
_LINE_EVERY_S = 30.0


class RunView(Protocol):
    """Something that shows a running campaign; used as a context manager around it."""

    def __enter__(self) -> RunView: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def on_event(self, event: CampaignEvent) -> None:
        """Take in one event."""


def run_view(opened: OpenedCampaigns, name: str) -> RunView:
    """Choose how a campaign is shown.

    Parameters
    ----------
    opened : OpenedCampaigns
        The store.
    name : str
        The campaign.

    Returns
    -------
    RunView
        A live table where standard error is a terminal, lines elsewhere.
    """
    return LiveView(opened, name) if sys.stderr.isatty() else LineView()


class LiveView:
    """The table of `superion campaign status`, read again every other second by a thread of its own."""

    def __init__(self, opened: OpenedCampaigns, name: str) -> None:
        import threading

        from rich.live import Live

        self._console = messages_console()
        self._live = Live(console=self._console, refresh_per_second=4)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(opened, name), daemon=True)

    def __enter__(self) -> LiveView:
        self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(timeout=10.0)
        self._live.stop()

    def _watch(self, opened: OpenedCampaigns, name: str) -> None:
        from ...errors import SuperionError
        from ...workflows.campaign.status import StatusReader
        from .status_view import status_table

        reader = StatusReader(name, opened.collections, opened.project)
        while not self._over.wait(_LIVE_EVERY_S):
            try:
                self._live.update(status_table(reader.read()))
            except SuperionError:
                # The run itself meets the same store and says what is wrong with it.
                continue

    def on_event(self, event: CampaignEvent) -> None:
        """Take in one event.

        Parameters
        ----------
        event : CampaignEvent
            What happened.
        """
        from rich.text import Text

        if event.kind in ("unit_failed", "unit_stopped", "stopping", "notice"):
            self._console.print(Text(_sentence(event)))


class LineView:
    """Plain lines for logs and pipes: failures at once, progress every half minute."""

    def __init__(self) -> None:
        self._finished: dict[str, int] = {}
        self._last = time.monotonic()

    def __enter__(self) -> LineView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def on_event(self, event: CampaignEvent) -> None:
        """Take in one event.

        Parameters
        ----------
        event : CampaignEvent
            What happened.
        """
        if event.kind == "unit_finished":
            self._finished[event.stage] = self._finished.get(event.stage, 0) + 1
        elif event.kind != "unit_started":
            say(_sentence(event))
        if time.monotonic() - self._last >= _LINE_EVERY_S:
            self._last = time.monotonic()
            say("finished so far: " + ", ".join(f"{number} {stage}" for stage, number in self._finished.items()))


def _sentence(event: CampaignEvent) -> str:
    """Write one event as a line."""
    words: dict[Any, str] = {"unit_failed": "failed", "unit_stopped": "stopped", "started": "started"}
    head = words.get(event.kind, event.kind)
    unit = f" {event.stage} of {event.label}" if event.stage else ""
    return f"{head}{unit}: {event.message}"
