"""Compare the scatter of independent replicas with their errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import chdtrc

_SIGNIFICANCE = 0.05


def replica_inflation(values: Sequence[float], variances: Sequence[float]) -> float:
    """Factor by which the scatter of replicas exceeds their single-run errors.

    Parameters
    ----------
    values : sequence of float
        Estimate of each replica.
    variances : sequence of float
        Variance claimed for each, same unit squared.

    Returns
    -------
    float
        √(χ² / degrees of freedom) where χ² is significant at 5 %, else 1. Enlarging errors by every chance scatter
        above one would make the intervals too wide on average.

    Examples
    --------
    >>> replica_inflation([1.0, 1.1], [0.01, 0.01])
    1.0
    >>> round(replica_inflation([1.0, 2.0], [0.01, 0.01]), 3)
    7.071
    """
    degrees = len(values) - 1
    if degrees < 1 or min(variances) <= 0:
        return 1.0
    weights = [1.0 / variance for variance in variances]
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    chi_squared = sum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True))
    if chdtrc(degrees, chi_squared) > _SIGNIFICANCE:
        return 1.0
    return math.sqrt(chi_squared / degrees)
