"""Where the truth behind an estimate lies for certain."""

from __future__ import annotations

import math

from ...database.properties import Interval, PropertyEstimate


def certain_range(estimate: PropertyEstimate | None) -> Interval:
    """Say where the truth lies with 95 %, as far as anything is known.

    Parameters
    ----------
    estimate : PropertyEstimate or None
        The estimate; None where there is none.

    Returns
    -------
    tuple of float
        Lower and upper end; a bound, even beside a value, leaves the other side open.

    Examples
    --------
    >>> certain_range(PropertyEstimate(bound="upper", limit=0.1))
    (-inf, 0.1)
    """
    if estimate is None:
        return -math.inf, math.inf
    low, high = estimate.range_95
    if estimate.bound == "upper":
        return -math.inf, high
    if estimate.bound == "lower":
        return low, math.inf
    return low, high
