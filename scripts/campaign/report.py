"""`superion campaign report`: the ranking, the funnel and a page per candidate, as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns

USUAL_PAGES = 25


def report(
    campaign: CampaignArgument = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Folder to write; one among the project's reports if not given."
        ),
    ] = None,
    pages: Annotated[
        int, typer.Option("--pages", min=0, metavar="N", help="Candidates with a page of their own, the best first.")
    ] = USUAL_PAGES,
    candidates: Annotated[
        list[str] | None,
        typer.Option("--candidate", metavar="NAME", help="A further candidate to give a page; may be repeated."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a campaign, at any time: it needs no network, and shows how far the campaign is."""
    from ...workflows.report.campaign import write_campaign_report

    with opened_campaigns(store) as opened:
        name = opened.find(campaign).campaign_id
        folder = output or opened.project.reports / f"campaign-{name}"
        page = write_campaign_report(opened.collections, name, folder, n_pages=pages, asked=candidates or ())
    if as_json:
        write_json({"campaign": name, "page": page})
    say(f"wrote {page}; open it in a browser")
