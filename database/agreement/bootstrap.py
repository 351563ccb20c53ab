"""Intervals from drawing the rows anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..properties import Interval


def bootstrap_weights(n: int, n_resamples: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw how often each row is in each sample of n rows with replacement.

    Parameters
    ----------
    n : int
        Number of rows.
    n_resamples : int
        Number of samples.
    generator : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray, shape (n_resamples, n)
        Whole numbers; each sample sums to n.
    """
    return generator.multinomial(n, np.full(n, 1.0 / n), size=n_resamples).astype(np.float64)


def percentile_interval(replicates: NDArray[np.float64]) -> Interval | None:
    """Find the middle 95 % of bootstrap replicates.

    Parameters
    ----------
    replicates : ndarray, shape (n_resamples,)
        One number per sample; NaN where a sample has none, which is left out.

    Returns
    -------
    tuple of float or None
        None where no sample has a number.

    References
    ----------
    B. Efron, Ann. Stat. 7, 1 (1979), https://doi.org/10.1214/aos/1176344552

    Examples
    --------
    >>> percentile_interval(np.linspace(0.0, 1.0, 1001))
    (0.025, 0.975)
    """
    defined = replicates[np.isfinite(replicates)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)
