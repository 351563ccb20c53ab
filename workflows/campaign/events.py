"""What a campaign's driver tells while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

CampaignEventKind = Literal[
    "started", "unit_started", "unit_finished", "unit_failed", "unit_stopped", "stopping", "notice"
]


@dataclass(frozen=True)
class CampaignEvent:
    """One thing that happened while a campaign ran.

    Parameters
    ----------
    kind : str
        What happened.
    message : str
        One sentence for the user; may be empty.
    stage : str
        Stage of the unit.
    label : str
        Material of the unit.
    """

    kind: CampaignEventKind
    message: str = ""
    stage: str = ""
    label: str = ""


CampaignWatcher = Callable[[CampaignEvent], None]


@dataclass(frozen=True)
class CampaignRunReport:
    """How a run of a campaign ended.

    Parameters
    ----------
    state : str
        finished: nothing is left to do; stopped: run it again to go on.
    reason : str or None
        Why it stopped.
    n_finished : int
        Units that this run finished.
    n_failed : int
        Units that failed in this run.
    counts : dict of str to int
        Number of candidates by status.
    elapsed_s : float
        Wall time in s.
    unwritten : tuple of str
        Units for which there was no room on the disk; they are tried again by the next run.
    """

    state: Literal["finished", "stopped"]
    reason: str | None
    n_finished: int
    n_failed: int
    counts: dict[str, int]
    elapsed_s: float
    unwritten: tuple[str, ...] = ()
