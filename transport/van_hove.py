"""Van Hove correlation functions: where an ion is, and where the others are, a time after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError
from .pair_distances import count_pairs, shell_edges, shell_volumes

MAX_ORIGINS = 1000
"""Time origins averaged over at most: more are correlated and add little."""


@dataclass(frozen=True)
class VanHoveFunction:
    """A van Hove function on a grid of distances and lag times.

    Parameters
    ----------
    lag_ps : (n_lags,) array
        Lag times in ps.
    distance_angstrom : (n_bins,) array
        Middles of the shells in Å.
    values : (n_lags, n_bins) array
        Self part: 4πr²·G_s in 1/Å, whose integral over r is the share of ions found within the greatest distance.
        Distinct part: G_d over the mean density, dimensionless, 1 where there is no order.
    """

    lag_ps: NDArray[np.float64]
    distance_angstrom: NDArray[np.float64]
    values: NDArray[np.float64]


def van_hove_self(
    positions_angstrom: NDArray[np.floating],
    indices: NDArray[np.integer],
    lags: Sequence[int] | NDArray[np.integer],
    frame_interval_ps: float,
    *,
    max_distance_angstrom: float = 8.0,
    bin_width_angstrom: float = 0.05,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> VanHoveFunction:
    """Return the self part: the distribution of the distances that ions have moved after each lag.

    Peaks at the distances between sites show hopping; one peak that widens shows continuous motion.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) array
        Unwrapped positions in Å.
    indices : (n_ions,) array of int
        Atoms to average over.
    lags : sequence of int
        Lags in frames, at least 1.
    frame_interval_ps : float
        Time between frames in ps.
    max_distance_angstrom : float
        Greatest distance in Å.
    bin_width_angstrom : float
        Width of a shell in Å.
    drift_angstrom : (n_frames, 3) array, optional
        Displacement to take off every atom, in Å.

    Returns
    -------
    VanHoveFunction
        4πr²·G_s(r, t) in 1/Å.

    Raises
    ------
    AnalysisError
        A lag does not fit into the run, or there is no ion.

    References
    ----------
    L. Van Hove, Phys. Rev. 95, 249 (1954), 10.1103/PhysRev.95.249.

    Examples
    --------
    >>> import numpy as np
    >>> positions = np.arange(4.0)[:, None, None] * np.array([1.0, 0, 0])
    >>> function = van_hove_self(positions, [0], [1], 0.5, bin_width_angstrom=0.3)
    >>> round(float(function.distance_angstrom[function.values[0].argmax()]), 6), float(function.lag_ps[0])
    (1.05, 0.5)
    """
    atoms = _atoms(indices)
    n_bins = int(max_distance_angstrom / bin_width_angstrom + 1e-9)
    if n_bins < 1 or bin_width_angstrom <= 0:
        raise AnalysisError("The shells of a van Hove function need a positive width below the greatest distance.")
    edges = np.arange(n_bins + 1) * bin_width_angstrom
    values = np.empty((len(lags), n_bins))
    for row, lag in enumerate(lags):
        origins = _origins(positions_angstrom.shape[0], int(lag))
        counts = np.zeros(n_bins)
        for origin in origins:
            step = _ions(positions_angstrom, atoms, drift_angstrom, origin + int(lag))
            step -= _ions(positions_angstrom, atoms, drift_angstrom, origin)
            counts += np.histogram(np.linalg.norm(step, axis=1), bins=edges)[0]
        values[row] = counts / (origins.size * atoms.size * bin_width_angstrom)
    return VanHoveFunction(np.asarray(lags) * frame_interval_ps, 0.5 * (edges[1:] + edges[:-1]), values)


def van_hove_distinct(
    positions_angstrom: NDArray[np.floating],
    cell_angstrom: NDArray[np.floating],
    indices: NDArray[np.integer],
    lags: Sequence[int] | NDArray[np.integer],
    frame_interval_ps: float,
    *,
    max_distance_angstrom: float | None = None,
    bin_width_angstrom: float = 0.1,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> VanHoveFunction:
    """Return the distinct part: where the other ions are, seen from where an ion was a lag before.

    At lag 0 it is the radial distribution function.  A peak that grows at r = 0 shows ions moving into sites
    that others have left: concerted motion.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) array
        Positions in Å.
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.
    indices : (n_ions,) array of int
        The ions, at least two.
    lags : sequence of int
        Lags in frames; 0 is allowed.
    frame_interval_ps : float
        Time between frames in ps.
    max_distance_angstrom : float or None
        Greatest distance in Å; None takes half the smallest distance between faces of the cell.
    bin_width_angstrom : float
        Width of a shell in Å.
    drift_angstrom : (n_frames, 3) array, optional
        Displacement to take off every atom, in Å.

    Returns
    -------
    VanHoveFunction
        G_d(r, t) over the mean density of the n − 1 other ions; 1 where there is no order.

    Raises
    ------
    AnalysisError
        A lag does not fit into the run, the distances do not fit the cell, or there are fewer than two ions.

    References
    ----------
    L. Van Hove, Phys. Rev. 95, 249 (1954), 10.1103/PhysRev.95.249.
    """
    atoms = _atoms(indices)
    if atoms.size < 2:
        raise AnalysisError("The distinct van Hove function needs at least two ions; take a larger cell.")
    cell = np.asarray(cell_angstrom, dtype=float)
    edges = shell_edges(cell, max_distance_angstrom, bin_width_angstrom)
    inverse = np.linalg.inv(cell)
    ideal = (atoms.size - 1) / abs(np.linalg.det(cell)) * shell_volumes(edges)
    values = np.empty((len(lags), edges.size - 1))
    for row, lag in enumerate(lags):
        origins = _origins(positions_angstrom.shape[0], int(lag))
        counts = np.zeros(edges.size - 1, dtype=np.int64)
        for origin in origins:
            before = _ions(positions_angstrom, atoms, drift_angstrom, origin) @ inverse
            after = _ions(positions_angstrom, atoms, drift_angstrom, origin + int(lag)) @ inverse
            counts += count_pairs(before, after, cell, edges, exclude_same_index=True)
        values[row] = counts / (origins.size * atoms.size * ideal)
    return VanHoveFunction(np.asarray(lags) * frame_interval_ps, 0.5 * (edges[1:] + edges[:-1]), values)


def _atoms(indices: NDArray[np.integer]) -> NDArray[np.intp]:
    atoms = np.asarray(indices, dtype=np.intp)
    if atoms.size == 0:
        raise AnalysisError("A van Hove function needs at least one ion; name an element that is in the structure.")
    return atoms


def _origins(n_frames: int, lag: int) -> NDArray[np.intp]:
    """Return time origins, evenly thinned to at most `MAX_ORIGINS`."""
    if not 0 <= lag < n_frames:
        raise AnalysisError(f"A lag of {lag} frames does not fit into a run of {n_frames} frames.")
    available = n_frames - lag
    return np.unique(np.linspace(0, available - 1, min(available, MAX_ORIGINS)).astype(np.intp))


def _ions(
    positions: NDArray[np.floating], atoms: NDArray[np.intp], drift: NDArray[np.floating] | None, frame: int
) -> NDArray[np.float64]:
    ions = np.asarray(positions[frame], dtype=np.float64)[atoms]
    return ions if drift is None else ions - np.asarray(drift)[frame]
