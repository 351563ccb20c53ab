"""`superion query`: candidates from the store, by flags or in the query language."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingsError
from .console import results_console, say, write_json
from .options import JsonOption, StoreOption
from .threshold_options import given_thresholds

if TYPE_CHECKING:
    from ..database.properties import PropertyEstimate
    from ..database.query import CandidateRows


def query(
    context: typer.Context,
    elements: Annotated[
        str | None, typer.Option("--elements", metavar="Li,P,S", help="Elements that all have to be there.")
    ] = None,
    exclude_elements: Annotated[
        str | None, typer.Option("--exclude-elements", metavar="Ge,Sn", help="Elements none of which may be there.")
    ] = None,
    possible: Annotated[
        bool,
        typer.Option("--possible", help="Keep all whose 95 % range reaches the limits of the --min and --max options."),
    ] = False,
    campaign: Annotated[str | None, typer.Option("--campaign", metavar="NAME", help="Only this campaign.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only waiting, running, held, rejected, failed or done ones.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", metavar="EXPRESSION", help="Such as 'activation_energy < 300 meV and label contains LGPS'."
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="Column to sort by, with - in front for downwards, with .low or .high behind it for an end of its "
            "95 % range. If not given: what campaigns rank by, the best first.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many rows; 0 for all.")] = 20,
    skip: Annotated[int, typer.Option("--skip", min=0, help="Leave out so many rows at the start.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write all columns to FILE: .csv, .json or .parquet."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV on standard output, and nothing else there.")
    ] = False,
) -> None:
    """Find candidates: a table, the best first."""
    if as_json and as_csv:
        raise SettingsError("--json and --csv exclude each other: choose one.")
    from ..database.campaigns import CampaignCollections
    from ..database.export import csv_text, export_rows, json_records
    from ..database.query import query_candidates

    with CampaignCollections.open(store, create=False) as collections, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = query_candidates(
            collections,
            elements=elements or (),
            exclude_elements=exclude_elements or (),
            thresholds=given_thresholds(context),
            possible=possible,
            campaign=campaign,
            status=status,
            where=where,
            sort=sort,
            limit=limit,
            skip=skip,
        )
    _report_scans(caught)
    if output is not None:
        say(f"{len(rows)} rows in {export_rows(rows, output)}")
    if as_json:
        write_json(json_records(rows))
    elif as_csv:
        sys.stdout.write(csv_text(rows))
    elif output is None:
        _print_table(rows, full=limit > 0 and len(rows) == limit)


def _report_scans(caught: list[warnings.WarningMessage]) -> None:
    """Say on standard error that no index answered; other libraries' warnings are none of the user's business."""
    from ..database.query import ScanWarning

    for warning in caught:
        if issubclass(warning.category, ScanWarning):
            say(f"note: {warning.message}")


def estimate_text(estimate: PropertyEstimate | None) -> str:
    """Write an estimate for a table.

    Parameters
    ----------
    estimate : PropertyEstimate or None
        The estimate.

    Returns
    -------
    str
        For example ``1.2 [0.8, 1.9]`` with the 95 % interval, ``< 0.1`` for a bound, nothing where nothing is known.
    """
    from ..workflows.report.numbers import format_interval, format_number

    if estimate is None:
        return ""
    if estimate.bound is not None:
        return f"{'<' if estimate.bound == 'upper' else '>'} {format_number(estimate.limit)}"
    interval = f" {format_interval(estimate.interval_95)}" if estimate.interval_95 else ""
    return f"{format_number(estimate.value)}{interval}"


def _print_table(rows: CandidateRows, *, full: bool) -> None:
    if not rows:
        say("no such candidates; `superion campaign submit FILE` registers some, and --possible asks less")
        return
    from rich.markup import escape
    from rich.table import Table

    from ..database.properties import PROPERTIES

    headings = {name: shown.query_heading for name, shown in PROPERTIES.items() if shown.query_heading is not None}
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    several = len({row.campaign_id for row in rows}) > 1
    titles = [*(["campaign"] if several else []), "candidate", "label", "formula", "status"]
    for title in [*titles, *headings.values(), "reason"]:
        table.add_column(title, overflow="fold", no_wrap=title == "candidate")
    for row in rows:
        cells = [*([row.campaign_id] if several else []), row.candidate_id, row.label, row.formula, row.status]
        cells += [estimate_text(row.properties.get(name)) for name in headings]
        table.add_row(*(escape(cell) for cell in [*cells, row.reason or ""]))
    results_console().print(table)
    if full:
        say(f"the first {len(rows)}; --limit and --skip show more")
