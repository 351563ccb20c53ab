"""Ions that are mobile or trapped, and ions that all change pace: the mobility is not one number."""

from __future__ import annotations

import numpy as np
from superion.transport.synthetic import SyntheticWalk

from .record import FRAME_PS, HOP_ANGSTROM, by_trajectory, walked, walks


def exchanging(
    rng: np.random.Generator,
    n_trajectories: int,
    n_frames: int,
    *,
    mobile: float = 0.3,
    hops_per_ps: float = 0.5,
    release_per_ps: float = 0.0,
    n_ions: int = 24,
) -> list[SyntheticWalk]:
    """Let each ion be mobile with a probability, and change its state at a rate that keeps that probability.

    The truth is the population's: mobile · rate · a²/6.
    """
    n_walkers = n_trajectories * n_ions
    state = rng.random(n_walkers) < mobile
    capture_per_ps = release_per_ps * (1.0 - mobile) / mobile
    counts = np.zeros((n_walkers, n_frames), dtype=np.int16)
    for frame in range(1, n_frames):
        counts[:, frame] = rng.poisson(hops_per_ps * FRAME_PS, n_walkers) * state
        changes = rng.random(n_walkers) < -np.expm1(-np.where(state, capture_per_ps, release_per_ps) * FRAME_PS)
        state ^= changes
    diffusivity = mobile * hops_per_ps * HOP_ANGSTROM**2 / 6.0
    positions = walked(rng, counts.shape, *_each(counts))
    return walks(by_trajectory(positions, n_trajectories), diffusivity, diffusivity)


def jumping_pace(
    rng: np.random.Generator, n_trajectories: int, n_frames: int, *, factor: float = 5.0, n_ions: int = 24
) -> list[SyntheticWalk]:
    """Let all ions hop so many times faster in the second half of the run; the truth is the mean over the run."""
    rate = np.where(np.arange(n_frames) < n_frames / 2, 0.1, 0.1 * factor)
    rate[0] = 0.0
    counts = rng.poisson(rate * FRAME_PS, (n_trajectories * n_ions, n_frames))
    diffusivity = 0.1 * (1.0 + factor) / 2.0 * HOP_ANGSTROM**2 / 6.0
    positions = walked(rng, counts.shape, *_each(counts))
    return walks(by_trajectory(positions, n_trajectories), diffusivity, diffusivity)


def _each(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    walker, frame = np.nonzero(counts)
    times = counts[walker, frame]
    return np.repeat(walker, times), np.repeat(frame, times)
