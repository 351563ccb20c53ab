"""`superion campaign logs`: what the jobs of a candidate printed."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import results_console, say, write_json
from ..options import JsonOption, StoreOption
from .opened import opened_campaigns


def logs(
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="Name of a material, or the candidate's id.")],
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="The campaign; not needed where the store has only one.")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="Only this stage; the last one begun if left out.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where a candidate's jobs ran, what they printed last, and how they failed."""
    from ...workflows.campaign.logs import read_candidate_logs

    with opened_campaigns(store) as opened:
        found = read_candidate_logs(opened.find(campaign), opened.collections, opened.known_project, candidate, stage)
    if as_json:
        write_json([vars(log) for log in found])
        return
    if not found:
        say("no job of it has left anything: jobs that ended well on this machine leave no log")
    console = results_console()
    for log in found:
        place = f" in {log.place}" if log.place else ""
        console.print(f"{log.name} ({log.engine_id}): {log.state}{place}", markup=False, style="bold", soft_wrap=True)
        if log.text.strip():
            console.print(log.text.rstrip(), markup=False, highlight=False, soft_wrap=True)
