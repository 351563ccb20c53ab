"""Counting hops: how many there were, how far they went, and how their rarity adds to the error."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .displacement_run import DisplacementRun

_SITE_FRAMES = 50
_CLOSEST_SITES_ANGSTROM = 0.7
_SAME_ANGSTROM = 1e-6
_MEDIAN_SITES = 128


def hop_distance_guess_angstrom(run: DisplacementRun) -> float:
    """Guess the hop distance from the distances between neighbouring mobile sites.

    The median distance from a mobile ion to its nearest like neighbour at the start of the run, where the ions sit
    on their sites, and not more than the spacing of a close-packed sublattice of their density.

    Parameters
    ----------
    run : DisplacementRun
        The run; with its cell, periodic images count as neighbours.

    Returns
    -------
    float
        Hop distance in Å.
    """
    spacing = (math.sqrt(2.0) * run.volume_angstrom3 / run.n_ions) ** (1.0 / 3.0)
    sites = np.asarray(run.positions_angstrom[:_SITE_FRAMES][:, run.mobile_indices], dtype=float).mean(axis=0)
    nearest = _nearest_distances(sites, run.cell_angstrom)
    typical = float(np.median(nearest)) if nearest.size else 0.0
    # Two ions closer than this are no two sites: the density is the better guide.
    return min(typical, spacing) if typical > _CLOSEST_SITES_ANGSTROM else spacing


def _nearest_distances(sites: NDArray[np.float64], cell: NDArray[np.floating] | None) -> NDArray[np.float64]:
    if len(sites) < 2 and cell is None:
        return np.empty(0)
    # A median needs no more centres, and all pairs of a large cell would not fit into memory.
    centres = sites[:: max(1, math.ceil(len(sites) / _MEDIAN_SITES))]
    separation = centres[:, None] - sites[None]
    if cell is None:
        distance = np.linalg.norm(separation, axis=2)
        distance[distance < _SAME_ANGSTROM] = np.inf
        return distance.min(axis=1)
    cell = np.asarray(cell, dtype=float)
    fractional = separation @ np.linalg.inv(cell)
    separation = (fractional - np.round(fractional)) @ cell
    shifts = np.array(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij")).reshape(3, -1).T @ cell
    within = np.einsum("csx,csx->cs", separation, separation)
    nearest = np.full(len(centres), np.inf)
    for shift in shifts:
        # |s + shift|², a fraction of the work of |s + shift| itself.
        square = within + (separation @ (2.0 * shift) + shift @ shift)
        square[square < _SAME_ANGSTROM**2] = np.inf
        nearest = np.minimum(nearest, square.min(axis=1))
    return np.sqrt(nearest)


def effective_hops(greatest_msd_angstrom2: float, n_ions: int, hop_distance_angstrom: float) -> float:
    """Effective number of hops: the largest total MSD over the squared hop distance.

    Parameters
    ----------
    greatest_msd_angstrom2 : float
        Largest MSD per ion in Å².
    n_ions : int
        Number of mobile ions, over all replicas.
    hop_distance_angstrom : float
        Hop distance in Å.

    Returns
    -------
    float
        Effective hops.

    References
    ----------
    He, Zhu, Epstein & Mo, npj Comput. Mater. 4, 18 (2018), 10.1038/s41524-018-0074-y.

    Examples
    --------
    >>> effective_hops(4.5, 20, 3.0)
    10.0
    """
    return greatest_msd_angstrom2 * n_ions / hop_distance_angstrom**2


def he_mo_relative_error(n_effective_hops: float) -> float | None:
    """Relative error of D by the empirical rule 3.43 / √N_eff + 0.04.

    Parameters
    ----------
    n_effective_hops : float
        Effective hops.

    Returns
    -------
    float or None
        Relative standard deviation; None without hops.

    References
    ----------
    He, Zhu, Epstein & Mo, npj Comput. Mater. 4, 18 (2018), 10.1038/s41524-018-0074-y.

    Examples
    --------
    >>> round(he_mo_relative_error(100), 3)
    0.383
    """
    return 3.43 / math.sqrt(n_effective_hops) + 0.04 if n_effective_hops > 0 else None


def excess_of_squares(blocks: NDArray[np.float64]) -> float:
    """Variance of the mean squared block displacement beyond that of Gaussian blocks.

    Rare hops make most blocks empty and a few long: the fourth moment says by how much the mean square scatters
    more than a Gaussian's. For a walk of independent hops it is (hop distance)⁴ × hops / blocks².

    Parameters
    ----------
    blocks : ndarray, shape (n_blocks, 3)
        Displacements of single ions over equal, separate stretches of time, in Å.

    Returns
    -------
    float
        Excess variance of the mean of |Δ|² in Å⁴, not negative.
    """
    n_blocks = len(blocks)
    if n_blocks < 2:
        return 0.0
    square = np.einsum("ba,ba->b", blocks, blocks)
    second = blocks.T @ blocks / n_blocks
    mean = float(np.trace(second))
    if mean <= 0:
        return 0.0
    gaussian = 1.0 + 2.0 * float(np.sum(second**2)) / mean**2
    # The squared mean is itself too large by its own variance.
    mean_squared = mean**2 - float(square.var()) / n_blocks
    return max(0.0, (float(np.mean(square**2)) - gaussian * mean_squared) / n_blocks)


def settled_excess(blocks: NDArray[np.float64], greatest_share: float) -> float:
    """`excess_of_squares` without the hops that were under way at the ends of blocks and taken back.

    Those add as much to blocks of any length, hops that last add in proportion to the length: the ratio between
    blocks and blocks twice as long tells them apart.

    Parameters
    ----------
    blocks : ndarray, shape (n_blocks, n_ions, 3)
        Displacements over equal, separate stretches of time that follow each other, in Å.
    greatest_share : float
        Offset of the MSD over its diffusive part at the blocks' length; the share of hops taken back cannot be more.

    Returns
    -------
    float
        Excess variance of the mean of |Δ|² in Å⁴, not negative.
    """
    n_pairs = len(blocks) // 2
    excess = excess_of_squares(blocks.reshape(-1, 3))
    if n_pairs < 2 or excess <= 0:
        return excess
    doubled = blocks[: 2 * n_pairs].reshape(n_pairs, 2, -1, 3).sum(axis=1)
    # Per block, not of the mean.
    single = excess * len(blocks)
    growth = excess_of_squares(doubled.reshape(-1, 3)) * n_pairs / single
    # One standard error in favour of hops that last: too few hops must not look like hops taken back.
    mean = float(np.mean(np.einsum("bia,bia->bi", blocks, blocks)))
    growth += 2.0 * math.sqrt(excess) / mean
    share = (2.0 - growth) / (growth - 1.0) if growth > 1.0 else math.inf
    return excess / (1.0 + min(max(share, 0.0), greatest_share))


def largest_event_angstrom2(
    runs: Sequence[DisplacementRun], drifts: Sequence[NDArray[np.float64]], length: int
) -> float:
    """Sum of the squared displacements of all ions in the greatest single event of the runs.

    Positions are averaged over blocks, which takes most of the rattling off, and compared with those two blocks later,
    so that a hop within the block between counts in full. What most blocks show is taken off as rattling.

    Parameters
    ----------
    runs : sequence of DisplacementRun
        The runs.
    drifts : sequence of ndarray, shape (n_frames, 3)
        Drift of each run in Å.
    length : int
        Frames of a block.

    Returns
    -------
    float
        Squared displacement in Å², summed over the ions, of a hop or of a group that hops as one.
    """
    greatest = 0.0
    for run, drift in zip(runs, drifts, strict=True):
        n_blocks = run.n_frames // length
        if n_blocks < 5:
            continue
        means = np.empty((n_blocks, run.n_ions, 3))
        for block in range(n_blocks):
            frames = slice(block * length, (block + 1) * length)
            means[block] = run.positions_angstrom[frames].mean(axis=0, dtype=np.float64)[run.mobile_indices]
            means[block] -= drift[frames].mean(axis=0)
        step = means[2:] - means[:-2]
        square = np.einsum("bia,bia->b", step, step)
        greatest = max(greatest, float(square.max() - np.median(square)))
    return greatest
