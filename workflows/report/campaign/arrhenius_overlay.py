"""The Arrhenius lines of several candidates in one figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ....constants import BOLTZMANN_EV_PER_K
from ....database.documents.stage import StageDoc
from ....database.properties import PropertyEstimate
from ..figures import STYLE, add_temperature_axis
from .figure_text import SERIES_COLOURS, SERIES_DASHES, SERIES_MARKERS, drawn_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOM_K = 300.0
"""Temperature that the lines are extrapolated to."""

MOST_SERIES = len(SERIES_COLOURS)
"""Candidates that can be told apart in one figure."""


@dataclass(frozen=True)
class OverlayPoint:
    """Conductivity at one temperature.

    Attributes
    ----------
    temperature_k : float
        Temperature in K.
    sigma_ms_cm : float
        Conductivity, or its 95 % upper bound, in mS/cm.
    interval_68_ms_cm : tuple of float or None
        Interval of the value.
    is_bound : bool
        Whether it is a bound.
    is_used : bool
        Whether it enters the fit.
    """

    temperature_k: float
    sigma_ms_cm: float
    interval_68_ms_cm: tuple[float, float] | None
    is_bound: bool
    is_used: bool


@dataclass(frozen=True)
class OverlayLine:
    """What one ordered structure of a candidate contributes.

    Attributes
    ----------
    points : tuple of OverlayPoint
        Conductivities.
    sigma_300k_ms_cm, activation_energy_ev : float or None
        The fitted line, which goes through its own extrapolation.
    """

    points: tuple[OverlayPoint, ...]
    sigma_300k_ms_cm: float | None
    activation_energy_ev: float | None


@dataclass(frozen=True)
class OverlaySeries:
    """One candidate.

    Attributes
    ----------
    label : str
        Name for the legend.
    lines : tuple of OverlayLine
        One for each ordered structure.
    sigma_300k : PropertyEstimate or None
        σ(300 K) in mS/cm over all orderings.
    """

    label: str
    lines: tuple[OverlayLine, ...]
    sigma_300k: PropertyEstimate | None


def overlay_line(document: StageDoc) -> OverlayLine | None:
    """Take the conductivities from a stage document.

    Parameters
    ----------
    document : StageDoc
        Of any stage; an imported one may hold anything in its details.

    Returns
    -------
    OverlayLine or None
        None where it holds no conductivities.
    """
    listed = document.details.get("temperatures")
    found = [_point(entry) for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    points = tuple(sorted((point for point in found if point is not None), key=lambda point: point.temperature_k))
    if not points:
        return None
    sigma, energy = (document.properties.get(name) for name in ("sigma_300k_ms_cm", "activation_energy_ev"))
    return OverlayLine(points, sigma.value if sigma else None, energy.value if energy else None)


def arrhenius_overlay(series: Sequence[OverlaySeries]) -> Figure:
    """Draw σT of several candidates against 1000/T, with their lines down to 300 K.

    Parameters
    ----------
    series : sequence of OverlaySeries
        At most `MOST_SERIES` candidates, the best first.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        drawing = Figure(figsize=(8.6, 5.4), layout="constrained")
        axes = drawing.subplots()
        axes.set_yscale("log")
        looks = zip(series, SERIES_COLOURS, SERIES_MARKERS, SERIES_DASHES, strict=False)
        for candidate, colour, marker, dashes in looks:
            label: str | None = drawn_text(candidate.label, 40)
            for line in candidate.lines:
                _draw_line(axes, line, colour, dashes)
                _draw_points(axes, line.points, colour, marker, label)
                label = None
            _draw_room(axes, candidate.sigma_300k, colour, marker)
        axes.set_xlabel("1000 / T  (1/K)")
        axes.set_ylabel("σT  (S K/cm)")
        temperatures = {point.temperature_k for one in series for line in one.lines for point in line.points}
        if temperatures:
            low, high = 1000.0 / max(temperatures), 1000.0 / ROOM_K
            axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
            add_temperature_axis(axes, [*sorted(temperatures, reverse=True), ROOM_K])
        if axes.get_legend_handles_labels()[0]:
            drawing.legend(loc="outside right upper", fontsize=8.5)
    return drawing


