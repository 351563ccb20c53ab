"""Independent ions that wait for a long and finite time: hops come in bouts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from superion.transport.synthetic import SyntheticWalk

from .record import FRAME_PS, HOP_ANGSTROM, by_trajectory, walked, walks

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def hyperexponential(mean_ps: float, slow: float = 0.1, ratio: float = 30.0) -> tuple[Draw, Draw]:
    """Draw waits of which a share is longer by a ratio; the second function draws what is left of one at time zero."""
    fast_ps = mean_ps / (1.0 - slow + slow * ratio)
    seen_slow = slow * ratio * fast_ps / mean_ps

    def draw(rng: np.random.Generator, n: int, share: float) -> NDArray[np.float64]:
        return rng.exponential(np.where(rng.random(n) < share, ratio * fast_ps, fast_ps))

    return lambda rng, n: draw(rng, n, slow), lambda rng, n: draw(rng, n, seen_slow)


def power_law(mean_ps: float, exponent: float = 2.5, longest: float = 40.0) -> tuple[Draw, Draw]:
    """Draw waits with P(> t) ~ t^−exponent, cut at so many means; the same two functions as `hyperexponential`."""
    table = (1.0 - (np.arange(200_000) + 0.5) / 200_000) ** (-1.0 / exponent) - 1.0
    for _ in range(20):
        table = np.minimum(table / table.mean(), longest)
    table = table / table.mean() * mean_ps
    # The wait under way at time zero is drawn in proportion to its length, and any part of it may be over.
    seen = np.cumsum(table) / table.sum()

    def left(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        found = np.minimum(np.searchsorted(seen, rng.random(n)), len(table) - 1)
        return table[found] * rng.random(n)

    return lambda rng, n: table[rng.integers(0, len(table), n)], left


def waiting(
    rng: np.random.Generator,
    n_trajectories: int,
    n_frames: int,
    *,
    waits: tuple[Draw, Draw],
    mean_ps: float,
    n_ions: int = 24,
) -> list[SyntheticWalk]:
    """Let ions hop on a cubic lattice whenever a wait is over; D is a²/(6 mean wait) at all times, exactly."""
    draw, left = waits
    n_walkers = n_trajectories * n_ions
    time, alive = left(rng, n_walkers), np.arange(n_walkers)
    walker, frame = [], []
    while True:
        alive = alive[time[alive] < (n_frames - 1) * FRAME_PS]
        if not alive.size:
            break
        walker.append(alive)
        frame.append(np.minimum(np.ceil(time[alive] / FRAME_PS).astype(np.intp), n_frames - 1))
        time[alive] += draw(rng, len(alive))
    positions = walked(rng, (n_walkers, n_frames), np.concatenate(walker), np.concatenate(frame))
    diffusivity = HOP_ANGSTROM**2 / (6.0 * mean_ps)
    return walks(by_trajectory(positions, n_trajectories), diffusivity, diffusivity)
