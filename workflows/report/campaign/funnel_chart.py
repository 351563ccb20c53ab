"""The funnel as a chart and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..figures import STYLE
from ..html_parts import Column, Markup, figure, section, table
from ..svg import figure_svg
from .figure_text import drawn_text
from .funnel import OUTCOMES, FunnelStep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_REASONS = 12
"""Kinds of reasons that are told of each stage; the rest are counted together."""

_LOOKS = {
    "passed": ("#123a5e", "", "went on"),
    "held": ("#7ba7cc", "", "held until the others are through"),
    "running": ("#b9d3e8", "", "being computed"),
    "waiting": ("#e6eaee", "", "waiting"),
    "rejected": ("#e69f00", "///", "rejected"),
    "failed": ("#8a3b06", "xxx", "failed, may be tried again"),
}


def funnel_figure(steps: Sequence[FunnelStep]) -> Figure:
    """Draw one bar for each stage, parted by what became of the candidates.

    Parameters
    ----------
    steps : sequence of FunnelStep
        The stages, in order.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context({**STYLE, "hatch.linewidth": 0.6}):
        chart = Figure(figsize=(8.6, 1.25 + 0.52 * len(steps)), layout="constrained")
        axes = chart.subplots()
        positions = list(range(len(steps)))
        starts = [0] * len(steps)
        widest = max((step.n_entered for step in steps), default=0) or 1
        for outcome in OUTCOMES:
            widths = [step.counts[outcome] for step in steps]
            if not any(widths):
                continue
            colour, hatch, label = _LOOKS[outcome]
            axes.barh(
                positions,
                widths,
                left=starts,
                height=0.66,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.6,
                label=label,
            )
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        for position, step in zip(positions, steps, strict=True):
            lost = step.counts["rejected"] + step.counts["failed"]
            text = f"{step.n_entered:,} in" + (f", {lost:,} out" if lost else "")
            axes.text(
                step.n_entered + 0.012 * widest, position, text, va="center", ha="left", fontsize=9, color="#22282f"
            )
        axes.set_yticks(positions, [drawn_text(step.name, 24) for step in steps])
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.22 * widest)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("candidates")
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            chart.legend(loc="outside upper left", ncols=3, fontsize=8.5, handlelength=1.6)
    return chart


def funnel_section(steps: Sequence[FunnelStep]) -> Markup:
    """Build the chart with the numbers behind it and the reasons.

    Parameters
    ----------
    steps : sequence of FunnelStep
        The stages, in order.

    Returns
    -------
    Markup
        HTML.
    """
    told = "; ".join(
        f"{step.name}: {step.n_entered} in, {step.counts['passed']} went on, {step.counts['rejected']} rejected, "
        f"{step.counts['failed']} failed"
        for step in steps
    )
    svg = figure_svg(
        funnel_figure(steps), name="funnel", title="Candidates at each stage", description=f"One bar a stage. {told}."
    )
    counts = table(
        [
            Column("Stage"),
            Column("Came in", "", True),
            Column("Went on", "", True),
            Column("Held", "", True),
            Column("Running", "", True),
            Column("Waiting", "", True),
            Column("Rejected", "", True),
            Column("Failed", "", True),
        ],
        [[step.name, step.n_entered, *(step.counts[outcome] for outcome in OUTCOMES)] for step in steps],
        caption="Candidates at each stage. Held: computed, and waiting for a rule that compares candidates.",
    )
    rows: list[list[object]] = []
    for step in steps:
        shown, rest = step.reasons[:MOST_REASONS], step.reasons[MOST_REASONS:]
        rows += [[step.name, r.outcome, r.n_candidates, r.text, r.example] for r in shown]
        if rest:
            n_others = sum(reason.n_candidates for reason in rest)
            rows.append([step.name, "", n_others, f"{len(rest)} other reasons, listed with the candidates", ""])
    reasons = table(
        [Column("Stage"), Column("Outcome"), Column("Candidates", "", True), Column("Reason"), Column("For example")],
        rows,
        caption="Why candidates left. Reasons that differ in their numbers only are counted together.",
    )
    caption = "How many candidates came into each stage and what became of them."
    return section(
        "The way through the stages", figure(svg, caption, css_class="narrow"), counts, reasons if rows else ""
    )
