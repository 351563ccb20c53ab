"""The page of one candidate: its numbers, its way through the stages, its structure, and what stands behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ....database.documents.candidate_summary import CandidateSummary, OrderingSummary
from ....database.properties import PROPERTIES, PropertyEstimate
from ....errors import StructureError
from ..html_parts import Column, Markup, bullets, escape, facts, figure, formula_markup, section, table
from ..numbers import NOT_AVAILABLE, format_interval, format_number
from ..provenance_rows import document_rows, software_rows
from ..sections.registry import require_section
from ..structure_text import poscar_details
from .evidence import CandidateEvidence, StageEvidence
from .structure_view import MOST_ATOMS, structure_svg
from .value_text import estimate_text, property_label

if TYPE_CHECKING:
    from .view import CampaignView

MOST_DRAWN_ORDERINGS = 4
"""Ordered structures that are drawn; of more, the first ones that are kept."""


def candidate_body(evidence: CandidateEvidence, view: CampaignView) -> Markup:
    """Build the contents of a candidate's page.

    Parameters
    ----------
    evidence : CandidateEvidence
        What is known of it.
    view : CampaignView
        Its campaign.

    Returns
    -------
    Markup
        HTML.
    """
    row = evidence.row
    parts = [
        _header(row, view),
        _reason(row),
        _property_section(row),
        _way_section(row, view),
        _structure_section(evidence),
        _origin_section(row),
        section("Notes", bullets([*row.notes, *evidence.problems])),
    ]
    articles: list[Markup] = []
    for number, stage in enumerate(evidence.stages):
        briefs, own = _source_parts(stage, number)
        parts.append(_stage_section(stage, briefs))
        articles += own
    return Markup(f'<article id="candidate">{"".join(parts)}</article>{"".join(articles)}')


def _header(row: CandidateSummary, view: CampaignView) -> Markup:
    """Name, formula, rank and the way back."""
    title = formula_markup(row.label) if row.label == row.formula else escape(row.label)
    words: list[object] = [formula_markup(row.formula)]
    if row.mobile_ion:
        words.append(f"mobile ion {row.mobile_ion}")
    rank = view.places.get(row.key)
    if rank is not None and view.by is not None:
        words.append(f"rank {rank} of {len(view.places):,} by {property_label(view.by)[0]}")
    if row.key in view.probabilities:
        words.append(f"in the top {view.top_k} with probability {100.0 * view.probabilities[row.key]:.0f} %")
    if row.key in view.on_front:
        words.append("on the Pareto front")
    words.append(f"candidate {row.candidate_id}")
    badge = (
        f'<span class="badge {"failed" if row.status in ("rejected", "failed") else ""}">{escape(row.status)}</span>'
    )
    return Markup(
        f'<nav><a href="../index.html">Campaign {escape(view.record.campaign_id)}</a></nav>'
        f"<header><h1>{title}{badge}</h1>"
        f'<p class="subtitle">{" · ".join(escape(word) for word in words)}</p></header>'
    )


def _reason(row: CandidateSummary) -> Markup:
    if not row.reason:
        return Markup("")
    where = f" in the stage {row.stage}" if row.stage else " before the stages"
    return Markup(
        f'<div class="verdict" role="note"><strong>{escape(row.status.capitalize() + where)}</strong>'
        f"<p>{escape(row.reason)}</p></div>"
    )


def _property_section(row: CandidateSummary) -> Markup:
    """Build the table of all properties, computed and measured."""
    known = {*row.properties, *row.measured}
    names = [*(name for name in PROPERTIES if name in known), *sorted(known - set(PROPERTIES))]
    if not names:
        return Markup("")
    with_measured = bool(row.measured)
    columns = [Column("Property"), Column("Unit"), Column("Value or bound", "", True), Column("68 %", "", True)]
    columns.append(Column("95 %", "", True))
    if with_measured:
        columns += [Column("Measured", "", True), Column("95 %", "measured", True)]
    rows: list[list[object]] = []
    notes = {}
    for number, name in enumerate(names):
        label, unit = property_label(name)
        found, measured = row.properties.get(name), row.measured.get(name)
        cells: list[object] = [label, unit, *_cells(found), *(_cells(measured)[::2] if with_measured else ())]
        rows.append(cells)
        said = [
            note for note in (found and found.note, measured and measured.note and f"measured: {measured.note}") if note
        ]
        notes[number] = "; ".join(said)
    caption = "All that is known, with statistical intervals; “<” and “>” mark a bound in place of a value."
    return section("Properties", table(columns, rows, caption=caption, notes=notes))


def _cells(estimate: PropertyEstimate | None) -> list[str]:
    """Value, 68 % and 95 % interval."""
    if estimate is None:
        return [NOT_AVAILABLE] * 3
    return [estimate_text(estimate), format_interval(estimate.interval_68), format_interval(estimate.interval_95)]


def _way_section(row: CandidateSummary, view: CampaignView) -> Markup:
    """Build the table of the stages that it has reached."""
    names = [*(name for name in view.stages if name in row.stages), *(n for n in row.stages if n not in view.stages)]
    if not names:
        return Markup("")
    return section(
        "Way through the stages",
        table(
            [Column("Stage"), Column("State"), Column("Structures", "", True), Column("Reason")],
            [[n, row.stages[n].state, len(row.stages[n].stage_keys), row.stages[n].reason or ""] for n in names],
            caption="Stages in their order.",
            notes={number: "; ".join(row.stages[name].notes) for number, name in enumerate(names)},
        ),
    )


def _structure_section(evidence: CandidateEvidence) -> Markup:
    """Draw the ordered structures and list them."""
    row = evidence.row
    if not row.orderings:
        return Markup("")
    ranked = len(row.orderings) > 1 and any(ordering.energy_rank is not None for ordering in row.orderings)
    listed = table(
        [
            Column("Structure", "sha256, first letters"),
            Column("Electrostatic energy", "eV", True),
            *([Column("Energy by the potential", "eV/atom", True), Column("Rank", "", True)] if ranked else ()),
            Column("Composition", "largest relative change", True),
            Column("Used"),
        ],
        [
            [
                ordering.fingerprint[:16],
                format_number(ordering.ewald_energy_ev, 6),
                *([format_number(ordering.energy_ev_per_atom, 7), _rank_text(ordering)] if ranked else ()),
                format_number(ordering.composition_deviation),
                "yes" if ordering.kept else f"no longer: {ordering.left_out}" if ordering.left_out else "no longer",
            ]
            for ordering in row.orderings
        ],
        caption=(
            "Ordered structures that stand for the partial occupancies; the largest relative change is that of an "
            "element's amount: 0.1 where 10 atoms became 9 or 11; the rank is that of the energy by the potential, 1 "
            "for the lowest."
            if row.was_disordered
            else "The structure as it was given."
        ),
    )
    chosen = sorted(row.orderings, key=lambda ordering: not ordering.kept)[:MOST_DRAWN_ORDERINGS]
    drawings = [
        _drawing(ordering.structure, row, number, ordering.fingerprint)
        for number, ordering in enumerate(chosen)
        if ordering.structure is not None
    ]
    return section("Structure", *drawings, listed)


def _rank_text(ordering: OrderingSummary) -> str:
    return NOT_AVAILABLE if ordering.energy_rank is None else str(ordering.energy_rank)


def _drawing(plain: Mapping[str, Any], row: CandidateSummary, number: int, fingerprint: str) -> Markup:
    from ....structures.plain_structure import structure_from_plain

    try:
        structure = structure_from_plain(plain)
        svg = structure_svg(
            structure, name=f"cell-{number}", title=f"Structure of {row.label}", mobile_ion=row.mobile_ion
        )
        raw = poscar_details(plain, f"Structure {fingerprint[:16]} (POSCAR)")
    except StructureError as error:
        return Markup(f"<p>{escape(error)}</p>")
    if not svg:
        return Markup(f"<p>A cell of {len(structure):,} atoms is not drawn; {MOST_ATOMS:,} is the limit.</p>{raw}")
    lattice = structure.lattice
    caption = (
        f"Structure {fingerprint[:16]}: {len(structure)} atoms, a, b, c = {lattice.a:.2f}, {lattice.b:.2f}, "
        f"{lattice.c:.2f} Å, α, β, γ = {lattice.alpha:.1f}, {lattice.beta:.1f}, {lattice.gamma:.1f}°, c upwards. "
        "Atoms at a face are drawn at the opposite one too; paler ones are further away; edges behind are dashed."
    )
    return Markup(f"{figure(svg, caption, css_class='narrow')}{raw}")


def _origin_section(row: CandidateSummary) -> Markup:
    """Say where the candidate came from, with what was carried along."""
    carried = ["; ".join(f"{name}: {value}" for name, value in origin.measured.items()) for origin in row.origins]
    if not row.origins:
        return Markup("")
    return section(
        "Where it came from",
        table(
            [Column("Source"), Column("Name there"), Column("Carried along")],
            [[origin.source, origin.identifier, text] for origin, text in zip(row.origins, carried, strict=True)],
            caption="All sources that named this crystal.",
        ),
    )


def _stage_section(stage: StageEvidence, briefs: Sequence[Markup]) -> Markup:
    """Show what one stage found of one ordered structure."""
    document = stage.document
    which = f", structure {stage.number} of {stage.n_structures}" if stage.n_structures > 1 else ""
    remarks: list[object] = [document.reason] if document.reason else []
    remarks += document.notes
    if stage.not_found:
        remarks.append(f"Documents that are not in this store: {', '.join(stage.not_found)}.")
    numbers = [
        (
            _title(name),
            estimate_text(found) + (f", 95 % {format_interval(found.interval_95)}" if found.interval_95 else ""),
        )
        for name, found in document.properties.items()
    ]
    plain = [(name.replace("_", " "), _plain(value)) for name, value in document.details.items() if _is_plain(value)]
    nested = {name: value for name, value in document.details.items() if not _is_plain(value)}
    folded = Markup("")
    if nested:
        text = json.dumps(nested, indent=1, ensure_ascii=False, sort_keys=True, default=str)
        folded = Markup(f'<details class="raw"><summary>Further details</summary><pre>{escape(text)}</pre></details>')
    provenance = facts(
        [*software_rows(document.provenance), *document_rows(document.provenance), ("Stage key", document.stage_key)],
        caption="Where these numbers come from.",
    )
    return section(
        f"Stage {stage.stage}{which}: {document.state}",
        bullets(remarks),
        facts([*numbers, *plain], caption="What it found."),
        folded,
        *briefs,
        Markup(f"<details><summary>Provenance</summary>{provenance}</details>"),
    )


def _source_parts(stage: StageEvidence, number: int) -> tuple[list[Markup], list[Markup]]:
    """Show the documents that a stage sums up: what stands in its own section, and articles that follow."""
    briefs: list[Markup] = []
    articles: list[Markup] = []
    for doc_type in dict.fromkeys(source.document.doc_type for source in stage.sources):
        own = [source for source in stage.sources if source.document.doc_type == doc_type]
        shown = require_section(doc_type)
        brief = shown.brief([source.document for source in own], name=f"stage-{number}")
        if brief is not None:
            briefs.append(brief)
            continue
        for source in own:
            name = f"stage-{number}-{len(articles)}"
            articles.append(shown.article(source.document, name=name, related=source.related))
    return briefs, articles


def _title(name: str) -> str:
    label, unit = property_label(name)
    return f"{label} ({unit})" if unit else label


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format_number(value, 6) if isinstance(value, float) else value
