"""Drawing what a property may be from its estimate: from the intervals, or beyond a bound."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..aggregate import Z_95
from ..properties import PropertyDefinition, PropertyEstimate

DECADES_BEYOND_A_BOUND = 4.0
"""Over how many powers of ten beyond its bound a logarithmic property is drawn, each equally likely."""

WIDTH_BEYOND_A_BOUND = {"eV": 0.5, "eV/atom": 0.1, "V": 2.0}
"""Over which width beyond its bound another property is drawn evenly, by its unit; others: the bound itself or 1."""


def uniform_numbers(key: str, name: str, n_samples: int, seed: int) -> NDArray[np.float64]:
    """Draw evenly spread numbers that belong to one row and property, whatever else is ranked with it.

    Parameters
    ----------
    key : str
        Key of the row.
    name : str
        Name of the property.
    n_samples : int
        How many.
    seed : int
        Seed of the whole ranking.

    Returns
    -------
    ndarray, shape (n_samples,)
        Strictly between 0 and 1: one in each of `n_samples` equal steps, shuffled.
    """
    digest = hashlib.sha256(f"{name}\x00{key}".encode()).digest()
    generator = np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
    return (generator.permutation(n_samples) + 0.5) / n_samples


def sample_estimate(
    estimate: PropertyEstimate, definition: PropertyDefinition, uniform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn even numbers into samples of a property.

    With a value: normal on each side, on a logarithmic scale where the property is logarithmic, with the widths of
    the 68 % interval, or of the 95 % interval where that is all there is; the value itself where no error is known.
    With a bound: even between it and `DECADES_BEYOND_A_BOUND` or `WIDTH_BEYOND_A_BOUND` beyond it.

    Parameters
    ----------
    estimate : PropertyEstimate
        The estimate.
    definition : PropertyDefinition
        What the property is.
    uniform : ndarray, shape (n,)
        Numbers between 0 and 1; greater ones give greater samples.

    Returns
    -------
    ndarray, shape (n,)
        Samples, as logarithms (base e) where the property is logarithmic.
    """
    logarithmic = definition.logarithmic
    if estimate.bound is not None and estimate.limit is not None:
        limit = _scaled(estimate.limit, logarithmic)
        width = _width_beyond(estimate.limit, definition)
        return limit - width * (1.0 - uniform) if estimate.bound == "upper" else limit + width * uniform
    assert estimate.value is not None  # an estimate has a value or a bound
    center = _scaled(estimate.value, logarithmic)
    below, above = _half_widths(estimate, logarithmic)
    normal = ndtri(uniform)
    return center + np.where(normal < 0.0, below, above) * normal


def _scaled(value: float, logarithmic: bool) -> float:
    """Take the logarithm where errors are even on it; what has none lies below everything."""
    if not logarithmic:
        return value
    return math.log(value) if value > 0.0 else -745.0


def _width_beyond(limit: float, definition: PropertyDefinition) -> float:
    if definition.logarithmic:
        return DECADES_BEYOND_A_BOUND * math.log(10.0)
    return WIDTH_BEYOND_A_BOUND.get(definition.unit, max(abs(limit), 1.0))


def _half_widths(estimate: PropertyEstimate, logarithmic: bool) -> tuple[float, float]:
    """Find the standard deviations below and above the value; 0 where nothing is known."""
    assert estimate.value is not None
    center = _scaled(estimate.value, logarithmic)
    widths: list[float | None] = [None, None]
    for interval, half_width in ((estimate.interval_68, 1.0), (estimate.interval_95, Z_95)):
        if interval is None:
            continue
        for side, end in enumerate(interval):
            scaled = _scaled(end, logarithmic)
            usable = math.isfinite(scaled) and (end > 0.0 or not logarithmic)
            if widths[side] is None and usable:
                widths[side] = max(0.0, abs(scaled - center)) / half_width
    known = [width for width in widths if width is not None]
    # An end that is open is taken to be as wide as a bound: nothing says where the truth stops.
    has_interval = estimate.interval_68 is not None or estimate.interval_95 is not None
    fallback = DECADES_BEYOND_A_BOUND * math.log(10.0) / 2.0 if logarithmic else max(known, default=0.0)
    below, above = (width if width is not None else (fallback if has_interval else 0.0) for width in widths)
    return below, above
