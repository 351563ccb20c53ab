"""Which of two rows is greater, where bounds leave that open."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..properties import Interval, PropertyEstimate


def range_of(estimate: PropertyEstimate) -> Interval:
    """Find where a number lies, errors aside: at its value, or anywhere beyond its bound.

    Parameters
    ----------
    estimate : PropertyEstimate
        An estimate; where it has both a value and a bound, the bound is what is claimed.

    Returns
    -------
    tuple of float
        Lower and upper end, both included; equal for a value, one of them infinite for a bound.

    Examples
    --------
    >>> range_of(PropertyEstimate(bound="upper", limit=1e-7)), range_of(PropertyEstimate(value=2.0))
    ((-inf, 1e-07), (2.0, 2.0))
    """
    if estimate.bound is not None and estimate.limit is not None:
        return (-math.inf, estimate.limit) if estimate.bound == "upper" else (estimate.limit, math.inf)
    assert estimate.value is not None  # an estimate has a value or a bound
    return estimate.value, estimate.value


def pair_signs(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int8]:
    """Order all pairs as far as their ranges decide it.

    Parameters
    ----------
    low, high : ndarray, shape (..., n)
        Ends of the ranges, both included; leading axes are separate tables.

    Returns
    -------
    ndarray of int8, shape (..., n, n)
        At [i, j]: 1 if i is greater wherever in their ranges the two lie, -1 if j is, 0 where they are equal or the
        ranges leave it open.

    Raises
    ------
    ValueError
        If the shapes differ, or a range is upside down or not a number.

    Examples
    --------
    A value of 3, one of 1, and something below 2:

    >>> pair_signs(np.array([3.0, 1.0, -np.inf]), np.array([3.0, 1.0, 2.0])).tolist()
    [[0, 1, 1], [-1, 0, 0], [-1, 0, 0]]
    """
    if low.shape != high.shape:
        raise ValueError(f"{low.shape} lower ends and {high.shape} upper ends do not belong together")
    if not np.all(low <= high):
        raise ValueError("a range needs a lower end that is not above its upper end")
    greater = low[..., :, None] > high[..., None, :]
    return greater.astype(np.int8) - np.swapaxes(greater, -1, -2).astype(np.int8)
