"""Mechanisms on which nothing of the estimator was chosen: they check it."""

from __future__ import annotations

import numpy as np
from superion.constants import CM2_PER_S_FROM_ANGSTROM2_PER_PS
from superion.transport.synthetic import SyntheticWalk, gaussian_walk

from .record import FRAME_PS, HOP_ANGSTROM, walks


def ring_exchange(
    rng: np.random.Generator, n_trajectories: int, n_frames: int, *, cells: int = 3, rings_per_ps: float = 0.5
) -> list[SyntheticWalk]:
    """Fill a cubic lattice and let rings of four ions turn by one site: ions move, and no charge does.

    D is rate · 4 a²/(6 n), and the charge diffusivity zero.
    """
    n_ions = cells**3
    site = np.stack(np.unravel_index(np.arange(n_ions), (cells,) * 3), axis=1)
    turn = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
    positions = np.zeros((n_trajectories, n_frames, n_ions, 3), dtype=np.float32)
    for run in range(n_trajectories):
        ion_at = rng.permutation(n_ions).reshape((cells,) * 3)
        moved = np.zeros((n_ions, 3))
        for frame in range(1, n_frames):
            for _ in range(rng.poisson(rings_per_ps * FRAME_PS)):
                plane = rng.permutation(3)[:2]
                corner = site[rng.integers(n_ions)].copy()
                places, ions = [], []
                for step in turn:
                    places.append(tuple(corner % cells))
                    ions.append(int(ion_at[places[-1]]))
                    corner[plane] += step
                for number, step in enumerate(turn):
                    moved[ions[number], plane] += HOP_ANGSTROM * step
                    ion_at[places[(number + 1) % 4]] = ions[number]
            positions[run, frame] = moved
    return walks(positions, rings_per_ps * 4.0 * HOP_ANGSTROM**2 / (6.0 * n_ions), 0.0)


def chains(
    rng: np.random.Generator, n_trajectories: int, n_frames: int, *, size: int = 3, n_ions: int = 24
) -> list[SyntheticWalk]:
    """Let chains of ions hop at once, each ion along a direction of its own: concert of times and not of directions."""
    events = rng.poisson(0.1 * FRAME_PS, (n_trajectories, n_frames, n_ions // size))
    events[:, 0] = 0
    steps = np.zeros((n_trajectories, n_frames, n_ions, 3), dtype=np.float32)
    run, frame, ion = np.nonzero(np.repeat(events, size, axis=2))
    np.add.at(
        steps,
        (run, frame, ion, rng.integers(0, 3, len(run))),
        HOP_ANGSTROM * (2.0 * rng.integers(0, 2, len(run)) - 1.0),
    )
    diffusivity = 0.1 * HOP_ANGSTROM**2 / 6.0
    return walks(np.cumsum(steps, axis=1), diffusivity, diffusivity)


def along_axes(
    rng: np.random.Generator,
    n_trajectories: int,
    n_frames: int,
    *,
    shares: tuple[float, float, float],
    n_ions: int = 24,
) -> list[SyntheticWalk]:
    """Hop along x, y and z with unequal probabilities: one and two dimensions, and anisotropic conductors."""
    counts = rng.poisson(0.15 * FRAME_PS, (n_trajectories, n_frames, n_ions))
    counts[:, 0] = 0
    run, frame, ion = np.nonzero(counts)
    steps = np.zeros((*counts.shape, 3), dtype=np.float32)
    axis = rng.choice(3, len(run), p=shares)
    np.add.at(steps, (run, frame, ion, axis), HOP_ANGSTROM * (2.0 * rng.integers(0, 2, len(run)) - 1.0))
    # Two hops of one ion in a frame are one here, which a Poisson count at this rate makes rare: the truth says so.
    rate = -np.expm1(-0.15 * FRAME_PS) / FRAME_PS
    diffusivity = rate * HOP_ANGSTROM**2 / 6.0
    return walks(np.cumsum(steps, axis=1), diffusivity, diffusivity)


def underdamped(
    rng: np.random.Generator, n_trajectories: int, n_frames: int, *, friction_time_ps: float = 2.0, n_ions: int = 24
) -> list[SyntheticWalk]:
    """Draw free Langevin motion that keeps its velocity for two picoseconds, exactly; its MSD starts as τ²."""
    diffusivity = 1e-4 / CM2_PER_S_FROM_ANGSTROM2_PER_PS
    decay = np.exp(-FRAME_PS / friction_time_ps)
    speed = np.sqrt(diffusivity / friction_time_ps)
    # The displacement over a frame and the velocity after it are Gaussian, with this covariance.
    gained = friction_time_ps * (1.0 - decay)
    spread_v = speed**2 * (1.0 - decay**2)
    shared = diffusivity * (1.0 - decay) ** 2
    spread_x = 2.0 * diffusivity * (FRAME_PS - gained) - diffusivity * friction_time_ps * (1.0 - decay) ** 2
    root = np.linalg.cholesky(np.array([[spread_x, shared], [shared, spread_v]]))
    velocity = speed * rng.standard_normal((n_trajectories, n_ions, 3))
    position = np.zeros_like(velocity)
    out = np.zeros((n_trajectories, n_frames, n_ions, 3), dtype=np.float32)
    for frame in range(1, n_frames):
        noise = rng.standard_normal((2, *velocity.shape))
        position = position + gained * velocity + root[0, 0] * noise[0]
        velocity = decay * velocity + root[1, 0] * noise[0] + root[1, 1] * noise[1]
        out[:, frame] = position
    return walks(out, diffusivity, diffusivity)


def drifting_together(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    """Draw Brownian walks whose displacements correlate by a tenth: a collective part in all of them."""
    return [gaussian_walk(rng, n_ions=24, n_frames=n_frames, correlation=0.1) for _ in range(n_trajectories)]
