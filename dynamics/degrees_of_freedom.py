"""How many degrees of freedom carry the temperature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms, units

from ..errors import ProtocolError

_TRANSLATION = np.array([0.317, 0.211, 0.463])
"""A displacement in Å that is no lattice vector of anything."""

_TOLERANCE_EV_PER_ATOM = 1.0e-4
"""Well above the rounding of a float32 potential (1e-6 eV/atom), well below any external field."""


def is_translation_invariant(atoms: Atoms, potential_energy_ev: Callable[[Atoms], float]) -> bool:
    """Measure whether the energy stays the same when all atoms move together.

    A crystal's potential is translation invariant, so the total momentum is conserved and three degrees
    of freedom hold no kinetic energy. A model with an external field (atoms tied to points in space) is
    not, and all 3N do. Two energies are computed: nothing has to be declared by the potential.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure; left as it was.
    potential_energy_ev : callable
        Gives the potential energy of atoms in eV.

    Returns
    -------
    bool
        True if the energy changes by less than 0.1 meV per atom.
    """
    moved = atoms.copy()
    before = potential_energy_ev(moved)
    moved.positions += _TRANSLATION
    after = potential_energy_ev(moved)
    return bool(abs(after - before) <= _TOLERANCE_EV_PER_ATOM * len(atoms))


def count_degrees_of_freedom(n_atoms: int, translation_invariant: bool) -> int:
    """Count the degrees of freedom that hold kinetic energy.

    Parameters
    ----------
    n_atoms : int
        Number of atoms.
    translation_invariant : bool
        Whether the total momentum is conserved (and set to zero).

    Returns
    -------
    int
        3N - 3 if the total momentum is conserved, else 3N.

    Raises
    ------
    ProtocolError
        If nothing is left to move.
    """
    count = 3 * n_atoms - (3 if translation_invariant else 0)
    if count < 1:
        raise ProtocolError(
            "A cell with one atom cannot move against itself, so it has no temperature: "
            "run the molecular dynamics on a supercell with more atoms."
        )
    return count


def kinetic_temperature_k(atoms: Atoms, degrees_of_freedom: int) -> float:
    """Kinetic temperature in K over the given degrees of freedom.

    Parameters
    ----------
    atoms : ase.Atoms
        Atoms with momenta.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy.

    Returns
    -------
    float
        Temperature in K.
    """
    return float(2.0 * atoms.get_kinetic_energy() / (degrees_of_freedom * units.kB))
