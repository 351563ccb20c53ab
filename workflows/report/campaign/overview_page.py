"""The first page of a campaign's report, and the page that lists all candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from ..html_parts import Markup, bullets, escape, facts, formula_markup, section
from .funnel import funnel_steps
from .funnel_chart import funnel_section
from .links import candidate_link
from .measured_figure import measured_section
from .pareto_figure import pareto_section
from .ranking_table import all_sections, left_section, ranking_section, unranked_section
from .value_text import estimate_text, property_label
from .view import CampaignView

_UNFINISHED = ("waiting", "running", "held")


def overview_body(
    view: CampaignView,
    pages: Collection[str],
    sections: Sequence[Markup],
    potentials: Mapping[str, int],
) -> Markup:
    """Build the contents of the first page.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.
    sections : sequence of Markup
        Sections that follow the Pareto front.
    potentials : mapping of str to int
        Potentials that the documents behind the shown candidates name, with how many documents each.

    Returns
    -------
    Markup
        HTML.
    """
    parts = [
        _header(view),
        _cards(view, pages),
        _said_of_pages(view, pages),
        funnel_section(funnel_steps(view.rows, view.stages)),
        ranking_section(view, pages),
        pareto_section(view, pages),
        *sections,
        measured_section(view, pages),
        unranked_section(view, pages),
        left_section(view, pages),
        _file_section(view, potentials),
    ]
    return Markup(f'<article id="campaign">{"".join(parts)}</article>')


def all_body(view: CampaignView, pages: Collection[str]) -> Markup:
    """Build the contents of the page that lists every candidate.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.

    Returns
    -------
    Markup
        HTML.
    """
    name = escape(view.record.campaign_id)
    head = f'<nav><a href="index.html">Campaign {name}</a></nav><header><h1>{name}: all candidates</h1></header>'
    return Markup(f'<article id="all">{head}{"".join(all_sections(view, pages))}</article>')


def _header(view: CampaignView) -> Markup:
    left_over = sum(row.status in _UNFINISHED for row in view.rows)
    state = f"unfinished: {left_over:,} candidates still to be computed" if left_over else "finished"
    if not view.rows:
        state = "no candidates yet"
    if view.record.paused and left_over:
        state += ", paused"
    described = view.file.description.strip() if view.file is not None else ""
    words = [f"{len(view.rows):,} candidates", f"last change of its rows {_last_change(view)}"]
    if view.file is not None:
        words.insert(1, f"mobile ion {view.file.mobile_ion}, potential {_potential(view)}")
    return Markup(
        f"<header><h1>Campaign {escape(view.record.campaign_id)}"
        f'<span class="badge {"partial" if left_over else ""}">{escape(state)}</span></h1>'
        f'<p class="subtitle">{escape(" · ".join(words))}</p>'
        f"{f'<p>{escape(described)}</p>' if described else ''}</header>"
    )


def _last_change(view: CampaignView) -> str:
    newest = max((row.updated_at for row in view.rows), default=view.record.updated_at)
    return f"{newest:%Y-%m-%d %H:%M} UTC"


def _potential(view: CampaignView) -> str:
    assert view.file is not None
    own = [f"{entry.stage}: {entry.potential.written}" for entry in view.file.stages if entry.potential is not None]
    return view.file.potential.written + (f" ({', '.join(own)})" if own else "")


def _cards(view: CampaignView, pages: Collection[str]) -> Markup:
    """Give the answer at a glance: the best candidate, and what became of all."""
    cards = []
    if view.ranking is not None and view.ranking.ranked:
        best = view.ranking.ranked[0].row
        label, unit = property_label(view.ranking.by)
        name = formula_markup(best.label) if best.label == best.formula else escape(best.label)
        value = f"{label} {estimate_text(best.properties[view.ranking.by])} {unit}"
        cards.append(_card("Best so far", candidate_link(best, name, pages), value))
    done = sum(row.status == "done" for row in view.rows)
    cards.append(_card("Through all stages", f"{done:,}", f"of {len(view.rows):,} candidates"))
    failed = sum(row.status == "failed" for row in view.rows)
    cards.append(_card("Left", f"{len(view.left):,}", f"{len(view.left) - failed:,} rejected, {failed:,} failed"))
    waiting = sum(row.status in _UNFINISHED for row in view.rows)
    if waiting:
        held = sum(row.status == "held" for row in view.rows)
        cards.append(_card("Still to come", f"{waiting:,}", f"{held:,} of them held for a comparison"))
    return Markup(f'<dl class="cards">{"".join(cards)}</dl>')


def _card(name: str, value: object, detail: str) -> str:
    return (
        f'<div class="card"><dt>{escape(name)}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="detail">{escape(detail)}</dd></div>'
    )


def _said_of_pages(view: CampaignView, pages: Collection[str]) -> Markup:
    """Say which candidates have a page of their own."""
    if not view.rows or len(pages) >= len(view.rows):
        return Markup("")
    text = (
        f"{len(pages):,} of {len(view.rows):,} candidates have a page of their own, those whose names are links: the "
        "best ones and those asked for."
    )
    return Markup(f"<p>{escape(text)} <code>superion campaign report --candidate ID</code> adds others.</p>")


def _file_section(view: CampaignView, potentials: Mapping[str, int]) -> Markup:
    """Give the campaign file itself, so that the report can be repeated."""
    text = view.record.file_text
    remarks = []
    if view.file is None:
        remarks.append(
            "The campaign was imported, or made for another version: its file is shown as it is and was not read, so "
            "the usual property, front and order of stages stand in for what it may say."
        )
    rows: list[tuple[str, object]] = [
        ("Campaign file, sha256", hashlib.sha256(text.encode()).hexdigest()),
        ("First submitted", f"{view.record.created_at:%Y-%m-%d %H:%M} UTC"),
        ("Potentials behind the shown pages", "; ".join(f"{name} ({n:,})" for name, n in sorted(potentials.items()))),
    ]
    folded = Markup(f'<details class="raw"><summary>The campaign file</summary><pre>{escape(text)}</pre></details>')
    return section("How to repeat it", bullets(remarks), facts(rows, caption="What the campaign asked for."), folded)
