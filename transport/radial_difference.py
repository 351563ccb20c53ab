"""How much two radial distributions differ, as a part of the neighbours."""

from __future__ import annotations

import numpy as np

from ..errors import AnalysisError
from .radial_distribution import RadialDistribution


def radial_difference(one: RadialDistribution, other: RadialDistribution) -> float:
    """Return the part of the neighbours that are at other distances.

    Parameters
    ----------
    one, other : RadialDistribution
        With the same shells.

    Returns
    -------
    float
        Half the sum of absolute differences of the neighbours in each shell, over the mean number of neighbours: 0 for
        equal distributions, 1 for ones without a common distance.

    Raises
    ------
    AnalysisError
        If the shells differ or there are no neighbours.

    Examples
    --------
    >>> shells = np.array([1.0, 2.0])
    >>> one = RadialDistribution(shells, np.array([1.0, 0.0]), np.array([1.0, 1.0]), 1)
    >>> other = RadialDistribution(shells, np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1)
    >>> radial_difference(one, other)
    1.0
    """
    if one.distance_angstrom.shape != other.distance_angstrom.shape or not np.allclose(
        one.distance_angstrom, other.distance_angstrom
    ):
        raise AnalysisError("The two radial distributions have different shells: compute both for the same cell.")
    first = np.diff(one.coordination_number, prepend=0.0)
    second = np.diff(other.coordination_number, prepend=0.0)
    total = 0.5 * (first.sum() + second.sum())
    if total <= 0:
        raise AnalysisError("There are no neighbours within the distances of the radial distributions.")
    return float(0.5 * np.abs(first - second).sum() / total)
