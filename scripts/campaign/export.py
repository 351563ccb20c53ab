"""`superion campaign export`: one file for a colleague."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns


def export(
    campaign: CampaignArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write; CAMPAIGN.zip if not given."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over what is there.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a campaign into one file: its record, candidates and stage documents as plain JSON in a ZIP archive.

    Trajectories stay where they are.
    """
    from ...workflows.campaign.export import export_campaign

    with opened_campaigns(store) as opened:
        record = opened.find(campaign)
        target = output or Path(f"{record.campaign_id}.zip")
        found = export_campaign(record, opened.collections, target, overwrite=overwrite)
    if as_json:
        write_json(vars(found))
    say(
        f"wrote {found.path} ({found.n_bytes / 1e6:.3g} MB): {found.n_candidates} candidates, {found.n_documents} "
        f"stage documents; take it in with `superion campaign import {found.path.name}`"
    )
