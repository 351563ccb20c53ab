"""Between which total charges the known oxidation states of the elements leave a composition."""

from __future__ import annotations

from pymatgen.core import Element, Structure

from .oxidation import common_oxidation_states

_ANIONS = ("O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N")
_PAIR_ANGSTROM = {"O": 1.7, "S": 2.5, "Se": 2.8, "Te": 3.1, "I": 3.2}
"""Nearer atoms of these elements are bonded to each other, as in peroxides and polysulfides."""
_PAIRED_STATE = {"O": -1.0}
"""Highest charge of bonded anions where it is not zero: a peroxide, not a molecule."""
_COVALENT_WITH_HYDROGEN = ("B", "C", "N")


def charge_range(structure: Structure) -> tuple[float, float] | None:
    """Find the least and the largest formal charge of the cell.

    Every element may take any charge between its common oxidation states, so mixed valence is covered. Anions that
    nothing more electronegative outnumbers are negative; what they outnumber is positive.

    Parameters
    ----------
    structure : Structure
        A crystal, perhaps with partial occupancies.

    Returns
    -------
    tuple of float, or None
        Least and largest charge of the cell in elementary charges; None where formal charges say nothing, as in alloys
        and in boranes.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> charge_range(Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.1), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3]))
    (0.0, 0.0)
    """
    amounts = structure.composition.get_el_amt_dict()
    least = largest = 0.0
    has_anion = False
    for symbol, amount in amounts.items():
        states = _states(symbol, amounts, structure)
        if states is None:
            return None
        has_anion = has_anion or min(states) < 0.0
        least += amount * min(states)
        largest += amount * max(states)
    return (least, largest) if has_anion else None


def _states(symbol: str, amounts: dict[str, float], structure: Structure) -> list[float] | None:
    states = common_oxidation_states(symbol)
    if symbol == "H":
        return states
    if symbol in _COVALENT_WITH_HYDROGEN and "H" in amounts:
        return None
    stronger = sum(
        amount for other, amount in amounts.items() if other != symbol and Element(other).X > Element(symbol).X
    )
    outnumbered = stronger >= amounts[symbol]
    if symbol == "N":
        return states
    if symbol in _ANIONS:
        if _has_pairs(symbol, structure):
            return [*states, _PAIRED_STATE.get(symbol, 0.0)]
        return states if outnumbered else [min(states)]
    positive = [state for state in states if state > 0.0]
    return positive if outnumbered and positive else states


def _has_pairs(symbol: str, structure: Structure) -> bool:
    reach = _PAIR_ANGSTROM.get(symbol)
    if reach is None:
        return False
    first, second, _, _ = structure.get_neighbor_list(reach)
    holds = [any(species.symbol == symbol for species in site.species) for site in structure]
    return any(holds[one] and holds[other] for one, other in zip(first.tolist(), second.tolist(), strict=True))
