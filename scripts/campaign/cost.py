"""`superion campaign cost`: wall, processor and GPU hours so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..console import results_console, say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...workflows.campaign.cost import CampaignCost, Cost


def cost(
    campaign: CampaignArgument = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="How many candidates to name.")] = 10,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum up what a campaign's jobs took: by stage, by candidate, by host.

    Jobs that were killed left no document and are missing; results reused from other campaigns cost nothing.
    """
    from ...workflows.campaign.cost import campaign_cost

    with opened_campaigns(store) as opened:
        name = opened.find(campaign).campaign_id
        found = campaign_cost(name, opened.collections, n_candidates=top)
    if as_json:
        write_json(found)
        return
    results_console().print(_tables(found))
    if found.n_without_times:
        say(f"{found.n_without_times} of {found.n_documents} documents do not say what their jobs took: not counted")


def _tables(found: CampaignCost) -> Any:
    from rich.console import Group
    from rich.text import Text

    parts: list[Any] = [_table(f"campaign {found.campaign_id}", "stage", [*found.stages, found.total])]
    if found.candidates:
        parts += [Text(), _table(None, "candidate", found.candidates)]
    if found.hosts:
        parts += [Text(), _table(None, "host", found.hosts)]
    return Group(*parts)


def _table(title: str | None, what: str, costs: Sequence[Cost]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    table.add_column(what)
    for column in ("jobs", "wall hours", "CPU hours", "GPU hours"):
        table.add_column(column, justify="right")
    for entry in costs:
        hours = [f"{value:.3g}" for value in (entry.wall_hours, entry.cpu_hours, entry.gpu_hours)]
        table.add_row(Text(entry.name), str(entry.n_jobs), *hours)
    return table
