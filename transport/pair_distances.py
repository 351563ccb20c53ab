"""Counting distances between atoms in a periodic cell, shell by shell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError


def greatest_distance_angstrom(cell_angstrom: NDArray[np.floating]) -> float:
    """Return half the smallest distance between opposite faces of a cell.

    Up to there each pair of atoms has one image only.

    Parameters
    ----------
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.

    Returns
    -------
    float
        Distance in Å.

    Examples
    --------
    >>> import numpy as np
    >>> greatest_distance_angstrom(np.diag([10.0, 12.0, 14.0]))
    5.0
    """
    return 0.5 / float(np.max(np.linalg.norm(np.linalg.inv(np.asarray(cell_angstrom, dtype=float)), axis=0)))


def shell_edges(
    cell_angstrom: NDArray[np.floating], max_distance_angstrom: float | None, bin_width_angstrom: float
) -> NDArray[np.float64]:
    """Return the edges of spherical shells, from zero to a distance that the cell allows.

    Parameters
    ----------
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.
    max_distance_angstrom : float or None
        Greatest distance in Å; None takes what the cell allows.
    bin_width_angstrom : float
        Width of a shell in Å.

    Returns
    -------
    (n_bins + 1,) array
        Edges in Å.

    Raises
    ------
    AnalysisError
        The distance is beyond what the cell allows, or a number is not positive.
    """
    limit = greatest_distance_angstrom(cell_angstrom)
    greatest = limit if max_distance_angstrom is None else max_distance_angstrom
    if not 0 < greatest <= limit * (1 + 1e-9):
        raise AnalysisError(
            f"Pair distances up to {greatest:g} Å do not fit into this cell; take at most {limit:.2f} Å "
            "or a larger cell."
        )
    if not 0 < bin_width_angstrom <= greatest:
        raise AnalysisError(f"The width of a shell must lie between 0 and {greatest:g} Å, not {bin_width_angstrom:g}.")
    n_bins = max(1, int(greatest / bin_width_angstrom + 1e-9))
    return np.asarray(np.arange(n_bins + 1) * bin_width_angstrom, dtype=np.float64)


def shell_volumes(edges_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volumes of spherical shells.

    Parameters
    ----------
    edges_angstrom : (n_bins + 1,) array
        Edges in Å.

    Returns
    -------
    (n_bins,) array
        Volumes in Å³.
    """
    return np.asarray(4.0 / 3.0 * np.pi * np.diff(edges_angstrom**3), dtype=np.float64)


def count_pairs(
    fractional_a: NDArray[np.float64],
    fractional_b: NDArray[np.float64],
    cell_angstrom: NDArray[np.floating],
    edges_angstrom: NDArray[np.float64],
    *,
    exclude_same_index: bool,
) -> NDArray[np.int64]:
    """Count the pairs a-b in each shell, by the nearest image.

    Parameters
    ----------
    fractional_a : (n_a, 3) array
        Fractional coordinates of the central atoms.
    fractional_b : (n_b, 3) array
        Fractional coordinates of their neighbours.
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.
    edges_angstrom : (n_bins + 1,) array
        Edges of equally wide shells in Å.
    exclude_same_index : bool
        Whether atom i of a and atom i of b are the same ion and make no pair.

    Returns
    -------
    (n_bins,) array of int
        Counts.
    """
    difference = fractional_b[None, :, :] - fractional_a[:, None, :]
    difference -= np.rint(difference)
    distance = np.linalg.norm(difference @ np.asarray(cell_angstrom, dtype=float), axis=2)
    if exclude_same_index:
        np.fill_diagonal(distance, np.inf)
    within = distance[distance < edges_angstrom[-1]]
    shells = (within / edges_angstrom[1]).astype(np.intp)
    n_bins = edges_angstrom.size - 1
    return np.bincount(np.minimum(shells, n_bins - 1), minlength=n_bins)
