"""`superion campaign import`: take in a colleague's export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import opened_campaigns


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `superion campaign export` wrote.")],
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="CAMPAIGN", help="Campaign to merge it into; its own name if not given."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge an export into the store; what is settled here stays as it is.

    The file is checked whole before anything is stored, and builds no object. Its results are the word of whoever
    wrote it: they are marked as imported.
    """
    from ...workflows.campaign.import_campaign import import_campaign

    with opened_campaigns(store, create=True) as opened:
        found = import_campaign(file, opened.collections, name=name)
    if as_json:
        write_json(vars(found))
    say(
        f"campaign {found.campaign_id}: {found.n_candidates} new candidates ({found.n_known_candidates} known), "
        f"{found.n_documents} new stage documents ({found.n_known_documents} settled here already)"
    )
    if found.n_equivalent_candidates:
        say(
            f"{found.n_equivalent_candidates} new candidates are equivalent to candidates here, but were computed in "
            "another cell: both stay, with a note"
        )
    if found.is_new:
        say("to run it here, read its campaign file and submit it: what was imported is reused")
    elif found.file_differs:
        say("its campaign file is another one than here: ours is kept, and judged by")
