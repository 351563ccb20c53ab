"""The Pareto front: one property against each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ....database.documents.candidate_summary import CandidateSummary
from ....database.properties import PROPERTIES
from ....database.ranking import pareto_front
from ..figures import EXCLUDED, INK, STYLE
from ..html_parts import Column, Markup, bullets, escape, figure, section, table
from ..svg import figure_svg
from .estimate_marks import Mark, axis_label, mark_of
from .links import candidate_link
from .value_text import estimate_cell, property_column, property_label
from .view import CampaignView

if TYPE_CHECKING:
    from collections.abc import Collection

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 1500
"""Points that are drawn behind the front; of more, the best ranked ones."""

MOST_NUMBERS = 10
"""Points on the front that carry their rank."""

MOST_ON_FRONT = 100
"""Rows of the front that are listed."""

_BEHIND = "#8b959f"
_FEW = 200
"""Points up to which each has its own bars and arrows."""

_TRIANGLES = {(-1, 0): "<", (1, 0): ">", (0, -1): "v", (0, 1): "^"}
"""Markers of bounds where there are too many points for arrows."""


def pareto_figure(
    rows: Sequence[CandidateSummary],
    names: Sequence[str],
    *,
    on_front: Collection[str],
    places: Mapping[str, int] | None = None,
) -> Figure:
    """Draw the first property against each of the others.

    Parameters
    ----------
    rows : sequence of CandidateSummary
        Candidates, best first.
    names : sequence of str
        Two or more properties.
    on_front : collection of str
        Keys of the candidates on the front of all the properties.
    places : mapping of str to int, optional
        Key of a candidate to its place in the ranking, written beside its point.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    first, others = names[0], names[1:]
    n_columns = min(len(others), 2) if len(others) != 1 else 1
    n_lines = -(-len(others) // n_columns)
    with matplotlib.rc_context(STYLE):
        drawing = Figure(figsize=(6.4 if n_columns == 1 else 9.6, 0.45 + 3.9 * n_lines), layout="constrained")
        panels = drawing.subplots(n_lines, n_columns, squeeze=False).ravel()
        for axes, name in zip(panels, others, strict=False):
            _draw_panel(axes, rows, first, name, on_front, places or {})
        for axes in panels[len(others) :]:
            axes.set_visible(False)
        handles: dict[str, Artist] = {}
        for axes in panels[: len(others)]:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        if handles:
            drawing.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=4, fontsize=8.5)
    return drawing


