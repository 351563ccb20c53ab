"""From pymatgen to ASE, keeping exactly what the identity of a trajectory rests on."""

from __future__ import annotations

from typing import Any

from ase import Atoms
from pymatgen.core import Structure


def as_structure(structure: Structure | dict[str, Any]) -> Structure:
    """Give a Structure, whether jobflow has decoded its dictionary or not.

    Parameters
    ----------
    structure : Structure or dict
        A structure, or what its `as_dict` gave.

    Returns
    -------
    Structure
        The structure.
    """
    return Structure.from_dict(structure) if isinstance(structure, dict) else structure


def ase_atoms(structure: Structure | dict[str, Any]) -> Atoms:
    """Give ASE atoms with the elements, order, positions and cell of a structure, and nothing else.

    Parameters
    ----------
    structure : Structure or dict
        An ordered structure.

    Returns
    -------
    Atoms
        Periodic atoms.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> ase_atoms(Structure(Lattice.cubic(3.5), ["Li"], [[0, 0, 0]])).get_chemical_symbols()
    ['Li']
    """
    plain = as_structure(structure)
    return Atoms(
        symbols=[site.specie.symbol for site in plain],
        positions=plain.cart_coords,
        cell=plain.lattice.matrix,
        pbc=True,
    )
