"""Replace part of the atoms of a crystal by other elements, and keep it neutral."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from pymatgen.core import Composition, Element, Species, Structure

from ..errors import StructureError
from .crowding import excluding_groups
from .formal_charges import formal_charges
from .mobile_ion import resolve_mobile_ion
from .occupancy import site_occupants
from .oxidation import common_oxidation_states

_SAME_CHARGE = 1e-6
_NEUTRAL_PER_ATOM = 0.02
_NOTHING = 1e-6
_ONE_PLACE_ANGSTROM = 1.6
"""Nearer sites never hold two ions at once."""

SpeciesMap = Mapping[str, str | Mapping[str, float]]
"""Which species takes the place of which, such as {"P5+": {"Ge4+": 0.2}, "S": "Se"}."""


def substitute(
    structure: Structure, species_map: SpeciesMap, *, compensate_with: Sequence[str] | str | None = None
) -> list[Structure]:
    """Substitute elements of a parent structure, wholly or in part, and compensate the charge.

    The parts that are replaced sit on all sites of the host alike: partial occupancies, to be ordered by
    `order_candidates`. When the charge changes, ions of a compensating element are taken off all its sites alike, or
    added where its partly occupied sites have room; sites closer than 1.6 Å count as one place.

    Parameters
    ----------
    structure : Structure
        The parent, ordered or not.
    species_map : mapping of str to str or mapping of str to float
        For each host the element that replaces it, or elements with the part of the host's atoms that each replaces.
        Charges may be written (``P5+``); else the parent's are taken or guessed, and the most common one of a new
        element.
    compensate_with : str or sequence of str, optional
        Elements that may be added or removed, each giving a structure of its own; the mobile ion, guessed, when None.

    Returns
    -------
    list of Structure
        With oxidation states; one for each compensating element that can balance the charge, just one where the charge
        does not change.

    Raises
    ------
    StructureError
        When a host is not in the structure, a part is not between 0 and 1, the parent is not neutral, or nothing
        balances the charge.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> substitute(salt, {"Li+": {"Mg2+": 0.25}})[0].composition.element_composition.formula
    'Li2 Mg1 Cl4'
    """
    charges, _ = formal_charges(structure)
    parent_charge = _charge(structure, charges)
    if abs(parent_charge) > _NEUTRAL_PER_ATOM * structure.composition.num_atoms:
        raise StructureError(
            f"The parent {structure.composition.reduced_formula} has a formal charge of {parent_charge:+.3g} per cell: "
            "give it oxidation states or occupancies that balance."
        )
    hosts = _parse_map(species_map, structure, charges)
    sites = [_replace(site_occupants(site), hosts) for site in structure]
    substituted = Structure(structure.lattice, sites, structure.frac_coords)
    excess = _charge(substituted, charges) - parent_charge
    if abs(excess) < _SAME_CHARGE:
        return [_decorated(structure, sites, charges)]
    balanced, reasons = [], []
    for symbol in _compensators(structure, substituted, compensate_with):
        try:
            balanced.append(_decorated(structure, _compensate(substituted, symbol, charges, excess), charges))
        except StructureError as error:
            reasons.append(str(error))
    if not balanced:
        raise StructureError(
            f"The charge of {excess:+.3g} that the substitution brings to "
            f"{substituted.composition.formula} cannot be balanced: {'; '.join(reasons)}."
        )
    return balanced


def _parse_map(species_map: SpeciesMap, structure: Structure, charges: dict[str, float]) -> dict[str, dict[str, float]]:
    """Elements and parts by host; charges that are written go into `charges`."""
    present = structure.composition.get_el_amt_dict()
    hosts: dict[str, dict[str, float]] = {}
    written: dict[str, float] = {}
    for host_text, guests in species_map.items():
        host, host_charge = _species(host_text)
        if host not in present:
            raise StructureError(
                f"'{host_text}' cannot be substituted: the structure {structure.composition.reduced_formula} holds "
                f"{', '.join(sorted(present))}."
            )
        if host in hosts:
            raise StructureError(f"'{host}' is substituted twice: put all that replaces it under one name.")
        if host_charge is not None and abs(host_charge - charges[host]) > _SAME_CHARGE:
            raise StructureError(
                f"'{host_text}' is not in the structure: its {host} has the charge {charges[host]:+g}; write that, or "
                "the element alone."
            )
        parts = {guests: 1.0} if isinstance(guests, str) else dict(guests)
        hosts[host] = {}
        for guest_text, part in parts.items():
            guest, guest_charge = _species(guest_text)
            if not 0.0 < part <= 1.0:
                raise StructureError(f"The part of {host} that {guest_text} replaces must be above 0 and at most 1.")
            if guest in hosts[host] or guest == host:
                raise StructureError(f"'{guest_text}' replaces {host} twice, or itself: name each element once.")
            hosts[host][guest] = float(part)
            if guest_charge is None:
                guest_charge = written.get(guest, charges.get(guest, common_oxidation_states(guest)[0]))
            if abs(written.setdefault(guest, guest_charge) - guest_charge) > _SAME_CHARGE:
                raise StructureError(f"'{guest}' is given with two charges: an element has one in a substitution.")
        if sum(hosts[host].values()) > 1.0 + _NOTHING:
            raise StructureError(f"The parts of {host} that are replaced add up to more than 1: lower them.")
    for guest, charge in written.items():
        if guest in charges and abs(charges[guest] - charge) > _SAME_CHARGE:
            raise StructureError(
                f"{guest} has the charge {charges[guest]:+g} in the parent and {charge:+g} in the substitution: an "
                "element has one charge."
            )
        charges[guest] = charge
    return hosts


def _species(text: str) -> tuple[str, float | None]:
    match = re.fullmatch(r"([A-Z][a-z]?)(?:(\d*(?:\.\d+)?)([+-]))?", text.strip())
    if match is None or not Element.is_valid_symbol(match.group(1)):
        raise StructureError(f"'{text}' is neither an element nor an ion: write it such as Ge or Ge4+.")
    symbol, size, sign = match.groups()
    if sign is None:
        return symbol, None
    return symbol, (float(size) if size else 1.0) * (1.0 if sign == "+" else -1.0)


def _replace(occupants: dict[str, float], hosts: dict[str, dict[str, float]]) -> dict[str, float]:
    replaced: dict[str, float] = {}
    for symbol, amount in occupants.items():
        guests = hosts.get(symbol, {})
        replaced[symbol] = replaced.get(symbol, 0.0) + amount * (1.0 - sum(guests.values()))
        for guest, part in guests.items():
            replaced[guest] = replaced.get(guest, 0.0) + amount * part
    return {symbol: amount for symbol, amount in replaced.items() if amount > _NOTHING}


def _compensators(structure: Structure, substituted: Structure, given: Sequence[str] | str | None) -> list[str]:
    if given is None:
        return [resolve_mobile_ion(structure).symbol]
    names = [given] if isinstance(given, str) else list(given)
    symbols = [_species(name)[0] for name in names]
    present = substituted.composition.get_el_amt_dict()
    for symbol in symbols:
        if symbol not in present:
            raise StructureError(
                f"{symbol} cannot balance the charge: the substituted structure holds {', '.join(sorted(present))}."
            )
    return list(dict.fromkeys(symbols))


def _compensate(structure: Structure, symbol: str, charges: dict[str, float], excess: float) -> list[dict[str, float]]:
    """Occupants of all sites with as many ions of one element more or fewer as balance the excess charge."""
    change = -excess / charges[symbol] if charges[symbol] else np.inf
    sites = [site_occupants(site) for site in structure]
    held = np.array([occupants.get(symbol, 0.0) for occupants in sites])
    if change < 0.0:
        if not -change <= held.sum() + _NOTHING:
            raise StructureError(f"{-change:.3g} {symbol} would have to go, but there are only {held.sum():.3g}")
        added = held * max(-1.0, change / held.sum())
    else:
        room = _room(structure, held)
        if not change <= room.sum() + _NOTHING:
            raise StructureError(
                f"{change:.3g} {symbol} would have to be added, but its partly occupied sites have room for "
                f"{room.sum():.3g}: give a parent with vacant sites, or another element to compensate with"
            )
        added = room * min(1.0, change / room.sum())
    for occupants, more in zip(sites, added, strict=True):
        if more:
            occupants[symbol] = occupants.get(symbol, 0.0) + float(more)
    return [{element: amount for element, amount in occupants.items() if amount > _NOTHING} for occupants in sites]


def _room(structure: Structure, held: np.ndarray) -> np.ndarray:
    """How many more ions each of their sites takes, when sites that exclude each other are one place."""
    occupied = np.array([float(site.species.num_atoms) for site in structure])
    room = np.where(held > 0.0, np.maximum(1.0 - occupied, 0.0), 0.0)
    close = (np.array(structure.distance_matrix) < _ONE_PLACE_ANGSTROM) & np.outer(held > 0.0, held > 0.0)
    np.fill_diagonal(close, False)
    for group in excluding_groups(close, occupied):
        share = max(0.0, 1.0 - float(occupied[group].sum())) / len(group)
        room[group] = np.minimum(room[group], share)
    return room


def _charge(structure: Structure, charges: Mapping[str, float]) -> float:
    amounts = structure.composition.get_el_amt_dict()
    return float(sum(charges[symbol] * amount for symbol, amount in amounts.items()))


def _decorated(parent: Structure, sites: Sequence[Mapping[str, float]], charges: Mapping[str, float]) -> Structure:
    """Leave out empty sites and write the charges, so that ordering need not guess them."""
    kept = [index for index, occupants in enumerate(sites) if occupants]
    return Structure(
        parent.lattice,
        [
            Composition({Species(symbol, charges[symbol]): amount for symbol, amount in sites[index].items()})
            for index in kept
        ],
        parent.frac_coords[kept],
    )
