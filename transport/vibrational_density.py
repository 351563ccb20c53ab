"""The vibrational density of states from the velocities of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError

_FEWEST_FRAMES = 16


@dataclass(frozen=True)
class VibrationalDensity:
    """How the atoms' motion is distributed over frequencies.

    Parameters
    ----------
    frequency_thz : (n_bins,) array
        Frequencies in THz.
    density_per_thz : (n_bins,) array
        Density of states in 1/THz; its integral is 1.
    """

    frequency_thz: NDArray[np.float64]
    density_per_thz: NDArray[np.float64]


def vibrational_density(
    velocities: NDArray[np.floating],
    masses_amu: NDArray[np.floating],
    frame_interval_ps: float,
    *,
    resolution_thz: float = 1.0,
) -> VibrationalDensity:
    """Return the density of states, the mass-weighted power spectrum of the velocities, by Welch's method.

    Parameters
    ----------
    velocities : (n_frames, n_atoms, 3) array
        Velocities in any unit.
    masses_amu : (n_atoms,) array
        Masses in amu.
    frame_interval_ps : float
        Time between frames in ps.
    resolution_thz : float
        Width of a frequency bin in THz; the shorter the trajectory, the wider it must be.

    Returns
    -------
    VibrationalDensity
        Normalised to 1.

    Raises
    ------
    AnalysisError
        If the trajectory is too short for that resolution.

    References
    ----------
    J. M. Dickey & A. Paskin, Phys. Rev. 188, 1407 (1969), https://doi.org/10.1103/PhysRev.188.1407

    Examples
    --------
    >>> time = np.arange(400) * 0.01
    >>> wave = np.sin(2 * np.pi * 10.0 * time)[:, None, None] * np.ones((1, 1, 3))
    >>> density = vibrational_density(wave, np.ones(1), 0.01)
    >>> float(density.frequency_thz[density.density_per_thz.argmax()])
    10.0
    """
    from scipy.signal import welch

    values = np.asarray(velocities, dtype=float)
    n_segment = round(1.0 / (resolution_thz * frame_interval_ps))
    if len(values) < max(n_segment, _FEWEST_FRAMES):
        raise AnalysisError(
            f"A density of states with {resolution_thz:g} THz resolution needs "
            f"{max(n_segment, _FEWEST_FRAMES) * frame_interval_ps:.2g} ps of velocities, and there are "
            f"{len(values) * frame_interval_ps:.2g} ps: run longer, or ask for a coarser resolution."
        )
    weighted = values * np.sqrt(np.asarray(masses_amu, dtype=float))[None, :, None]
    frequency, power = welch(weighted, fs=1.0 / frame_interval_ps, nperseg=n_segment, axis=0, detrend="constant")
    density = power.sum(axis=(1, 2))
    width = float(frequency[1] - frequency[0])
    total = float(density.sum() * width)
    if not np.isfinite(total) or total <= 0:
        raise AnalysisError("The velocities are zero or are no numbers: check the trajectory.")
    return VibrationalDensity(frequency_thz=frequency, density_per_thz=density / total)


def density_difference(one: VibrationalDensity, other: VibrationalDensity) -> float:
    """Return the part of one density of states that lies at other frequencies than the other's.

    Parameters
    ----------
    one, other : VibrationalDensity
        To compare; put on the frequencies of the first.

    Returns
    -------
    float
        Half the integral of the absolute difference: 0 for equal ones, 1 for ones without a common frequency.

    Examples
    --------
    >>> flat = VibrationalDensity(np.arange(4.0), np.full(4, 0.25))
    >>> density_difference(flat, flat)
    0.0
    """
    width = float(one.frequency_thz[1] - one.frequency_thz[0])
    interpolated = np.interp(one.frequency_thz, other.frequency_thz, other.density_per_thz, right=0.0)
    total = float(interpolated.sum() * width)
    interpolated = interpolated / total if total > 0 else interpolated
    return float(0.5 * np.abs(one.density_per_thz - interpolated).sum() * width)
