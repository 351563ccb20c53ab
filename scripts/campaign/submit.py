"""`superion campaign submit`: put a campaign and its candidates into the store."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .check import CampaignFileArgument
from .opened import opened_campaigns

if TYPE_CHECKING:
    from ...workflows.campaign.submit import SubmitReport

WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; one per core if not given.")]


def submit(
    file: CampaignFileArgument,
    workers: WorkersOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a campaign, its candidates and their orderings; computes nothing.

    Submitting a changed file brings the campaign up to date: thresholds are judged anew from what is there.
    """
    found = submit_file(file, store=store, workers=workers)
    if as_json:
        write_json(asdict(found))
    n_turned_away = len(found.turned_away)
    refuse_without_candidates(found.campaign_id, found.n_candidates - n_turned_away, n_turned_away)


def refuse_without_candidates(campaign_id: str, n_usable: int, n_turned_away: int) -> None:
    """Fail where a campaign holds nothing that any stage could work on.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    n_usable : int
        Candidates that a stage could work on.
    n_turned_away : int
        Those that were turned away before any stage.

    Raises
    ------
    SettingsError
        If no candidate is left.
    """
    from ...errors import SettingsError

    if not n_usable:
        raise SettingsError(
            f"The campaign {campaign_id} has no candidate that can be used, {n_turned_away} were turned away: correct "
            "the structures, or name others, and submit it again."
        )


def submit_file(file: Path, *, store: str | None, workers: int | None, must_exist: bool = False) -> SubmitReport:
    """Submit a file and say what changed.

    Parameters
    ----------
    file : Path
        The campaign file.
    store : str or None
        Where; None for the project's own store.
    workers : int or None
        Processes that order structures.
    must_exist : bool
        Whether a campaign that is not there yet is refused.

    Returns
    -------
    SubmitReport
        What changed.
    """
    from ...workflows.campaign.submit import submit_campaign

    with opened_campaigns(store, create=True) as opened:
        found = submit_campaign(
            file, opened.collections, workers=workers, on_progress=_tell_progress, must_exist=must_exist
        )
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    _tell(found)
    return found


def _tell_progress(done: int, total: int) -> None:
    """Count the candidates on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\rregistered {done} of {total} candidates\033[K")
        sys.stderr.flush()


def _tell(found: SubmitReport) -> None:
    """Say what a submission changed."""
    from ...workflows.campaign.turned_away import turned_away_lines

    if found.is_new:
        say(
            f"campaign {found.campaign_id}: {found.n_candidates} candidates, {found.n_orderings} ordered structures, "
            f"{found.n_rejected} turned away"
        )
    else:
        changed = f"changed: {', '.join(found.changed)}" if found.changed else "its file says the same as before"
        say(
            f"campaign {found.campaign_id}: {found.n_new} new candidates of {found.n_candidates}, "
            f"{found.n_rejected} of them turned away; {changed}"
        )
        if found.n_not_named:
            say(f"{found.n_not_named} candidates that the file no longer names stay in the campaign")
    for told in turned_away_lines(found.turned_away):
        say(told)
    for warning in found.warnings:
        say(f"warning: {warning}.")
    counts = ", ".join(f"{number} {status}" for status, number in sorted(found.counts.items()))
    say(f"now: {counts or 'no candidates'}; go on with `superion campaign run {found.campaign_id}`")
