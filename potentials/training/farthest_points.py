"""Few and different ones of many: farthest-point choice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def farthest_points(
    points: NDArray[np.floating], n_points: int, already: NDArray[np.floating] | None = None
) -> list[int]:
    """Choose points each of which is as far as possible from those chosen before.

    Parameters
    ----------
    points : ndarray, shape (n, n_features)
        The points.
    n_points : int
        How many to choose; all where there are no more.
    already : ndarray, shape (m, n_features), optional
        Points that are there already; without them the choice starts at the point farthest from the mean.

    Returns
    -------
    list of int
        Indices in the order of the choice; points that equal earlier ones are left out.

    References
    ----------
    T. F. Gonzalez, Theor. Comput. Sci. 38, 293 (1985), https://doi.org/10.1016/0304-3975(85)90224-5

    Examples
    --------
    >>> farthest_points(np.array([[0.0], [1.0], [1.1], [5.0]]), 2)
    [3, 0]
    """
    points = np.asarray(points, dtype=float)
    if len(points) == 0:
        return []
    if already is None or len(already) == 0:
        nearest = np.linalg.norm(points - points.mean(axis=0), axis=1)
        chosen = [int(np.argmax(nearest))]
        nearest = np.linalg.norm(points - points[chosen[0]], axis=1)
    else:
        chosen = []
        differences = points[:, None, :] - np.asarray(already, dtype=float)[None, :, :]
        nearest = np.linalg.norm(differences, axis=2).min(axis=1)
    while len(chosen) < min(n_points, len(points)):
        farthest = int(np.argmax(nearest))
        if nearest[farthest] <= 0.0:
            break
        chosen.append(farthest)
        nearest = np.minimum(nearest, np.linalg.norm(points - points[farthest], axis=1))
    return chosen
