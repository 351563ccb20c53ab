"""Measured values beside computed ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ....database.agreement import agreement_in_words, compare_rows
from ....database.documents.candidate_summary import CandidateSummary
from ....database.properties import PROPERTIES
from ..figures import EXCLUDED, INK, STYLE
from ..html_parts import Column, Markup, bullets, escape, figure, section, table
from ..svg import figure_svg
from .estimate_marks import Mark, axis_label, mark_of
from .figure_text import drawn_text
from .links import candidate_link
from .value_text import estimate_cell, property_column, property_label
from .view import CampaignView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NAMES = 25
"""Up to so many points carry the names of their materials."""

MOST_ROWS = 200
"""Rows of the table."""

MOST_COMPARED = 1000
"""Above so many rows the pages do without correlations: their cost grows with the square."""

_SAMPLES = 1000
"""Bootstrap samples and permutations of the sentence on the agreement; `superion campaign compare` takes more."""


def measured_figure(rows: Sequence[CandidateSummary], name: str) -> Figure:
    """Draw computed against measured values of one property.

    Parameters
    ----------
    rows : sequence of CandidateSummary
        Candidates; those that lack either value are left out.
    name : str
        Name of the property.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    points = []
    for row in rows:
        x, y = mark_of(name, row.measured.get(name)), mark_of(name, row.properties.get(name))
        if x is not None and y is not None:
            points.append((row, x, y))
    with matplotlib.rc_context(STYLE):
        drawing = Figure(figsize=(6.4, 5.8), layout="constrained")
        axes = drawing.subplots()
        is_logarithmic = PROPERTIES[name].logarithmic
        if is_logarithmic:
            axes.set_xscale("log")
            axes.set_yscale("log")
        _draw_diagonal(axes, [mark.position for _, x, y in points for mark in (x, y)], is_logarithmic)
        _draw_points(axes, [(x, y) for _, x, y in points])
        if len(points) <= MOST_NAMES:
            for row, x, y in points:
                axes.annotate(
                    drawn_text(row.label, 18),
                    (x.position, y.position),
                    xytext=(7, -9),
                    textcoords="offset points",
                    fontsize=7.5,
                    color="#3c4650",
                )
        axes.set_xlabel(f"measured {axis_label(name)}")
        axes.set_ylabel(f"computed {axis_label(name)}")
        axes.legend(loc="upper left")
    return drawing


def measured_section(view: CampaignView, pages: Collection[str]) -> Markup:
    """Build figures and tables of all properties that are both measured and computed.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    pages : collection of str
        Ids of the candidates that have a page.

    Returns
    -------
    Markup
        HTML; empty where nothing was measured.
    """
    parts: list[Markup] = []
    for name in view.measured:
        label = property_label(name)[0]
        both = [row for row in view.best_first() if name in row.measured and name in row.properties]
        n_measured = sum(name in row.measured for row in view.rows)
        if not both:
            parts.append(
                Markup(
                    f"<p>{escape(f'{label} was measured of {n_measured:,} candidates, computed of none of them.')}</p>"
                )
            )
            continue
        n_bounds = sum(row.measured[name].bound is not None or row.properties[name].bound is not None for row in both)
        svg = figure_svg(
            measured_figure(both, name),
            name=f"measured-{name.replace('_', '-')}",
            title=f"Computed against measured {label}",
            description=f"{len(both)} candidates of which {label} is both measured and computed, {n_bounds} of them "
            "with a bound for one of the two; the diagonal marks equality.",
        )
        band = " Grey band: within a factor of ten." if PROPERTIES[name].logarithmic else ""
        caption = (
            f"Computed against measured {label}, n = {len(both):,}. Hollow points are bounds, their arrows pointing "
            f"where the truth lies. Bars: 68 % intervals.{band} Candidates that left the campaign are in it as far as "
            "they were computed; a campaign that keeps the best only cannot show an unbiased correlation."
        )
        shown = both[:MOST_ROWS]
        listed = table(
            [Column("Candidate"), property_column(name, is_measured=True), property_column(name), Column("State")],
            [
                [
                    candidate_link(row, escape(row.label), pages),
                    estimate_cell(row.measured[name]),
                    estimate_cell(row.properties[name]),
                    row.status,
                ]
                for row in shown
            ],
            caption=f"Measured and computed {label}, with 95 % intervals; “<” and “>” mark bounds.",
        )
        parts.append(Markup(f"{figure(svg, caption, css_class='narrow')}{_worth(view, name, len(both))}{listed}"))
        missing = [f"{n_measured - len(both):,} more candidates were measured and have no computed value."]
        parts.append(bullets(missing if n_measured > len(both) else []))
        cut = [f"The first {MOST_ROWS} of {len(both):,} are listed."]
        parts.append(bullets(cut if len(both) > MOST_ROWS else []))
    return section("Measured and computed", *parts)


def _worth(view: CampaignView, name: str, n_both: int) -> Markup:
    """Say in words what the agreement is worth, where there is an order to agree on."""
    if PROPERTIES[name].better == "neither" or n_both > MOST_COMPARED:
        return Markup()
    report = compare_rows(view.rows, name, name, n_bootstrap=_SAMPLES, n_permutations=_SAMPLES)
    return Markup(f"<p>{escape(agreement_in_words(report))}</p>")


def _draw_diagonal(axes: Axes, positions: Sequence[float], is_logarithmic: bool) -> None:
    """Draw equality over the whole square, with a band of a factor of ten on logarithmic axes."""
    low, high = min(positions, default=0.1), max(positions, default=1.0)
    if is_logarithmic:
        low, high = low / 12.0, high * 12.0
    else:
        margin = 0.12 * (high - low) or 0.5 * abs(high) or 1.0
        low, high = low - margin, high + margin
    ends = np.array([low, high])
    if is_logarithmic:
        axes.fill_between(ends, ends / 10.0, ends * 10.0, color="#dfe5ea", alpha=0.6, linewidth=0, zorder=1)
    axes.plot(ends, ends, color="#5b6470", linewidth=1.1, linestyle=(0, (5, 3)), label="equal", zorder=2)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")


def _draw_points(axes: Axes, points: Sequence[tuple[Mark, Mark]]) -> None:
    for is_bound, label in ((False, "values"), (True, "bounds")):
        chosen = [(x, y) for x, y in points if bool(x.open_end or y.open_end) == is_bound]
        if not chosen:
            continue
        colour = EXCLUDED if is_bound else INK
        axes.errorbar(
            [x.position for x, _ in chosen],
            [y.position for _, y in chosen],
            xerr=[[x.below for x, _ in chosen], [x.above for x, _ in chosen]],
            yerr=[[y.below for _, y in chosen], [y.above for _, y in chosen]],
            fmt="s" if is_bound else "o",
            markersize=6,
            color=colour,
            markerfacecolor="white" if is_bound else colour,
            elinewidth=1.0,
            label=label,
            zorder=4,
        )
        for x, y in chosen:
            for dx, dy in ((x.open_end, 0), (0, y.open_end)):
                if dx or dy:
                    axes.annotate(
                        "",
                        (x.position, y.position),
                        xytext=(24 * dx, 24 * dy),
                        textcoords="offset points",
                        arrowprops={"arrowstyle": "<|-", "color": colour, "linewidth": 1.1, "shrinkB": 4},
                        zorder=3,
                    )
