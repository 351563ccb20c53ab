"""Ions on a periodic lattice that exclude each other: every hop back into the vacancy just left counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from superion.transport.synthetic import SyntheticWalk

from .record import FRAME_PS, HOP_ANGSTROM, walks

ATTEMPTS_PER_PS = 0.4

_DIRECTIONS = {
    "sc": [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)],
    "bcc": [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)],
    "fcc": [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if abs(x) + abs(y) + abs(z) == 2],
}

CORRELATION_FACTORS: dict[tuple[str, int, float], float] = {
    ("sc", 4, 0.05): 0.690,
    ("sc", 4, 0.2): 0.750,
    ("sc", 4, 0.5): 0.857,
    ("fcc", 2, 0.05): 0.823,
    ("fcc", 2, 0.2): 0.859,
    ("fcc", 2, 0.5): 0.925,
    ("bcc", 3, 0.05): 0.747,
    ("bcc", 3, 0.2): 0.808,
    ("bcc", 3, 0.5): 0.894,
}
"""Tracer over charge diffusivity by lattice, cells along each edge and share of vacant sites, from long runs (error
0.005 or less); the small cells belong to the number."""


def sites(lattice: str, cells: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the sites (n, 3) of a periodic lattice, the directions (z, 3), and the neighbours (n, z) of each site."""
    edge = cells if lattice == "sc" else 2 * cells
    grid = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    if lattice == "fcc":
        grid = grid[grid.sum(axis=1) % 2 == 0]
    if lattice == "bcc":
        grid = grid[np.all(grid % 2 == grid[:, :1] % 2, axis=1)]
    index = -np.ones((edge,) * 3, dtype=np.intp)
    index[tuple(grid.T)] = np.arange(len(grid))
    directions = np.array(_DIRECTIONS[lattice])
    neighbours = np.stack([index[tuple(((grid + step) % edge).T)] for step in directions], axis=1)
    return grid, directions, neighbours


def lattice_gas(
    rng: np.random.Generator,
    n_trajectories: int,
    n_frames: int,
    *,
    lattice: str = "sc",
    cells: int = 4,
    vacant: float = 0.2,
    attempts_per_ps: float = ATTEMPTS_PER_PS,
) -> list[SyntheticWalk]:
    """Simulate gases: each ion attempts hops to random neighbours, which succeed where the site is vacant.

    The charge diffusivity is exact: attempts · a²/6 · (M − N)/(M − 1) for N ions on M sites, because the sum of all
    positions moves whenever an attempt succeeds, whatever came before.
    """
    grid, directions, neighbours = sites(lattice, cells)
    n_sites = len(grid)
    n_ions = n_sites - round(vacant * n_sites)
    every = np.arange(n_trajectories)
    where = np.argsort(rng.random((n_trajectories, n_sites)), axis=1)[:, :n_ions]
    occupied = np.zeros((n_trajectories, n_sites), dtype=bool)
    occupied[every[:, None], where] = True
    position = np.zeros((n_trajectories, n_ions, 3), dtype=np.int32)
    out = np.zeros((n_trajectories, n_frames, n_ions, 3), dtype=np.int16)
    for frame in range(1, n_frames):
        attempts = rng.poisson(n_ions * attempts_per_ps * FRAME_PS, n_trajectories)
        ions = rng.integers(0, n_ions, (attempts.max(), n_trajectories))
        ways = rng.integers(0, len(directions), ions.shape)
        for number, (ion, way) in enumerate(zip(ions, ways, strict=True)):
            start = where[every, ion]
            target = neighbours[start, way]
            hops = (number < attempts) & ~occupied[every, target]
            run, ion, start, target = every[hops], ion[hops], start[hops], target[hops]
            occupied[run, start], occupied[run, target] = False, True
            where[run, ion] = target
            position[run, ion] += directions[way[hops]]
        out[:, frame] = position
    charge = attempts_per_ps * HOP_ANGSTROM**2 / 6.0 * (n_sites - n_ions) / (n_sites - 1)
    factor = CORRELATION_FACTORS.get((lattice, cells, vacant), float("nan"))
    unit = HOP_ANGSTROM / float(np.linalg.norm(directions[0]))
    return walks(unit * out.astype(np.float32), factor * charge, charge)


def correlation_factor(gases: list[SyntheticWalk], lags: slice) -> float:
    """Measure tracer over charge diffusivity: the growth of the tracer MSD over a range of lags, in frames."""
    squares = [np.mean([_msd(walk.positions_angstrom, lag) for walk in gases]) for lag in (lags.start, lags.stop)]
    time = (lags.stop - lags.start) * FRAME_PS
    return float((squares[1] - squares[0]) / (6.0 * time) * 1e-4 / gases[0].charge_cm2_s)


def _msd(positions: NDArray[np.floating], lag: int) -> float:
    step = positions[lag:] - positions[:-lag]
    return float(np.mean(np.sum(step**2, axis=-1)))
