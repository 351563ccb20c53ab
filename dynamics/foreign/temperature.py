"""Kinetic temperatures of foreign trajectories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...constants import BOLTZMANN_EV_PER_K

EV_PER_AMU_ANGSTROM2_PER_FS2 = 103.642696527
"""1 u·Å²/fs² in eV (CODATA 2018: 1.66053906660e-27 kg × 1e10 m²/s² / 1.602176634e-19 C)."""


class KineticTemperature:
    """The mean kinetic temperature of frames, over the degrees of freedom that can move.

    The motion of the centre of mass is no temperature and is left out with its three degrees of freedom, whether it is
    held at rest or not. Components that are exactly zero in every frame are frozen; a crystal held by frozen atoms has
    no motion of its centre of mass to leave out.

    Parameters
    ----------
    masses_amu : (n_atoms,) array
        Masses in u.

    Examples
    --------
    >>> import numpy as np
    >>> measured = KineticTemperature(np.array([6.94, 6.94]))
    >>> measured.add(np.array([[0.01, 0, 0], [-0.01, 0, 0]]))
    >>> round(measured.value_k(), 1)  # one relative degree of freedom: y and z are frozen
    1669.4
    """

    def __init__(self, masses_amu: NDArray[np.float64]) -> None:
        self._masses = masses_amu[:, None]
        self._moved = np.zeros((masses_amu.size, 3), dtype=bool)
        self._kinetic = 0.0
        self._centre = np.zeros(3)
        self._frames = 0

    def add(self, velocities_angstrom_fs: NDArray[np.floating]) -> None:
        """Take one frame in.

        Parameters
        ----------
        velocities_angstrom_fs : (n_atoms, 3) array
            Velocities in Å/fs.
        """
        self._frames += 1
        self._moved |= velocities_angstrom_fs != 0.0
        self._kinetic += 0.5 * float(np.sum(self._masses * velocities_angstrom_fs**2))
        momentum = np.sum(self._masses * velocities_angstrom_fs, axis=0)
        self._centre += 0.5 * momentum**2 / self._masses.sum()

    def value_k(self, constrained: int = 0) -> float | None:
        """Return the mean temperature.

        Parameters
        ----------
        constrained : int
            Degrees of freedom that constraints other than fixed atoms and a fixed centre of mass take away.

        Returns
        -------
        float or None
            Temperature in K; None where there is no frame or nothing moves.
        """
        free = self._moved.sum(axis=0)
        is_loose = free == len(self._moved)
        count = int(free.sum()) - int(is_loose.sum()) - constrained
        kinetic = self._kinetic - float(self._centre[is_loose].sum())
        if not self._frames or count < 1 or not kinetic > 0.0:
            return None
        return temperature_from_kinetic_energy(kinetic / self._frames * EV_PER_AMU_ANGSTROM2_PER_FS2, count)


def temperature_from_kinetic_energy(kinetic_energy_ev: float, degrees_of_freedom: int) -> float:
    """Return the kinetic temperature.

    Parameters
    ----------
    kinetic_energy_ev : float
        Kinetic energy of the cell in eV.
    degrees_of_freedom : int
        Degrees of freedom that hold it: 3N − 3 with the centre of mass at rest.

    Returns
    -------
    float
        Temperature in K.

    Examples
    --------
    >>> round(temperature_from_kinetic_energy(1.5 * 8.617333262e-5 * 300 * 9, 27), 6)
    300.0
    """
    return 2.0 * kinetic_energy_ev / (max(degrees_of_freedom, 1) * BOLTZMANN_EV_PER_K)
