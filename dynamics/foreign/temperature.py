"""Kinetic temperatures of foreign trajectories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...constants import BOLTZMANN_EV_PER_K

EV_PER_AMU_ANGSTROM2_PER_FS2 = 103.642696527
"""1 u·Å²/fs² in eV (CODATA 2018: 1.66053906660e-27 kg × 1e10 m²/s² / 1.602176634e-19 C)."""


def temperature_from_kinetic_energy(kinetic_energy_ev: float, n_atoms: int) -> float:
    """Return the kinetic temperature with the centre of mass at rest.

    Parameters
    ----------
    kinetic_energy_ev : float
        Kinetic energy of the cell in eV.
    n_atoms : int
        Number of atoms; 3·n_atoms − 3 degrees of freedom.

    Returns
    -------
    float
        Temperature in K.

    Examples
    --------
    >>> round(temperature_from_kinetic_energy(1.5 * 8.617333262e-5 * 300 * 9, 10), 6)
    300.0
    """
    return 2.0 * kinetic_energy_ev / (max(3 * n_atoms - 3, 1) * BOLTZMANN_EV_PER_K)


def temperature_from_velocities(velocities_angstrom_fs: NDArray[np.float64], masses_amu: NDArray[np.float64]) -> float:
    """Return the kinetic temperature of one frame.

    Parameters
    ----------
    velocities_angstrom_fs : (n_atoms, 3) array
        Velocities in Å/fs.
    masses_amu : (n_atoms,) array
        Masses in u.

    Returns
    -------
    float
        Temperature in K.
    """
    kinetic = 0.5 * float(np.sum(masses_amu[:, None] * velocities_angstrom_fs**2))
    return temperature_from_kinetic_energy(kinetic * EV_PER_AMU_ANGSTROM2_PER_FS2, masses_amu.size)
