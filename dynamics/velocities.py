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
    return at_rest(momenta, atoms) if zero_total_momentum else momenta


def at_rest(momenta: np.ndarray, atoms: Atoms) -> np.ndarray:
    """Take the velocity of the centre of mass off all atoms.

    Parameters
    ----------
    momenta : numpy.ndarray, shape (n_atoms, 3)
        Momenta in any unit.
    atoms : ase.Atoms
        The atoms, of which only the masses are used.

    Returns
    -------
    numpy.ndarray, shape (n_atoms, 3)
        Momenta whose sum is zero.
    """
    masses = atoms.get_masses()[:, None]
    return momenta - masses * (momenta.sum(axis=0) / masses.sum())
