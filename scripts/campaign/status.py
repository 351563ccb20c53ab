"""`superion campaign status`: how far a campaign is, from any terminal."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from ..console import results_console, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns

_EVERY_S = 2.0


def status(
    campaign: CampaignArgument = None,
    watch: Annotated[
        bool | None,
        typer.Option(
            "--watch/--once",
            help="Go on until the campaign stops, or print once; on a terminal, a running campaign is watched.",
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show per stage what is done, running, waiting, failed and rejected, the throughput and the time left.

    It reads the store and the heartbeats of a driver on this machine, and disturbs neither.
    """
    from rich.live import Live

    from ...workflows.campaign.status import StatusReader
    from .status_view import status_table

    with opened_campaigns(store) as opened:
        name = opened.find(campaign).campaign_id
        reader = StatusReader(name, opened.collections, opened.known_project)
        found = reader.read()
        if as_json:
            write_json(found)
            return
        console = results_console()
        if watch is None:
            watch = sys.stdout.isatty() and found.state == "running"
        if not watch:
            console.print(status_table(found))
            return
        with Live(status_table(found), console=console, refresh_per_second=4) as live:
            while found.state == "running":
                time.sleep(_EVERY_S)
                found = reader.read()
                live.update(status_table(found))
