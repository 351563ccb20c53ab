"""`superion campaign run`: compute what a campaign needs, here or on the cluster that its file names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import opened_campaigns
from .submit import WorkersOption, refuse_without_candidates, submit_file

OnceOption = Annotated[
    bool,
    typer.Option(
        "--once",
        help="On a cluster: take in what is done, hand over what is wanted, and end; for cron, or a login node that "
        "kills what stays.",
    ),
]
BackgroundOption = Annotated[
    bool, typer.Option("--background", help="Go on without this terminal; the log is in the campaign's folder.")
]

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
    once: OnceOption = False,
    background: BackgroundOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a campaign until nothing is left to do: here, or on the cluster that its file names under `dispatch`.

    It may be killed at any moment: the same command goes on, and what is in a cluster's queue goes on without it.
    Failed units do not stop the others.
    """
    refuse_both(once=once, background=background)
    if campaign is not None and Path(campaign).suffix.lower() in (".yaml", ".yml"):
        found = submit_file(Path(campaign), store=store, workers=workers)
        campaign = found.campaign_id
        # listed there with their reasons
        n_turned_away = len(found.turned_away)
        refuse_without_candidates(campaign, found.n_candidates - n_turned_away, n_turned_away)
    drive(campaign, workers=workers, store=store, as_json=as_json, unpause=False, once=once, background=background)


def refuse_both(*, once: bool, background: bool) -> None:
    """Refuse two options that contradict each other, before anything is done.

    Parameters
    ----------
    once : bool
        Whether one pass is enough.
    background : bool
        Whether another process goes on.

    Raises
    ------
    SettingsError
        If both are given.
    """
    from ...errors import SettingsError

    if once and background:
        raise SettingsError(
            "--once makes one pass and ends, and --background goes on without the terminal: leave one of them out."
        )


def drive(
    name: str | None,
    *,
    workers: int | None,
    store: str | None,
    as_json: bool,
    unpause: bool,
    once: bool = False,
    background: bool = False,
) -> None:
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
    once : bool
        Whether one pass is enough; for clusters.
    background : bool
        Whether another process does it, and this one ends.

    Raises
    ------
    typer.Exit
        With a non-zero status where it stopped before its end, or units failed.
    SettingsError
        If options contradict each other.
    """
    refuse_both(once=once, background=background)
    from ...errors import SettingsError
    from ...workflows.campaign.coordinate import coordinate_campaign
    from ...workflows.campaign.pause import set_paused
    from ...workflows.campaign.prepared import prepare_campaign
    from ...workflows.campaign.runner import run_campaign
    from ...workflows.campaign.turned_away import turned_away, turned_away_lines
    from ...workflows.report.numbers import format_duration
    from .background import start_in_background
    from .run_view import run_view

    with opened_campaigns(store) as opened:
        record = opened.find(name)
        name = record.campaign_id
        away = turned_away(opened.collections, name)
        n_usable = sum(opened.collections.count_by_status(name).values()) - len(away)
        if not n_usable:
            for line in turned_away_lines(away):
                say(line)
        refuse_without_candidates(name, n_usable, len(away))
        if unpause:
            record = set_paused(opened.collections, record, False)
        if background:
            started = start_in_background(name, opened.project, store=store, workers=workers)
            if as_json:
                write_json({"campaign": name, **started.as_dict()})
            say(f"process {started.pid} goes on with campaign {name}; it writes to {started.log}")
            return
        is_local = prepare_campaign(record, store=opened.collections.jobs).file.dispatch.is_local
        if once and is_local:
            raise SettingsError(
                "--once is for campaigns on clusters, and this one runs on this machine: leave the option out."
            )
        ends = "stops it cleanly" if is_local else "ends this coordinator, and the queue goes on"
        say(f"campaign {name}: Ctrl-C {ends}; `superion campaign resume {name}` continues it")
        with run_view(opened, name) as view:
            if is_local:
                report = run_campaign(name, opened.collections, opened.project, workers=workers, on_event=view.on_event)
            else:
                try:
                    report = coordinate_campaign(
                        name, opened.collections, opened.project, once=once, on_event=view.on_event
                    )
                except KeyboardInterrupt:
                    say(f"interrupted; what is in the queue goes on, and so does `superion campaign resume {name}`")
                    sys.stdout.flush()
                    # Connections to a server that is away close only after a wait for it.
                    os._exit(INTERRUPTED)
    if as_json:
        write_json({"campaign": name, **vars(report)})
    counts = ", ".join(f"{number} {status}" for status, number in sorted(report.counts.items()))
    say(f"{report.n_finished} units in {format_duration(report.elapsed_s)}; candidates: {counts}")
    if report.n_failed:
        say(f"{report.n_failed} units failed: `superion campaign retry {name} --failed` tries them again")
    if report.state == "stopped" and once:
        say(f"{report.reason}; `superion campaign status {name}` shows how far it is")
        return
    if report.state == "stopped":
        say(f"stopped: {report.reason}; go on with `superion campaign resume {name}`")
        raise typer.Exit(INTERRUPTED if "SIG" in (report.reason or "") else 1)
    if report.n_failed:
        raise typer.Exit(1)
