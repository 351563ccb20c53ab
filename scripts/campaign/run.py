"""`superion campaign run`: compute what a campaign needs, in parallel processes on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import opened_campaigns
from .submit import WorkersOption, submit_file

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def run(
    campaign: Annotated[
        str | None,
        typer.Argument(
            metavar="[CAMPAIGN|FILE]",
            help="Name of a submitted campaign, or a campaign file, which is submitted first; not needed where the "
            "store has only one campaign.",
        ),
    ] = None,
    workers: WorkersOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a campaign here until nothing is left to do.

    It may be killed at any moment: the same command goes on. Failed units do not stop the others.
    """
    if campaign is not None and Path(campaign).suffix.lower() in (".yaml", ".yml"):
        campaign = submit_file(Path(campaign), store=store, workers=workers).campaign_id
    drive(campaign, workers=workers, store=store, as_json=as_json, unpause=False)


def drive(name: str | None, *, workers: int | None, store: str | None, as_json: bool, unpause: bool) -> None:
    """Run a campaign, show it, and end with the right exit status.

    Parameters
    ----------
    name : str or None
        The campaign; None for the only one.
    workers : int or None
        Processes.
    store : str or None
        Where; None for the project's own store.
    as_json : bool
        Whether the answer goes to standard output as JSON.
    unpause : bool
        Whether a paused campaign goes on.

    Raises
    ------
    typer.Exit
        With a non-zero status where it stopped before its end, or units failed.
    """
    from ...workflows.campaign.pause import set_paused
    from ...workflows.campaign.runner import run_campaign
    from ...workflows.report.numbers import format_duration
    from .run_view import run_view

    with opened_campaigns(store) as opened:
        record = opened.find(name)
        name = record.campaign_id
        if unpause:
            set_paused(opened.collections, record, False)
        say(f"campaign {name}: Ctrl-C stops it cleanly, `superion campaign resume {name}` goes on with it")
        with run_view(opened, name) as view:
            report = run_campaign(name, opened.collections, opened.project, workers=workers, on_event=view.on_event)
    if as_json:
        write_json({"campaign": name, **vars(report)})
    counts = ", ".join(f"{number} {status}" for status, number in sorted(report.counts.items()))
    say(f"{report.n_finished} units in {format_duration(report.elapsed_s)}; candidates: {counts}")
    if report.n_failed:
        say(f"{report.n_failed} units failed: `superion campaign retry {name} --failed` tries them again")
    if report.state == "stopped":
        say(f"stopped: {report.reason}; go on with `superion campaign resume {name}`")
        raise typer.Exit(INTERRUPTED if "SIG" in (report.reason or "") else 1)
    if report.n_failed:
        raise typer.Exit(1)
