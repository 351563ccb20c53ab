"""Estimates as marks in a figure: where the point stands, how far its bars reach, which way a bound points."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ....database.properties import PROPERTIES, PropertyEstimate


@dataclass(frozen=True)
class Mark:
    """One coordinate of a point.

    Attributes
    ----------
    position : float
        The value, or the bound where only that is known.
    below, above : float
        Lengths of the 68 % error bar.
    open_end : int
        1 where the truth may lie anywhere above, -1 below, 0 for a value.
    """

    position: float
    below: float = 0.0
    above: float = 0.0
    open_end: int = 0


def mark_of(name: str, estimate: PropertyEstimate | None) -> Mark | None:
    """Find where an estimate stands on the axis of its property.

    Parameters
    ----------
    name : str
        Name of the property.
    estimate : PropertyEstimate or None
        The estimate.

    Returns
    -------
    Mark or None
        None where there is nothing that the axis can show: no number, an infinite one, or one that is not above zero
        on a logarithmic axis.

    Examples
    --------
    >>> mark_of("sigma_300k_ms_cm", PropertyEstimate(bound="upper", limit=0.01))
    Mark(position=0.01, below=0.0, above=0.0, open_end=-1)
    """
    if estimate is None:
        return None
    position = estimate.value if estimate.value is not None else estimate.limit
    is_logarithmic = name in PROPERTIES and PROPERTIES[name].logarithmic
    if position is None or not math.isfinite(position) or (is_logarithmic and position <= 0.0):
        return None
    open_end = {None: 0, "upper": -1, "lower": 1}[estimate.bound]
    if estimate.value is None or estimate.interval_68 is None:
        return Mark(position, open_end=open_end)
    below, above = position - estimate.interval_68[0], estimate.interval_68[1] - position
    below = below if math.isfinite(below) else 0.0
    if is_logarithmic:
        below = min(below, 0.97 * position)
    return Mark(position, max(0.0, below), max(0.0, above) if math.isfinite(above) else 0.0, open_end)


def axis_label(name: str) -> str:
    """Name an axis with its unit.

    Parameters
    ----------
    name : str
        Name of the property.

    Returns
    -------
    str
        Such as ``σ(300 K) (mS cm⁻¹)``.
    """
    if name not in PROPERTIES:
        return name
    label, _, unit = PROPERTIES[name].label.partition(" / ")
    return f"{label}  ({unit})" if unit else label
