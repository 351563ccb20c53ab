"""What a campaign gives an engine to compute: the work of a stage on a structure, or what several of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobflow import Flow

from ..dispatch.queue_engine import UnitTicket


@dataclass(frozen=True)
class Work:
    """A unit of work that waits for nothing else.

    Parameters
    ----------
    ticket : UnitTicket
        Its key and its names.
    make_flow : callable
        Gives its flow, whose output is a `StageDoc` under its key.
    paths : tuple of str
        Absolute paths that its flow may hold, and that its key knows by their content.
    failure : str or None
        Why it cannot be begun, in one sentence.
    """

    ticket: UnitTicket
    make_flow: Callable[[], Flow]
    paths: tuple[str, ...] = ()
    failure: str | None = None
