"""`superion campaign rank`: the ranking of a campaign with its uncertainty, as a table or a file."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import SettingsError
from .. import completion
from ..console import results_console, say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns

if TYPE_CHECKING:
    from ...workflows.report.campaign.view import CampaignView

_SHOWN_ROWS = 20


class RankingFormat(StrEnum):
    """What a ranking is written as."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def rank(
    campaign: CampaignArgument = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=1, metavar="N", help="Give the probability of being among the best N.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="PROPERTY",
            help="Property to rank by, its usual better end first.",
            autocompletion=completion.ranked_properties,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="NAME=WEIGHT,…",
            help="Rank by a weighted score, such as sigma_300k=2,energy_above_hull=1.",
        ),
    ] = None,
    pareto: Annotated[
        str | None,
        typer.Option("--pareto", metavar="NAME,…", help="Properties of the Pareto front, separated by commas."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=0, metavar="N", help="At most N rows; 0 for all. 20 in a table if not given."),
    ] = None,
    form: Annotated[
        RankingFormat | None,
        typer.Option("--format", help="What to write; if not given, what the ending of FILE says, else a table."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to FILE: .csv, .json or .parquet."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank the candidates in play: value, probability of the top N, weighted score, Pareto front.

    What is not asked for is as the section `ranking` of the campaign file says, as in the report.
    """
    if by is not None and weights is not None:
        raise SettingsError("--by and --weights exclude each other: rank by a property or by a weighted score.")
    form = _agreed_format(form, output, as_json)
    from ...workflows.report.campaign.ranking_records import ranking_records
    from ...workflows.report.campaign.view import RankingRequest, read_campaign

    asked = RankingRequest(
        by=None if by is None else _ranked_property(by),
        top_k=top_k,
        weights=None if weights is None else _parse_weights(weights),
        pareto=None if pareto is None else tuple(map(_ranked_property, _listed(pareto, "--pareto"))),
    )
    with opened_campaigns(store) as opened:
        view = read_campaign(opened.collections, opened.find(campaign).campaign_id, asked)
    records = ranking_records(view)
    if limit is None:
        limit = _SHOWN_ROWS if form is RankingFormat.TABLE else 0
    shown = records[:limit] if limit else records
    if output is not None:
        from ...database.export import export_records

        say(f"{len(shown)} rows in {export_records(shown, output)}")
        if not as_json:
            return
    if form is RankingFormat.TABLE:
        _print_table(view, shown, len(records))
    elif form is RankingFormat.CSV:
        from ...database.export import records_to_dataframe

        sys.stdout.write(records_to_dataframe(shown).to_csv(index=False, lineterminator="\n"))
    else:
        write_json(shown)


def _agreed_format(form: RankingFormat | None, output: Path | None, as_json: bool) -> RankingFormat:
    """Find what is to be written, and refuse what contradicts itself."""
    if output is not None:
        if form is not None and output.suffix.lower() != f".{form.value}":
            raise SettingsError(
                f"--format {form.value} does not fit the file {output.name}: leave it out, or choose csv, json or "
                "parquet and a file with that ending."
            )
        return RankingFormat.JSON
    if as_json:
        if form not in (None, RankingFormat.JSON):
            raise SettingsError(f"--json and --format {form.value} exclude each other: choose one.")
        return RankingFormat.JSON
    if form is RankingFormat.PARQUET:
        raise SettingsError("Parquet is no text for a terminal: name a file by --output FILE.parquet.")
    return form or RankingFormat.TABLE


def _listed(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise SettingsError(f"{option} names nothing: give properties, separated by commas.")
    return names


def _ranked_property(given: str) -> str:
    """Find the property that is meant, with its unit or without it, one end of which is better."""
    from ...database.property_names import full_name, nearest_property
    from ...database.ranking.ranked import direction_of

    name = full_name(given)
    if name is None:
        raise SettingsError(f"There is no property '{given}' to rank by; did you mean '{nearest_property(given)}'?")
    direction_of(name)
    return name


def _parse_weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in _listed(text, "--weights"):
        given, _, number = part.partition("=")
        name = _ranked_property(given.strip())
        if name in weights:
            raise SettingsError(f"--weights names '{name}' twice: keep one of them.")
        try:
            weights[name] = float(number)
        except ValueError:
            raise SettingsError(
                f"'{part}' is no weight: write a property and a number above zero, such as sigma_300k=2."
            ) from None
    return weights


def _print_table(view: CampaignView, shown: list[dict[str, Any]], n_rows: int) -> None:
    """Print the ranking for a reader."""
    from rich.markup import escape
    from rich.table import Table

    from ...database.properties import PROPERTIES
    from ...workflows.report.numbers import format_interval, format_number
    from ..query import estimate_text

    if not n_rows:
        say("no candidate is in play; `superion campaign status` says where they are")
        return
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    titles = ["rank", "candidate", "label", "formula", "status"]
    titles += [PROPERTIES[view.by].label] if view.by is not None else []
    titles += [f"top {view.top_k}"] if view.places else []
    titles += ["score"] if view.by_score is not None else []
    titles += ["front"] if view.pareto is not None else []
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in ("rank", "candidate"))
    rows = {row.candidate_id: row for row in view.in_play}
    for record in shown:
        cells = ["" if record["rank"] is None else str(record["rank"])]
        cells += [record[name] for name in ("candidate_id", "label", "formula", "status")]
        if view.by is not None:
            cells.append(estimate_text(rows[record["candidate_id"]].properties.get(view.by)))
        if view.places:
            probability = record["top_k_probability"]
            cells.append("" if probability is None else f"{100.0 * probability:.0f} %")
        if view.by_score is not None:
            ends = (record["score_low_95"], record["score_high_95"])
            interval = "" if None in ends else f" {format_interval(ends, 2)}"
            cells.append("" if record["score"] is None else f"{format_number(record['score'])}{interval}")
        if view.pareto is not None:
            cells.append("yes" if record["is_on_front"] else "")
        table.add_row(*map(escape, cells))
    results_console().print(table)
    if view.wanted_by != view.by and view.wanted_by is not None:
        say(f"the campaign ranks by {view.wanted_by}, of which nothing is known yet: {view.by} stands in for it")
    if len(shown) < n_rows:
        say(f"the first {len(shown)} of {n_rows}; --limit 0 shows all")
