"""Which lag times a fit looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAXIMUM_GRID = 1000
"""Longest run, in grid steps, whose covariance is computed; longer runs use a coarser grid."""

MAXIMUM_LAG_SHARE = 1.0 / 3.0
"""Longest lag of a fit as a share of the run: beyond it the points repeat each other."""

_EARLIEST_SHARE = 1.0 / 8.0


def grid_step(n_frames: int, maximum_grid: int = MAXIMUM_GRID) -> int:
    """Frames per grid step, so that the run has at most `maximum_grid` steps.

    Parameters
    ----------
    n_frames : int
        Frames in the run.
    maximum_grid : int
        Most grid steps wanted.

    Returns
    -------
    int
        Frames per step, at least 1.
    """
    return max(1, -(-n_frames // maximum_grid))


def fit_lags(
    n_steps: int, shortest: float = 1.0, n_lags: int = 32, maximum_share: float = MAXIMUM_LAG_SHARE
) -> NDArray[np.intp]:
    """Logarithmically spaced distinct lags in grid steps, from the shortest to a share of the run.

    Parameters
    ----------
    n_steps : int
        Length of the run in grid steps.
    shortest : float
        First lag wanted, in grid steps; runs too short for it start earlier, at an eighth of their length.
    n_lags : int
        Lags wanted; fewer come back where integers coincide.
    maximum_share : float
        Longest lag as a share of the run.

    Returns
    -------
    ndarray of int
        Increasing lags.

    Examples
    --------
    >>> fit_lags(30, n_lags=5).tolist()
    [1, 2, 3, 6, 10]
    """
    longest = max(6, int(n_steps * maximum_share))
    first = min(max(1.0, shortest), max(1.0, n_steps * _EARLIEST_SHARE))
    return np.unique(np.round(np.geomspace(first, longest, n_lags)).astype(np.intp))