def pareto_section(view: CampaignView, pages: Collection[str]) -> Markup:
    """Build figure and table of the front.

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
    if view.pareto is None:
        text = "A Pareto front needs two properties, and fewer are known of the candidates in play."
        return section("Pareto front", Markup(f"<p>{escape(text)}</p>"))
    names = view.pareto_names
    labels = [property_label(name)[0] for name in names]
    ordered = [row for row in view.best_first() if row.status not in ("rejected", "failed")]
    behind = [row for row in ordered if row.key not in view.on_front]
    drawn_keys = view.on_front | {row.key for row in behind[:MOST_POINTS]}
    drawn = [row for row in ordered if row.key in drawn_keys]
    front = [row for row in ordered if row.key in view.on_front]
    svg = figure_svg(
        pareto_figure(drawn, names, on_front=view.on_front, places=view.places),
        name="pareto",
        title=f"{labels[0]} against {', '.join(labels[1:])}",
        description=f"{len(front)} of {len(view.pareto.rows)} candidates are on the Pareto front of "
        f"{', '.join(labels)}. On the front: {', '.join(row.label for row in front[:MOST_NUMBERS])}.",
    )
    caption = (
        f"Diamonds: candidates that no other one surely beats in all of {', '.join(labels)}; numbers are ranks. "
        "Stepped line: the front of the two properties of the panel alone. Bars: 68 % intervals; arrows: bounds, "
        "the truth lying that way. Among many points only those on the front have bars, and triangles mark bounds. "
        "“Better” says which corner is wanted."
    )
    remarks = []
    if len(behind) > MOST_POINTS:
        remarks.append(f"Behind the front, the best {MOST_POINTS:,} of {len(behind):,} candidates are drawn.")
    if view.pareto.unranked:
        remarks.append(
            f"{len(view.pareto.unranked):,} candidates in play lack one of these properties and stand outside the "
            "comparison; a panel shows those that have its two."
        )
    if len(front) > MOST_ON_FRONT:
        remarks.append(f"The best {MOST_ON_FRONT} of {len(front):,} candidates on the front are listed.")
    listed = table(
        [Column("Rank", "", True), Column("Candidate"), *(property_column(name) for name in names)],
        [
            [
                view.places.get(row.key, ""),
                candidate_link(row, escape(row.label), pages),
                *(estimate_cell(row.properties.get(name)) for name in names),
            ]
            for row in front[:MOST_ON_FRONT]
        ],
        caption="Candidates on the Pareto front, best ranked first.",
    )
    css = "narrow" if len(names) == 2 else ""
    return section("Pareto front", figure(svg, caption, css_class=css), bullets(remarks), listed)


def _draw_panel(
    axes: Axes,
    rows: Sequence[CandidateSummary],
    x_name: str,
    y_name: str,
    on_front: Collection[str],
    places: Mapping[str, int],
) -> None:
    """Draw one pair of properties."""
    for scale, name in ((axes.set_xscale, x_name), (axes.set_yscale, y_name)):
        if PROPERTIES[name].logarithmic:
            scale("log")
    points: list[tuple[CandidateSummary, Mark, Mark]] = []
    for row in rows:
        x, y = mark_of(x_name, row.properties.get(x_name)), mark_of(y_name, row.properties.get(y_name))
        if x is not None and y is not None:
            points.append((row, x, y))
    behind = [point for point in points if point[0].key not in on_front]
    front = [point for point in points if point[0].key in on_front]
    few = len(points) <= _FEW
    _draw_points(axes, behind, "behind the front", _BEHIND, marker="o", size=4.2, face="white", few=few)
    _draw_points(axes, front, "on the front of all", INK, marker="D", size=6.2, face=INK, few=len(front) <= _FEW)
    _draw_stairs(axes, [row for row, _, _ in points], x_name, y_name)
    numbered = 0
    for row, x, y in front:
        if row.key in places and numbered < MOST_NUMBERS:
            numbered += 1
            axes.annotate(
                str(places[row.key]),
                (x.position, y.position),
                xytext=(6, 5),
                textcoords="offset points",
                fontsize=8.5,
                fontweight="bold",
                color=INK,
                zorder=7,
            )
    axes.set_xlabel(axis_label(x_name))
    axes.set_ylabel(axis_label(y_name))
    axes.margins(0.12)
    right, up = (PROPERTIES[name].better == "higher" for name in (x_name, y_name))
    axes.text(
        0.985 if right else 0.015,
        0.975 if up else 0.025,
        "better →" if right else "← better",
        transform=axes.transAxes,
        ha="right" if right else "left",
        va="top" if up else "bottom",
        fontsize=8.5,
        color="#00614b",
    )


def _draw_points(
    axes: Axes,
    points: Sequence[tuple[CandidateSummary, Mark, Mark]],
    label: str,
    colour: str,
    *,
    marker: str,
    size: float,
    face: str,
    few: bool,
) -> None:
    if not points:
        return
    if few:
        axes.errorbar(
            [x.position for _, x, _ in points],
            [y.position for _, _, y in points],
            xerr=[[x.below for _, x, _ in points], [x.above for _, x, _ in points]],
            yerr=[[y.below for _, _, y in points], [y.above for _, _, y in points]],
            fmt="none",
            ecolor=colour,
            elinewidth=0.9,
            alpha=0.65,
            zorder=3,
        )
    by_marker: dict[str, list[tuple[float, float]]] = {}
    for _, x, y in points:
        shape = marker if few else _TRIANGLES.get((x.open_end, y.open_end), marker)
        by_marker.setdefault(shape, []).append((x.position, y.position))
    for shape, places in by_marker.items():
        axes.plot(
            [x for x, _ in places],
            [y for _, y in places],
            linestyle="none",
            marker=shape,
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=colour,
            label=label if shape == marker else None,
            zorder=5 if face != "white" else 4,
        )
    if few:
        for _, x, y in points:
            _draw_arrows(axes, x, y)


def _draw_arrows(axes: Axes, x: Mark, y: Mark) -> None:
    """Point from a bound to where the truth lies."""
    for dx, dy in ((x.open_end, 0), (0, y.open_end)):
        if dx or dy:
            axes.annotate(
                "",
                (x.position, y.position),
                xytext=(22 * dx, 22 * dy),
                textcoords="offset points",
                arrowprops={"arrowstyle": "<|-", "color": EXCLUDED, "linewidth": 1.0, "shrinkB": 3, "shrinkA": 0},
                zorder=3,
            )


def _draw_stairs(axes: Axes, rows: Sequence[CandidateSummary], x_name: str, y_name: str) -> None:
    """Draw the front of two properties as a stepped line through the candidates on it."""
    pair = pareto_front(rows, [x_name, y_name])
    corners = []
    for row in pair.front:
        x, y = mark_of(x_name, row.properties.get(x_name)), mark_of(y_name, row.properties.get(y_name))
        # A bound is on the front as long as nothing surely beats it: the line goes through values only.
        if x is not None and y is not None and not x.open_end and not y.open_end:
            corners.append((x.position, y.position))
    if len(corners) < 2:
        return
    corners.sort()
    # Towards better x, y gets worse: the line turns where the corner of what is beaten lies.
    is_right = PROPERTIES[x_name].better == "higher"
    axes.step(
        [x for x, _ in corners],
        [y for _, y in corners],
        where="pre" if is_right else "post",
        color="#009e73",
        linewidth=1.3,
        linestyle=(0, (5, 2)),
        label="front of the two alone",
        zorder=2,
    )
