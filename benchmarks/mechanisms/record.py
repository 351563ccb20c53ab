"""From hops of many ions, counted by frame, to walks with a known diffusivity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from superion.constants import CM2_PER_S_FROM_ANGSTROM2_PER_PS
from superion.transport.synthetic import SyntheticWalk

FRAME_PS = 0.1
HOP_ANGSTROM = 2.5


def walks(
    positions_angstrom: NDArray[np.floating], tracer_angstrom2_ps: float, charge_angstrom2_ps: float
) -> list[SyntheticWalk]:
    """Wrap trajectories, shape (n_trajectories, n_frames, n_ions, 3) in Å, and their truths in Å²/ps."""
    tracer = tracer_angstrom2_ps * CM2_PER_S_FROM_ANGSTROM2_PER_PS
    charge = charge_angstrom2_ps * CM2_PER_S_FROM_ANGSTROM2_PER_PS
    return [SyntheticWalk(one, FRAME_PS, tracer, charge, HOP_ANGSTROM) for one in positions_angstrom]


def walked(
    rng: np.random.Generator,
    shape: tuple[int, int],
    walker: NDArray[np.integer],
    frame: NDArray[np.integer],
    axes: int = 3,
) -> NDArray[np.float64]:
    """Let walkers hop at given frames along random axes; returns positions, shape (n_walkers, n_frames, 3) in Å."""
    steps = np.zeros((*shape, 3), dtype=np.float32)
    axis = rng.integers(0, axes, len(walker))
    np.add.at(steps, (walker, frame, axis), HOP_ANGSTROM * (2.0 * rng.integers(0, 2, len(walker)) - 1.0))
    return np.cumsum(steps, axis=1)


def by_trajectory(walkers: NDArray[np.float64], n_trajectories: int) -> NDArray[np.float64]:
    """Turn (n_walkers, n_frames, 3) into (n_trajectories, n_frames, n_ions, 3)."""
    _, n_frames, _ = walkers.shape
    return walkers.reshape(n_trajectories, -1, n_frames, 3).transpose(0, 2, 1, 3)
