"""Radial distribution functions g(r) between two kinds of atoms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError
from .pair_distances import count_pairs, shell_edges, shell_volumes


@dataclass(frozen=True)
class RadialDistribution:
    """How the neighbours of an atom are distributed in distance.

    Parameters
    ----------
    distance_angstrom : (n_bins,) array
        Middles of the shells in Å.
    g : (n_bins,) array
        Density of neighbours over their mean density; 1 where there is no order.
    coordination_number : (n_bins,) array
        Mean number of neighbours up to the outer edge of each shell.
    n_frames : int
        Frames averaged over.
    """

    distance_angstrom: NDArray[np.float64]
    g: NDArray[np.float64]
    coordination_number: NDArray[np.float64]
    n_frames: int


def radial_distribution(
    positions_angstrom: NDArray[np.floating],
    cell_angstrom: NDArray[np.floating],
    indices_a: NDArray[np.integer],
    indices_b: NDArray[np.integer],
    *,
    max_distance_angstrom: float | None = None,
    bin_width_angstrom: float = 0.05,
    frame_stride: int = 1,
) -> RadialDistribution:
    """Return g(r) of atoms b around atoms a, averaged over frames.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) array
        Positions in Å, wrapped or not.
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.
    indices_a, indices_b : (n_a,) and (n_b,) arrays of int
        Central atoms and their neighbours: the same atoms, or atoms of which none is in both.
    max_distance_angstrom : float or None
        Greatest distance in Å; None takes half the smallest distance between faces of the cell.
    bin_width_angstrom : float
        Width of a shell in Å.
    frame_stride : int
        Take every so manieth frame.

    Returns
    -------
    RadialDistribution
        Among like atoms the mean density is that of the n − 1 others, so that an ideal gas has g = 1 in any cell.

    Raises
    ------
    AnalysisError
        The distances do not fit the cell, or the kinds overlap in part or are empty.

    Examples
    --------
    >>> import numpy as np
    >>> positions = np.array([[[0.0, 0, 0], [2.0, 0, 0]]])
    >>> rdf = radial_distribution(positions, np.eye(3) * 8, [0], [1], bin_width_angstrom=0.5)
    >>> rdf.distance_angstrom[rdf.g > 0].tolist(), float(rdf.coordination_number[-1])
    ([2.25], 1.0)
    """
    atoms_a, atoms_b = np.asarray(indices_a, dtype=np.intp), np.asarray(indices_b, dtype=np.intp)
    like = np.array_equal(atoms_a, atoms_b)
    if not like and np.intersect1d(atoms_a, atoms_b).size:
        raise AnalysisError("The two kinds of atoms share some atoms; give the same atoms twice, or disjoint ones.")
    n_neighbours = atoms_b.size - int(like)
    if atoms_a.size == 0 or n_neighbours < 1:
        raise AnalysisError("A radial distribution needs at least one pair of atoms; choose other elements.")
    cell = np.asarray(cell_angstrom, dtype=float)
    edges = shell_edges(cell, max_distance_angstrom, bin_width_angstrom)
    inverse = np.linalg.inv(cell)
    counts = np.zeros(edges.size - 1, dtype=np.int64)
    frames = range(0, len(positions_angstrom), frame_stride)
    for frame in frames:
        positions = np.asarray(positions_angstrom[frame], dtype=float)
        counts += count_pairs(
            positions[atoms_a] @ inverse, positions[atoms_b] @ inverse, cell, edges, exclude_same_index=like
        )
    per_atom = counts / (len(frames) * atoms_a.size)
    density = n_neighbours / abs(np.linalg.det(cell))
    return RadialDistribution(
        distance_angstrom=0.5 * (edges[1:] + edges[:-1]),
        g=per_atom / (density * shell_volumes(edges)),
        coordination_number=np.cumsum(per_atom),
        n_frames=len(frames),
    )
