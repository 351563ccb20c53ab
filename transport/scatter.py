"""By how much the motion of the ions scatters: independent walkers, rarity of hops, memory of activity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .activity import Activity, activity
from .blocks import block_displacements, block_length
from .concert import concert_factor, independent_share
from .curves import RunCurves
from .diffusivity import DiffusivityFit
from .displacement_run import DisplacementRun
from .hops import excess_of_squares, largest_event_angstrom2, settled_excess

_CONCERT_BLOCKS = 64
"""Blocks in which the concert of the ions is measured: enough for some two thousand pairs."""

_LEAST_BLOCKS = 8
_MOST_BLOCKS = 1000


@dataclass(frozen=True)
class MotionScatter:
    """What decides by how much a diffusivity scatters from one run to the next.

    Parameters
    ----------
    axis_shares : ndarray, shape (3,)
        Share of each axis in the motion.
    independent_share : float
        One over the number of independent coordinates, `concert.independent_share`.
    quantum : float
        Diffusivity in Å²/ps that one hop adds, or one group of ions that hops as one.
    hop_assumed : float or None
        Hop distance in Å behind the quantum where no hop was seen that could be measured.
    halves : tuple of float
        Squared displacements in the first and in the second half of the runs, in any one unit.
    counting : float
        Relative variance of D that the rarity of hops adds.
    hop_alignment : float
        One where each hop goes along one axis, a third where it goes along all three alike.
    memory : float
        Relative variance of D that the memory of activity adds.
    activity : Activity or None
        How unevenly motion is spread over ions and time; None where there are too few hops to tell.
    """

    axis_shares: NDArray[np.float64]
    independent_share: float
    quantum: float
    hop_assumed: float | None
    halves: tuple[float, float]
    counting: float
    hop_alignment: float
    memory: float
    activity: Activity | None


def motion_scatter(
    runs: Sequence[DisplacementRun], data: RunCurves, hop_distance_angstrom: float, minimum_hops: float
) -> tuple[MotionScatter, DiffusivityFit]:
    """Measure how the motion scatters.

    Parameters
    ----------
    runs : sequence of DisplacementRun
        The runs.
    data : RunCurves
        Their curves.
    hop_distance_angstrom : float
        Hop distance in Å.
    minimum_hops : float
        Hops below which there is too little to take a fourth moment of, and the hop distance decides.

    Returns
    -------
    scatter : MotionScatter
        The scatter.
    fit : DiffusivityFit
        The first fit, which knows of no rarity of hops.
    """
    msd = data.tracer[data.fit_rows]
    shortest = min(run.n_frames for run in runs)
    length = block_length(shortest, _CONCERT_BLOCKS)
    blocks = block_displacements(runs, data.drifts, length)
    shares = msd[len(msd) // 2] / msd[len(msd) // 2].sum()
    together = independent_share(blocks, shares)
    fit = data.fit(msd, together)
    if fit.value > 0:
        shares = _axis_shares(fit)
        diffusive = 6.0 * fit.value * length * data.frame_interval_ps
        together = independent_share(blocks, shares, _rattling_share(fit, diffusive))
        fit = data.fit(msd, together)
    concert = together * data.n_ions / float(np.sum(shares**2))
    quantum = hop_distance_angstrom**2 / (6.0 * data.n_ions * data.duration_ps) * concert
    halves = _halves(blocks)
    if fit.value <= minimum_hops * quantum:
        seen = largest_event_angstrom2(runs, data.drifts, length) / (6.0 * data.n_ions * data.duration_ps)
        assumed = hop_distance_angstrom if seen < quantum else None
        quantum = max(quantum, seen)
        counting = quantum / fit.value if fit.value > 0 else 0.0
        return MotionScatter(shares, together, quantum, assumed, halves, counting, 1.0, 0.0, None), fit
    start = int(data.fit_lags[fit.start_index]) * data.stride
    relaxed = max(fit.offset, 0.0) / (6.0 * fit.value * data.frame_interval_ps)
    least = max(2 * start, 2.0 * relaxed, block_length(shortest, _MOST_BLOCKS))
    length = int(min(least, block_length(shortest, _LEAST_BLOCKS)))
    blocks = block_displacements(runs, data.drifts, length)
    joined = np.concatenate(blocks)
    diffusive = 6.0 * fit.value * length * data.frame_interval_ps
    excess = settled_excess(joined, max(fit.offset, 0.0) / diffusive) / diffusive**2
    alignment = _hop_alignment(joined, shares)
    spread = activity(blocks, concert)
    # Ions of unequal mobility are fewer walkers, too, and no concert.
    unequal = 1.0 + max(spread.lasting, 0.0)
    quantum = max(quantum / unequal, quantum / concert)
    factor = max(concert_factor(joined), concert / unequal, 1.0)
    # Correlations are relative to all that moves, rattling included; D is only what diffuses.
    scale = (np.einsum("bia,bia->", joined, joined) / (joined.shape[0] * joined.shape[1]) / diffusive) ** 2
    memory = float(scale) * spread.relative_variance * factor
    return MotionScatter(shares, together, quantum, None, halves, excess * factor, alignment, memory, spread), fit


def _halves(blocks: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    squares = [np.einsum("bia,bia->b", part, part) for part in blocks]
    middles = [len(part) // 2 for part in squares]
    first = sum(float(part[:middle].sum()) for part, middle in zip(squares, middles, strict=True))
    second = sum(float(part[len(part) - middle :].sum()) for part, middle in zip(squares, middles, strict=True))
    return first, second


def _hop_alignment(blocks: NDArray[np.float64], axis_shares: NDArray[np.float64]) -> float:
    """Excess variance of the squares along single axes, summed, over that of the whole squares."""
    flat = blocks.reshape(-1, 3)
    whole = excess_of_squares(flat)
    along = sum(excess_of_squares(flat * np.eye(3)[axis]) for axis in range(3))
    return float(np.clip(along / whole, np.sum(axis_shares**2), 1.0)) if whole > 0 else 1.0


def _rattling_share(fit: DiffusivityFit, diffusive_angstrom2: float) -> float:
    offset = max(fit.offset, 0.0)
    return offset / (offset + diffusive_angstrom2)


def _axis_shares(fit: DiffusivityFit) -> NDArray[np.float64]:
    shares = np.maximum(np.array(fit.per_axis), 0.0)
    return shares / shares.sum() if shares.sum() > 0 else np.full(3, 1.0 / 3.0)
