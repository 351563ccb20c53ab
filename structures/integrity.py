"""Whether a relaxation has kept the crystal that it was given."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Element, Structure
from pymatgen.util.coord import pbc_shortest_vectors

from ..errors import StructureError
from .framework import framework_centres, framework_has_melted, framework_indices
from .validate import validate_structure

_BOND_FRACTION = 1.2
"""Two atoms are bonded within this multiple of the sum of their covalent radii."""

_BROKEN_FRACTION = 1.4
"""A bond is broken beyond this multiple; the gap keeps vibrations of a bond's length from counting."""


def covalent_bonds(structure: Structure, mobile_ion: str, reach: float = _BOND_FRACTION) -> set[frozenset[int]]:
    """Find the covalent bonds inside polyanions: those between framework atoms that are no metals.

    Bonds of metals to anions are left out, since their number is a matter of taste; a bond of an atom to its own
    image is too.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    mobile_ion : str
        Element symbol of the mobile ion.
    reach : float
        Greatest length of a bond as a multiple of the sum of the covalent radii.

    Returns
    -------
    set of frozenset of int
        Pairs of atoms.

    Examples
    --------
    >>> from superion.structures.order import order_structure
    >>> from superion.structures.read import read_structure
    >>> argyrodite = order_structure(read_structure("Li6PS5Cl"), n_starts=1).structure
    >>> len(covalent_bonds(argyrodite, "Li"))
    16
    """
    from ase.data import atomic_numbers, covalent_radii

    framework = framework_indices(structure, mobile_ion)
    symbols = [site.specie.symbol for site in structure]
    can_bond = np.zeros(len(structure), dtype=bool)
    can_bond[framework] = [not Element(symbols[int(index)]).is_metal for index in framework]
    if not can_bond.any():
        return set()
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    first, second, _, distance = structure.get_neighbor_list(reach * 2.0 * float(radii[can_bond].max()))
    bonded = can_bond[first] & can_bond[second] & (first < second)
    bonded &= distance < reach * (radii[first] + radii[second])
    return {frozenset((int(i), int(j))) for i, j in zip(first[bonded], second[bonded], strict=True)}


def lost_integrity(
    before: Structure,
    after: Structure,
    mobile_ion: str,
    *,
    greatest_shrinkage_percent: float = 20.0,
    greatest_expansion_percent: float = 30.0,
    greatest_displacement: float = 0.2,
) -> str | None:
    """Say in what way a relaxation has lost the crystal: collapse, overlap, broken polyanions, a moved framework.

    Parameters
    ----------
    before : Structure
        Ordered crystal before the relaxation.
    after : Structure
        The same atoms in the same order afterwards.
    mobile_ion : str
        Element symbol of the mobile ion.
    greatest_shrinkage_percent : float
        Largest loss of volume allowed.
    greatest_expansion_percent : float
        Largest gain of volume allowed.
    greatest_displacement : float
        Largest root mean square displacement of the framework's centres, as a fraction of their spacing.

    Returns
    -------
    str or None
        One clause without a full stop; None where the crystal is still itself.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> small = salt.copy()
    >>> small.scale_lattice(0.7 * salt.volume)  # doctest: +ELLIPSIS
    Structure...
    >>> lost_integrity(salt, small, "Li")
    'its volume changed by -30.0 % in the relaxation, beyond -20 % to +30 %'
    """
    if not (np.isfinite(after.lattice.matrix).all() and np.isfinite(after.frac_coords).all()):
        return "the relaxation ended in positions that are not numbers"
    change = 100.0 * (after.volume / before.volume - 1.0)
    if not -greatest_shrinkage_percent <= change <= greatest_expansion_percent:
        return (
            f"its volume changed by {change:+.1f} % in the relaxation, beyond {-greatest_shrinkage_percent:g} % to "
            f"{greatest_expansion_percent:+g} %"
        )
    try:
        validate_structure(after)
    except StructureError as error:
        return f"it collapsed in the relaxation: {str(error).rstrip('.')}"
    bonds = _changed_bonds(before, after, mobile_ion)
    if bonds:
        return bonds
    return _moved_framework(before, after, mobile_ion, greatest_displacement)


def _changed_bonds(before: Structure, after: Structure, mobile_ion: str) -> str | None:
    """Compare the covalent bonds of the polyanions."""
    broken = covalent_bonds(before, mobile_ion) - covalent_bonds(after, mobile_ion, _BROKEN_FRACTION)
    formed = covalent_bonds(after, mobile_ion) - covalent_bonds(before, mobile_ion, _BROKEN_FRACTION)
    for pairs, word in ((broken, "broke"), (formed, "formed")):
        if pairs:
            i, j = min(tuple(sorted(pair)) for pair in pairs)
            names = "–".join(sorted((before[i].specie.symbol, before[j].specie.symbol)))
            bonds = f"{len(pairs)} covalent bond{'s' if len(pairs) > 1 else ''}"
            return f"{bonds} of its framework {word} in the relaxation, such as {names} of sites {i + 1} and {j + 1}"
    return None


def _moved_framework(before: Structure, after: Structure, mobile_ion: str, limit: float) -> str | None:
    """Judge the displacement of the framework's centres, with the strain of the cell taken off."""
    centres = framework_centres(before, mobile_ion)
    if len(centres) < 2:
        return None
    reference = after.lattice.get_cartesian_coords(before.frac_coords)
    steps = [
        pbc_shortest_vectors(after.lattice, old, new)[0, 0]
        for old, new in zip(before.frac_coords, after.frac_coords, strict=True)
    ]
    moved = (reference + np.array(steps))[None]
    is_lost, message = framework_has_melted(reference, moved, centres, after.lattice.matrix, threshold=limit)
    if not is_lost:
        return None
    return f"it lost its framework in the relaxation: {message.partition(': ')[2]}"
