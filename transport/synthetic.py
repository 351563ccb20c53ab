"""Synthetic ion trajectories whose diffusivities are known exactly: the yardstick of every estimator here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ..constants import CM2_PER_S_FROM_ANGSTROM2_PER_PS
from .displacement_run import DisplacementRun


@dataclass(frozen=True)
class SyntheticWalk:
    """Walks of several ions and the diffusivities they were drawn from.

    Parameters
    ----------
    positions_angstrom : ndarray, shape (n_frames, n_ions, 3)
        Unwrapped positions in Å.
    frame_interval_ps : float
        Time between frames in ps.
    tracer_cm2_s : float
        True tracer diffusivity in cm²/s.
    charge_cm2_s : float
        True charge diffusivity in cm²/s.
    hop_distance_angstrom : float or None
        Length of a hop in Å; None for a Gaussian walk.
    """

    positions_angstrom: NDArray[np.float64]
    frame_interval_ps: float
    tracer_cm2_s: float
    charge_cm2_s: float
    hop_distance_angstrom: float | None

    def as_run(
        self, *, temperature_k: float = 600.0, volume_per_ion_angstrom3: float = 40.0, n_frames: int | None = None
    ) -> DisplacementRun:
        """Return the walk as a run, the ions starting on a cubic lattice, with one framework atom at rest.

        Parameters
        ----------
        temperature_k : float
            Temperature to label it with, in K.
        volume_per_ion_angstrom3 : float
            Cell volume per ion in Å³.
        n_frames : int, optional
            Frames to keep; all when not given.

        Returns
        -------
        DisplacementRun
            A run for `analyze_diffusion`.
        """
        ions = self.positions_angstrom[:n_frames]
        n_ions = ions.shape[1]
        edge = math.ceil(n_ions ** (1.0 / 3.0))
        sites = np.stack(np.unravel_index(np.arange(n_ions), (edge, edge, edge)), axis=1)
        spacing = self.hop_distance_angstrom or volume_per_ion_angstrom3 ** (1.0 / 3.0)
        positions = np.concatenate([ions + spacing * sites, np.zeros((len(ions), 1, 3))], axis=1)
        return DisplacementRun(
            positions_angstrom=positions,
            mobile_indices=np.arange(n_ions),
            framework_indices=np.array([n_ions]),
            masses_amu=np.append(np.full(n_ions, 6.94), 100.0),
            frame_interval_ps=self.frame_interval_ps,
            volume_angstrom3=n_ions * volume_per_ion_angstrom3,
            temperature_k=temperature_k,
        )


def gaussian_walk(
    rng: np.random.Generator,
    *,
    n_ions: int,
    n_frames: int,
    frame_interval_ps: float = 0.1,
    diffusivity_cm2_s: float = 1e-5,
    correlation: float = 0.0,
) -> SyntheticWalk:
    """Brownian walks, on request with a displacement common to all ions.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_ions, n_frames : int
        Number of ions and frames.
    frame_interval_ps : float
        Time between frames in ps.
    diffusivity_cm2_s : float
        Tracer diffusivity in cm²/s.
    correlation : float
        Correlation between the displacements of any two ions, from 0 to 1; the charge diffusivity is
        1 + (n_ions - 1) · correlation times the tracer's.

    Returns
    -------
    SyntheticWalk
        The walks.

    Examples
    --------
    >>> import numpy as np
    >>> walk = gaussian_walk(np.random.default_rng(1), n_ions=3, n_frames=5, correlation=0.5)
    >>> walk.positions_angstrom.shape, round(walk.charge_cm2_s / walk.tracer_cm2_s, 6)
    ((5, 3, 3), 2.0)
    """
    step = np.sqrt(2.0 * diffusivity_cm2_s / CM2_PER_S_FROM_ANGSTROM2_PER_PS * frame_interval_ps)
    steps = step * np.sqrt(1.0 - correlation) * rng.standard_normal((n_frames - 1, n_ions, 3))
    if correlation > 0:
        steps += step * np.sqrt(correlation) * rng.standard_normal((n_frames - 1, 1, 3))
    positions = np.zeros((n_frames, n_ions, 3))
    np.cumsum(steps, axis=0, out=positions[1:])
    charge = diffusivity_cm2_s * (1.0 + (n_ions - 1) * correlation)
    return SyntheticWalk(positions, frame_interval_ps, diffusivity_cm2_s, charge, None)


def lattice_walk(
    rng: np.random.Generator,
    *,
    n_ions: int,
    n_frames: int,
    frame_interval_ps: float = 0.1,
    hop_rate_per_ps: float = 0.05,
    hop_distance_angstrom: float = 2.5,
    rattle_angstrom: float = 0.0,
    rattle_time_ps: float = 0.2,
    group_size: int = 1,
) -> SyntheticWalk:
    """Poisson hops to the six neighbours of a cubic lattice, on request with rattling and in concert.

    D = rate · distance² / 6; ions of one group hop together, which multiplies the charge diffusivity by the
    group's size.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_ions, n_frames : int
        Number of ions and frames.
    frame_interval_ps : float
        Time between frames in ps.
    hop_rate_per_ps : float
        Hops of one ion per ps.
    hop_distance_angstrom : float
        Length of a hop in Å.
    rattle_angstrom : float
        Root mean square displacement along one axis by rattling about the site, in Å.
    rattle_time_ps : float
        Relaxation time of the rattling (Ornstein-Uhlenbeck) in ps.
    group_size : int
        Ions that hop together, along the same direction; must divide `n_ions`.

    Returns
    -------
    SyntheticWalk
        The walks.

    Examples
    --------
    >>> import numpy as np
    >>> walk = lattice_walk(np.random.default_rng(1), n_ions=4, n_frames=9, hop_distance_angstrom=3.0, group_size=2)
    >>> round(walk.tracer_cm2_s, 10), round(walk.charge_cm2_s, 10)
    (7.5e-06, 1.5e-05)
    """
    counts = rng.poisson(hop_rate_per_ps * frame_interval_ps, (n_frames - 1, n_ions // group_size))
    steps = np.zeros((n_frames - 1, n_ions // group_size, 3))
    frame, group = np.nonzero(counts)
    repeats = counts[frame, group]
    frame, group = np.repeat(frame, repeats), np.repeat(group, repeats)
    axis, sign = _directions(rng, len(frame))
    np.add.at(steps, (frame, group, axis), sign * hop_distance_angstrom)
    positions = np.zeros((n_frames, n_ions, 3))
    positions[1:] = np.repeat(np.cumsum(steps, axis=0), group_size, axis=1)
    if rattle_angstrom > 0:
        positions += _rattling(rng, positions.shape, rattle_angstrom, frame_interval_ps / rattle_time_ps)
    tracer = hop_rate_per_ps * hop_distance_angstrom**2 / 6.0 * CM2_PER_S_FROM_ANGSTROM2_PER_PS
    return SyntheticWalk(positions, frame_interval_ps, tracer, tracer * group_size, hop_distance_angstrom)


def back_hop_walk(
    rng: np.random.Generator,
    *,
    n_ions: int,
    n_frames: int,
    frame_interval_ps: float = 0.1,
    residence_time_ps: float = 10.0,
    decision_time_ps: float = 1.0,
    return_probability: float = 0.6,
    hop_distance_angstrom: float = 2.5,
    rattle_angstrom: float = 0.0,
    rattle_time_ps: float = 0.2,
) -> SyntheticWalk:
    """Hops that are often taken back soon after.

    A settled ion hops after a residence time; after a decision time it jumps back with the return probability or
    settles. Both times are exponential. Only hops not taken back diffuse:
    D = (1 - return_probability) · distance² / [6 (residence_time + decision_time)].

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_ions, n_frames : int
        Number of ions and frames.
    frame_interval_ps : float
        Time between frames in ps.
    residence_time_ps : float
        Mean time from settling to the next hop in ps.
    decision_time_ps : float
        Mean time between a hop and its being taken back, or accepted, in ps.
    return_probability : float
        Share of hops taken back.
    hop_distance_angstrom : float
        Length of a hop in Å.
    rattle_angstrom : float
        Root mean square displacement along one axis by rattling, in Å.
    rattle_time_ps : float
        Relaxation time of the rattling in ps.

    Returns
    -------
    SyntheticWalk
        The walks; the correlation factor is (1 - p) / (1 + p) with p the return probability.

    Examples
    --------
    >>> import numpy as np
    >>> walk = back_hop_walk(np.random.default_rng(1), n_ions=2, n_frames=50, hop_distance_angstrom=3.0)
    >>> f"{walk.tracer_cm2_s:.4e}"
    '5.4545e-06'
    """
    cycle_ps = residence_time_ps + decision_time_ps
    duration_ps = (n_frames - 1) * frame_interval_ps
    mean_cycles = duration_ps / cycle_ps
    n_cycles = int(mean_cycles + 8.0 * np.sqrt(mean_cycles + 1.0) + 8)
    waits = rng.exponential(residence_time_ps, (n_ions, n_cycles))
    decisions = rng.exponential(decision_time_ps, (n_ions, n_cycles))
    # Exponential times have no memory, so a stationary start needs only the right share of undecided ions.
    undecided = rng.random(n_ions) < decision_time_ps / cycle_ps
    waits[undecided, 0] = -1.0
    hop_time = np.cumsum(waits + decisions, axis=1) - decisions
    hop_time[undecided] += 1.0
    settle_time = hop_time + decisions
    # The hop of an undecided ion lies before the first frame; only its return is seen.
    hop_time[undecided, 0] = -1.0
    returns = rng.random((n_ions, n_cycles)) < return_probability
    axis, sign = _directions(rng, n_ions * n_cycles)
    axis, sign = axis.reshape(n_ions, n_cycles), sign.reshape(n_ions, n_cycles)
    ions = np.broadcast_to(np.arange(n_ions)[:, None], hop_time.shape)
    steps = np.zeros((n_frames, n_ions, 3))
    events = ((hop_time, np.ones_like(returns), 1.0), (settle_time, returns, -1.0))
    for time, happens, direction in events:
        seen = happens & (time > 0) & (time <= duration_ps)
        frame = np.minimum(np.ceil(time[seen] / frame_interval_ps).astype(np.intp), n_frames - 1)
        np.add.at(steps, (frame, ions[seen], axis[seen]), direction * sign[seen] * hop_distance_angstrom)
    positions = np.cumsum(steps, axis=0)
    if rattle_angstrom > 0:
        positions += _rattling(rng, positions.shape, rattle_angstrom, frame_interval_ps / rattle_time_ps)
    squared = hop_distance_angstrom**2 / (6.0 * cycle_ps)
    tracer = (1.0 - return_probability) * squared * CM2_PER_S_FROM_ANGSTROM2_PER_PS
    return SyntheticWalk(positions, frame_interval_ps, tracer, tracer, hop_distance_angstrom)


def _directions(rng: np.random.Generator, n_hops: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    direction = rng.integers(0, 6, n_hops)
    return np.asarray(direction // 2, dtype=np.intp), np.asarray(2.0 * (direction % 2) - 1.0)


def _rattling(rng: np.random.Generator, shape: tuple[int, ...], amplitude: float, decay: float) -> NDArray[np.float64]:
    """Draw a stationary Ornstein-Uhlenbeck process along the first axis."""
    memory = np.exp(-decay)
    noise = amplitude * np.sqrt(1.0 - memory**2) * rng.standard_normal(shape)
    noise[0] /= np.sqrt(1.0 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0))
