"""The tables of a campaign: who is ranked, who is not yet, who left and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ....database.documents.candidate_summary import CandidateSummary
from ....database.ranking import RankedRow
from ..html_parts import Column, Markup, bullets, escape, formula_markup, section, table
from ..numbers import format_interval, format_number
from .links import candidate_link
from .value_text import estimate_cell, property_column, property_label
from .view import CampaignView

ROWS_ON_FIRST_PAGE = 200
"""Rows of each table on the first page; where there are more, all of them are on a page of their own."""


def ranking_section(view: CampaignView, pages: Collection[str], *, limit: int | None = ROWS_ON_FIRST_PAGE) -> Markup:
    """Build the table of the ranked candidates.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.
    limit : int or None
        Greatest number of rows; None for all.

    Returns
    -------
    Markup
        HTML.
    """
    if view.ranking is None or not view.ranking.ranked:
        text = "Nothing to rank by is known of any candidate that is still in play."
        return section("Ranking", Markup(f"<p>{escape(text)}</p>"))
    label, unit = property_label(view.ranking.by)
    columns = [Column("Rank", "", True), Column("Candidate"), Column("State")]
    if view.probabilities:
        columns.append(Column("In the top", f"{view.top_k}, probability", True))
    if view.scores:
        columns.append(Column("Score", "0 to 1, weighted", True))
    if view.pareto is not None:
        columns.append(Column("Pareto front"))
    names = view.properties
    columns += [property_column(name) for name in names]
    columns += [property_column(name, is_measured=True) for name in view.measured]
    entries = view.ranking.ranked[:limit]
    rows: list[list[object]] = []
    for entry in entries:
        row = entry.row
        cells: list[object] = [entry.rank, _name_cell(row, pages), row.status]
        if view.probabilities:
            cells.append(f"{100.0 * view.probabilities.get(row.key, 0.0):.0f} %")
        if view.scores:
            score = view.scores.get(row.key)
            interval = format_interval(score.interval_95, 2) if score is not None else ""
            text = escape(format_number(score.score if score is not None else None))
            cells.append(Markup(f'{text}<span class="range">{escape(interval)}</span>') if score is not None else text)
        if view.pareto is not None:
            cells.append("yes" if row.key in view.on_front else "")
        cells += [estimate_cell(row.properties.get(name)) for name in names]
        cells += [estimate_cell(row.measured.get(name)) for name in view.measured]
        rows.append(cells)
    caption = (
        f"Candidates in play by {label}{f' in {unit}' if unit else ''}, best first, with 95 % intervals. “<” and “>” "
        "mark a bound in place of a value: the truth lies beyond it. Candidates that may be any worse than their bound "
        "stand behind those that have a value."
    )
    remarks = []
    if view.wanted_by != view.by and view.wanted_by is not None:
        wanted = property_label(view.wanted_by)[0]
        remarks.append(f"The campaign ranks by {wanted}, of which nothing is known yet: {label} stands in for it.")
    if view.probabilities:
        remarks.append(
            f"The probability of the top {view.top_k} draws every candidate from its own interval or beyond its bound; "
            "errors that all share, such as the potential's, are not in it."
        )
    return section(
        "Ranking",
        bullets(remarks),
        table(columns, rows, caption=caption, notes=_why_bounded(entries, view.by)),
        _cut(len(view.ranking.ranked), limit),
    )


def unranked_section(view: CampaignView, pages: Collection[str], *, limit: int | None = ROWS_ON_FIRST_PAGE) -> Markup:
    """Build the table of the candidates in play that have no place yet.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.
    limit : int or None
        Greatest number of rows; None for all.

    Returns
    -------
    Markup
        HTML; empty where there are none.
    """
    if not view.unranked:
        return Markup("")
    shown = view.unranked[:limit]
    what = f"Nothing is known yet of their {property_label(view.by)[0]}." if view.by else "Nothing to rank by is known."
    listed = table(
        [Column("Candidate"), Column("State"), Column("Stage"), Column("Remark")],
        [[_name_cell(row, pages), row.status, row.stage or "", row.reason or ""] for row in shown],
        caption=f"{len(view.unranked):,} candidates in play without a place. {what}",
    )
    return section("Not ranked yet", listed, _cut(len(view.unranked), limit))


def left_section(view: CampaignView, pages: Collection[str], *, limit: int | None = ROWS_ON_FIRST_PAGE) -> Markup:
    """Build the table of the candidates that were rejected or failed, with the reasons.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.
    limit : int or None
        Greatest number of rows; None for all, with all that is known of them.

    Returns
    -------
    Markup
        HTML; empty where nobody left.
    """
    if not view.left:
        return Markup("")
    names = view.properties if limit is None or len(view.left) <= limit else view.properties[:1]
    shown = view.left[:limit]
    known = [name for name in names if any(name in row.properties for row in shown)]
    measured = [name for name in view.measured if any(name in row.measured for row in shown)]
    listed = table(
        [
            Column("Candidate"),
            Column("State"),
            Column("Stage"),
            *(property_column(name) for name in known),
            *(property_column(name, is_measured=True) for name in measured),
        ],
        [
            [
                _name_cell(row, pages),
                row.status,
                row.stage or "before the stages",
                *(estimate_cell(row.properties.get(name)) for name in known),
                *(estimate_cell(row.measured.get(name)) for name in measured),
            ]
            for row in shown
        ],
        caption=f"{len(view.left):,} candidates that were rejected or failed, those that came furthest first, with the "
        "reason below each.",
        notes={number: row.reason or "no reason given" for number, row in enumerate(shown)},
    )
    return section("Rejected and failed", listed, _cut(len(view.left), limit))


def is_cut(view: CampaignView, limit: int = ROWS_ON_FIRST_PAGE) -> bool:
    """Say whether any table is longer than the first page shows.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    limit : int
        Rows on the first page.

    Returns
    -------
    bool
        True where the page of all candidates is needed.
    """
    n_ranked = len(view.ranking.ranked) if view.ranking is not None else 0
    return max(n_ranked, len(view.unranked), len(view.left)) > limit


def _name_cell(row: CandidateSummary, pages: Collection[str]) -> Markup:
    """Name and formula, linked to the candidate's page where it has one."""
    name = formula_markup(row.label) if row.label == row.formula else escape(row.label)
    below = (
        Markup("") if row.label == row.formula else Markup(f'<span class="range">{formula_markup(row.formula)}</span>')
    )
    return Markup(f"{candidate_link(row, name, pages)}{below}")


def _why_bounded(entries: Sequence[RankedRow], by: str | None) -> dict[int, str]:
    """Say below each row with a bound why it has no value; nothing where no row has one."""
    if by is None or all(entry.is_bound for entry in entries):
        return {}
    notes = {number: entry.row.properties[by].note for number, entry in enumerate(entries) if entry.is_bound}
    return {number: f"no value: {note}" for number, note in notes.items() if note}


def _cut(n_all: int, limit: int | None) -> Markup:
    """Say where the other rows are."""
    if limit is None or n_all <= limit:
        return Markup("")
    return Markup(
        f'<p>The first {limit:,} of {n_all:,} are shown; <a href="all.html">all candidates with all their properties'
        "</a> are on a page of their own.</p>"
    )


def all_sections(view: CampaignView, pages: Collection[str]) -> Sequence[Markup]:
    """Build all tables at full length.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.

    Returns
    -------
    sequence of Markup
        HTML.
    """
    return [build(view, pages, limit=None) for build in (ranking_section, unranked_section, left_section)]
