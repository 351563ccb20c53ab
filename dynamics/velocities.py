"""Initial momenta from the Maxwell-Boltzmann distribution."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units


def draw_momenta(
    atoms: Atoms, temperature_k: float, stream: np.random.Generator, *, zero_total_momentum: bool
) -> np.ndarray:
    """Draw momenta from the Maxwell-Boltzmann distribution.

    The kinetic energy is not scaled to the exact temperature: its canonical scatter belongs to the
    distribution, and the thermostat keeps the mean.

    Parameters
    ----------
    atoms : ase.Atoms
        The atoms, of which only the masses are used.
    temperature_k : float
        Temperature in K.
    stream : numpy.random.Generator
        Source of the random numbers.
    zero_total_momentum : bool
        Whether the velocity of the centre of mass is taken off all atoms.

    Returns
    -------
    numpy.ndarray, shape (n_atoms, 3)
        Momenta in ASE units, √(eV·amu).
    """
    masses = atoms.get_masses()[:, None]
    momenta = stream.standard_normal((len(atoms), 3)) * np.sqrt(masses * units.kB * temperature_k)
    if zero_total_momentum:
        momenta -= masses * (momenta.sum(axis=0) / masses.sum())
    return momenta
