"""How strongly the oxygen of a crystal is bonded to its cations."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

_BOND_ANGSTROM = 3.0

_HYDROGEN_BOND_ANGSTROM = 1.35
"""Length up to which hydrogen belongs to an oxygen; half-way positions in strong hydrogen bonds are at 1.2 Å."""

_PAIR_ANGSTROM = (1.1, 1.7)
"""Bonds between two oxygen atoms, from molecules through superoxides (1.3 Å) to peroxides (1.5 Å)."""

_LEAST_OCCUPANCY = 0.98

_SOFTNESS_ANGSTROM = 0.31


def free_oxygen_valences(structure: Structure) -> NDArray[np.float64]:
    """Sum the bond valences of oxygen atoms that have neither hydrogen nor another oxygen.

    Parameters
    ----------
    structure : Structure
        A crystal, perhaps with partial occupancies. Only fully occupied sites of oxygen count.

    Returns
    -------
    ndarray
        Sums of bonds to the elements that are less electronegative than oxygen, hydrogen excepted; after O'Keeffe and
        Brese, doi:10.1021/ja00009a002. Empty where an element has no parameters.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> magnesia = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [[0, 0, 0], [0.5] * 3])
    >>> free_oxygen_valences(magnesia).round(1).tolist()
    [1.9, 1.9, 1.9, 1.9]
    """
    occupants = [site.species.get_el_amt_dict() for site in structure]
    symbols = sorted({symbol for amounts in occupants for symbol in amounts})
    parts = np.array([[amounts.get(symbol, 0.0) for symbol in symbols] for amounts in occupants])
    oxygen = np.flatnonzero(parts[:, symbols.index("O")] > _LEAST_OCCUPANCY) if "O" in symbols else np.empty(0, int)
    lengths = [_bond_length(symbol) for symbol in symbols]
    if not len(oxygen) or any(length is None for length in lengths):
        return np.empty(0)
    first, second, _, distances = structure.get_neighbor_list(
        _BOND_ANGSTROM, sites=[structure[index] for index in oxygen.tolist()]
    )
    exponents = (np.array(lengths, dtype=float)[None, :] - distances[:, None]) / _SOFTNESS_ANGSTROM
    valences = np.bincount(first, (parts[second] * np.exp(exponents)).sum(axis=1), minlength=len(oxygen))
    bonded = np.zeros(len(distances), dtype=bool)
    if "H" in symbols:
        bonded |= (parts[second, symbols.index("H")] > 0.0) & (distances < _HYDROGEN_BOND_ANGSTROM)
    shortest, longest = _PAIR_ANGSTROM
    bonded |= (parts[second, symbols.index("O")] > 0.5) & (shortest < distances) & (distances < longest)
    free = np.ones(len(oxygen), dtype=bool)
    free[first[bonded]] = False
    return np.asarray(valences[free])


@lru_cache(maxsize=128)
def _bond_length(symbol: str) -> float | None:
    """Length of a bond to oxygen of the valence 1, in Å; minus infinity for what forms none, None if unknown."""
    from pymatgen.analysis.bond_valence import BV_PARAMS

    element, oxygen = Element(symbol), Element("O")
    if symbol == "H":
        return -math.inf
    if element not in BV_PARAMS:
        return None
    if element.X >= oxygen.X:
        return -math.inf
    one, other = BV_PARAMS[oxygen], BV_PARAMS[element]
    spread = (math.sqrt(one["c"]) - math.sqrt(other["c"])) ** 2
    return float(
        one["r"] + other["r"] - one["r"] * other["r"] * spread / (one["c"] * one["r"] + other["c"] * other["r"])
    )
