"""An ordered structure of the right size in place of a disordered one that nobody has ordered yet."""

from __future__ import annotations

from pymatgen.core import Structure

from ....structures.occupancy import is_full, site_occupants


def stand_in(structure: Structure) -> Structure:
    """Put whole atoms on some of the sites, as many of each element as the composition has.

    For counting atoms and timing steps only: nothing about energy or charge order is considered.

    Parameters
    ----------
    structure : Structure
        Perhaps with partial occupancies.

    Returns
    -------
    Structure
        Ordered, in the same cell, without oxidation states.

    Examples
    --------
    >>> from superion.structures.read import read_structure
    >>> stand_in(read_structure("Li6PS5Cl")).composition.reduced_formula
    'Li6PS5Cl'
    """
    if all(is_full(site) for site in structure):
        symbols = [next(iter(site_occupants(site))) for site in structure]
        return Structure(structure.lattice, symbols, structure.frac_coords)
    wanted = {
        element.symbol: round(amount) or 1 for element, amount in structure.composition.element_composition.items()
    }
    occupants = [site_occupants(site) for site in structure]
    # Sites that are almost certainly occupied choose first.
    order = sorted(range(len(structure)), key=lambda index: (-max(occupants[index].values(), default=0.0), index))
    chosen: dict[int, str] = {}
    for index in order:
        free = [symbol for symbol in occupants[index] if wanted[symbol] > 0]
        if free:
            symbol = max(free, key=lambda symbol: (occupants[index][symbol], symbol))
            chosen[index] = symbol
            wanted[symbol] -= 1
    return Structure(
        structure.lattice,
        [chosen[index] for index in sorted(chosen)],
        [structure[index].frac_coords for index in sorted(chosen)],
    )
