"""Drawing values anew from their errors, for intervals that hold these too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..properties import PropertyDefinition, PropertyEstimate
from ..ranking.sampling import sample_estimate
from .pair_order import range_of

Ranges = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Lower and upper ends, shape (..., n)."""


def ranges_of(estimates: Sequence[PropertyEstimate]) -> Ranges:
    """Collect the ranges of estimates, errors aside.

    Parameters
    ----------
    estimates : sequence of PropertyEstimate
        One per row.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Lower and upper ends.
    """
    ends = np.array([range_of(estimate) for estimate in estimates], dtype=np.float64).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def has_error(estimate: PropertyEstimate) -> bool:
    """Find whether an estimate is a value with an error.

    Parameters
    ----------
    estimate : PropertyEstimate
        An estimate.

    Returns
    -------
    bool
        False for bounds.
    """
    return estimate.bound is None and (estimate.interval_68 or estimate.interval_95) is not None


def redrawn_ranges(
    estimates: Sequence[PropertyEstimate],
    definition: PropertyDefinition,
    n_samples: int,
    generator: np.random.Generator,
) -> Ranges:
    """Draw the values many times from their intervals; bounds and values without an error stay as they are.

    Parameters
    ----------
    estimates : sequence of PropertyEstimate
        One per row.
    definition : PropertyDefinition
        What the property is; a logarithmic one is drawn evenly in its logarithm.
    n_samples : int
        How often.
    generator : numpy.random.Generator
        Source of chance.

    Returns
    -------
    tuple of ndarray, shape (n_samples, n)
        Lower and upper ends.
    """
    low, high = (np.tile(ends, (n_samples, 1)) for ends in ranges_of(estimates))
    for position, estimate in enumerate(estimates):
        if not has_error(estimate):
            continue
        # A uniform number of exactly 0 would be drawn as minus infinity.
        uniform = np.clip(generator.random(n_samples), 1e-12, 1.0 - 1e-12)
        drawn = sample_estimate(estimate, definition, uniform)
        low[:, position] = high[:, position] = np.exp(drawn) if definition.logarithmic else drawn
    return low, high
