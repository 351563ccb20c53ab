"""A crystal from the rows of atoms of a CIF under one reading of its symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Species, Structure

from ..rejection import RejectionCode, StructureRejection
from .block import CifBlock
from .expand import Orbit, expand
from .numbers import parse_number
from .operation import Operations
from .sites import CifSite, shortened

_LARGEST_ROUNDING = 0.03
"""Sum of occupancies above one beyond which no rounding explains it."""

_NEUTRAL_PER_ATOM = 0.02


@dataclass(frozen=True)
class Crystal:
    """A crystal, and what is to be said of it.

    Attributes
    ----------
    structure : Structure
        All atoms of the cell.
    notes : tuple of str
        Repairs.
    other_multiplicities : tuple of str
        Sentences on multiplicities that are not as stated.
    doubtful : tuple of str
        What only a formula can decide.
    """

    structure: Structure
    notes: tuple[str, ...]
    other_multiplicities: tuple[str, ...]
    doubtful: tuple[str, ...]


def build_crystal(
    block: CifBlock,
    sites: list[CifSite],
    operations: Operations,
    lattice: Lattice,
    reduced_occupancies: bool = False,
) -> Crystal:
    """Build the crystal of one reading of the symmetry.

    Parameters
    ----------
    block : CifBlock
        For oxidation states.
    sites : list of CifSite
        Rows of atoms.
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.
    reduced_occupancies : bool
        Whether occupancies are already divided by the order of the site's symmetry, as in SHELX's own files.

    Returns
    -------
    Crystal
        All atoms of the cell.

    Raises
    ------
    StructureRejection
        When a position holds more than one atom.
    """
    expansion = expand(sites, operations, lattice)
    states = _oxidation_states(block, sites, expansion.orbits)
    rounded: list[str] = []
    compositions = []
    for orbit in expansion.orbits:
        amounts: dict[Species | Element, float] = {}
        factor = float(orbit.order) if reduced_occupancies else 1.0
        for row in orbit.rows:
            element = Element(row.symbol)
            species = element if states is None else Species(row.symbol, states[row.type_text])
            amounts[species] = amounts.get(species, 0.0) + factor * row.occupancy.value
        compositions.append(Composition(_at_most_one(amounts, orbit, rounded)))
    notes = list(expansion.notes)
    if rounded:
        notes.append(f"Occupancies that add up to slightly more than 1 are scaled to 1: {shortened(rounded)}.")
    # orbits of like composition follow each other, as in earlier versions: the order of atoms is part of an identity
    order = sorted(range(len(compositions)), key=lambda index: compositions[index])
    structure = Structure(
        lattice,
        [compositions[index] for index in order for _ in expansion.orbits[index].images],
        np.concatenate([expansion.orbits[index].images for index in order]),
        labels=[expansion.orbits[index].rows[-1].label for index in order for _ in expansion.orbits[index].images],
    ).get_sorted_structure()
    return Crystal(structure, tuple(notes), expansion.other_multiplicities, expansion.doubtful)


def _at_most_one(
    amounts: dict[Species | Element, float], orbit: Orbit, rounded: list[str]
) -> dict[Species | Element, float]:
    total = sum(amounts.values())
    if total <= 1.0 + 1e-8:
        return amounts
    slack = 0.0
    for row in orbit.rows:
        number = row.occupancy
        if number.value not in (0.0, 1.0) or number.uncertainty:
            slack += (number.last_digit if number.decimals > 1 else 0.0) + 3.0 * number.uncertainty
    labels = "/".join(row.label for row in orbit.rows)
    if total - 1.0 > min(slack, _LARGEST_ROUNDING) + 1e-9:
        are = "occupancy of" if len(orbit.rows) == 1 else "occupancies of"
        raise StructureRejection(
            RejectionCode.IMPOSSIBLE_OCCUPANCY,
            f"the {are} the site {labels} {'is' if len(orbit.rows) == 1 else 'add up to'} {total:.5g}, more than one "
            "atom: correct the occupancies",
        )
    if total - 1.0 > 1e-6:
        rounded.append(f"{labels} ({total:.5g})")
    return {species: amount / total for species, amount in amounts.items()}


def _oxidation_states(block: CifBlock, sites: list[CifSite], orbits: tuple[Orbit, ...]) -> dict[str, float] | None:
    """Oxidation state of each type symbol, where the file states them all; those of a loop may be any."""
    types = {site.type_text: site for site in sites}
    symbols = block.column("_atom_type_symbol")
    numbers = block.column("_atom_type_oxidation_number")
    if symbols is not None and numbers is not None and len(symbols) == len(numbers):
        listed = {
            symbol: number.value
            for symbol, text in zip(symbols, numbers, strict=True)
            if (number := parse_number(text.replace("+", "").strip())) is not None
        }
        by_element: dict[str, float] = {}
        for symbol, value in listed.items():
            by_element.setdefault(symbol.rstrip("0123456789+-. "), value)
        found = {text: listed.get(text, by_element.get(site.symbol)) for text, site in types.items()}
        states = {text: state for text, state in found.items() if state is not None}
        return states if len(states) == len(types) else None
    charges = {text: site.charge for text, site in types.items() if site.charge is not None}
    if len(charges) < len(types) or not any(charges.values()):
        return None
    amounts = [(row.type_text, row.occupancy.value * len(orbit.images)) for orbit in orbits for row in orbit.rows]
    total = sum(amount for _, amount in amounts)
    if abs(sum(charges[text] * amount for text, amount in amounts)) > _NEUTRAL_PER_ATOM * total:
        return None
    return charges