def _draw_line(axes: Axes, line: OverlayLine, colour: str, dashes: Any) -> None:
    """Draw the fit from the hottest temperature down to 300 K, thin where it extrapolates."""
    sigma, energy = line.sigma_300k_ms_cm, line.activation_energy_ev
    if sigma is None or energy is None or not (sigma > 0.0 and math.isfinite(sigma) and math.isfinite(energy)):
        return
    used = [point.temperature_k for point in line.points if point.is_used] or [ROOM_K]
    inverse = np.linspace(1.0 / max(used), 1.0 / ROOM_K, 120)
    values = 1e-3 * sigma * ROOM_K * np.exp(-energy / BOLTZMANN_EV_PER_K * (inverse - 1.0 / ROOM_K))
    axes.plot(1000.0 * inverse, values, color=colour, linestyle=dashes, linewidth=0.9, alpha=0.75, zorder=2)
    inside = inverse <= 1.0 / min(used) * (1.0 + 1e-9)
    axes.plot(1000.0 * inverse[inside], values[inside], color=colour, linestyle=dashes, linewidth=1.9, zorder=3)


def _draw_points(axes: Axes, points: Sequence[OverlayPoint], colour: str, marker: str, label: str | None) -> None:
    # One entry in the legend for every candidate, even where all it has are bounds.
    axes.plot([], [], color=colour, marker=marker, linestyle="-", linewidth=1.2, markersize=6, label=label)
    for point in points:
        factor = 1e-3 * point.temperature_k
        y = factor * point.sigma_ms_cm
        bars = None
        if point.interval_68_ms_cm is not None and not point.is_bound:
            low, high = (factor * end for end in point.interval_68_ms_cm)
            bars = [[max(0.0, min(y - low, 0.97 * y))], [max(0.0, high - y)]]
        axes.errorbar(
            [1000.0 / point.temperature_k],
            [y],
            yerr=bars,
            fmt=marker,
            markersize=6,
            color=colour,
            markerfacecolor=colour if point.is_used else "white",
            elinewidth=1.0,
            zorder=5,
        )
        if point.is_bound:
            _draw_arrow(axes, 1000.0 / point.temperature_k, y, colour, -1)


def _draw_room(axes: Axes, estimate: PropertyEstimate | None, colour: str, marker: str) -> None:
    """Draw σ(300 K) of the candidate with its 95 % interval, or its bound."""
    if estimate is None:
        return
    value = estimate.value if estimate.value is not None else estimate.limit
    if value is None or not (value > 0.0 and math.isfinite(value)):
        return
    x, factor = 1000.0 / ROOM_K, 1e-3 * ROOM_K
    axes.plot([x], [factor * value], marker=marker, markersize=7, markerfacecolor="white", color=colour, zorder=6)
    interval = estimate.interval_95
    if estimate.value is not None and interval is not None and interval[0] > 0.0 and math.isfinite(interval[1]):
        axes.plot([x, x], [factor * end for end in interval], color=colour, linewidth=1.6, zorder=4)
    if estimate.bound is not None:
        _draw_arrow(axes, x, factor * value, colour, -1 if estimate.bound == "upper" else 1)


def _draw_arrow(axes: Axes, x: float, y: float, colour: str, direction: int) -> None:
    axes.annotate(
        "",
        (x, y),
        xytext=(0, 26 * direction),
        textcoords="offset points",
        arrowprops={"arrowstyle": "<|-", "color": colour, "linewidth": 1.2, "shrinkB": 4},
        zorder=4,
    )


def _point(entry: Mapping[Any, Any]) -> OverlayPoint | None:
    """Read one temperature; None where it gives no number that the figure can show."""
    temperature = _positive(entry.get("temperature_k"))
    value, bound = _positive(entry.get("sigma_ms_cm")), _positive(entry.get("sigma_upper_bound_95_ms_cm"))
    if temperature is None or (value is None and bound is None):
        return None
    given = entry.get("sigma_interval_68_ms_cm")
    interval = None
    if isinstance(given, list | tuple) and len(given) == 2:
        ends = [float(end) for end in given if isinstance(end, int | float) and math.isfinite(end)]
        interval = (ends[0], ends[1]) if len(ends) == 2 else None
    is_bound = value is None
    sigma = value if value is not None else bound
    assert sigma is not None  # one of the two is there
    return OverlayPoint(temperature, sigma, interval, is_bound, entry.get("usable") is True and not is_bound)


def _positive(number: object) -> float | None:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return float(number) if math.isfinite(number) and number > 0.0 else None
