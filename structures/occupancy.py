"""How many atoms of each element go on which partly occupied sites."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition, PeriodicSite, Structure

from .rejection import RejectionCode, StructureRejection
from .supercell import face_distances_angstrom, supercell_matrix

OCCUPANCY_TOLERANCE = 1e-3
"""Occupancies closer than this are the same."""

_FULL_TOLERANCE = 0.02
"""A refinement's occupancies may sum to this much beside 1 on a full site."""

COMPOSITION_TOLERANCE = 0.1
"""Largest relative change of an element's amount that asks for no larger cell."""

_LARGEST_STACK = 8
"""Up to this size repetitions that are not near-cubic are tried too."""

_NEUTRAL_PER_ATOM = 0.02
"""Formal charge per atom beyond which a composition is not meant to be neutral."""

_VANISHED = 1000.0

_MOST_COMBINATIONS = 200_000


@dataclass(frozen=True)
class Sublattice:
    """Sites with the same occupancies.

    Attributes
    ----------
    sites : tuple of int
        Their indices.
    occupancy : tuple of (str, float)
        Occupancy of each element.
    counts : tuple of int
        Whole number of atoms that each element gets, in the order of `occupancy`; empty before counting.
    """

    sites: tuple[int, ...]
    occupancy: tuple[tuple[str, float], ...]
    counts: tuple[int, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether every site is occupied, by one element or another."""
        return sum(amount for _, amount in self.occupancy) > 1.0 - _FULL_TOLERANCE


@dataclass(frozen=True)
class Counting:
    """Whole numbers of atoms on every sublattice, and how well they fit.

    Attributes
    ----------
    sublattices : tuple of Sublattice
        With their counts.
    charge : float
        Formal charge of the cell.
    deviation : float
        Largest relative change of an element's amount.
    """

    sublattices: tuple[Sublattice, ...]
    charge: float
    deviation: float

    @property
    def formula(self) -> str:
        """Composition with whole numbers."""
        amounts: dict[str, float] = {}
        for sublattice in self.sublattices:
            for (symbol, _), number in zip(sublattice.occupancy, sublattice.counts, strict=True):
                amounts[symbol] = amounts.get(symbol, 0.0) + number
        return str(Composition(amounts).formula)


def is_full(site: PeriodicSite) -> bool:
    """Say whether a site holds exactly one atom of one element."""
    return len(site.species) == 1 and abs(site.species.num_atoms - 1.0) <= OCCUPANCY_TOLERANCE


def site_occupants(site: PeriodicSite) -> dict[str, float]:
    """Occupancy of each element on a site, whatever its oxidation states, by symbol."""
    amounts: dict[str, float] = {}
    for species, amount in site.species.items():
        amounts[species.symbol] = amounts.get(species.symbol, 0.0) + float(amount)
    return {symbol: amount for symbol, amount in sorted(amounts.items()) if amount > OCCUPANCY_TOLERANCE}


def check_occupancies(structure: Structure) -> None:
    """Refuse sites that hold more than one atom, or none.

    Parameters
    ----------
    structure : Structure
        A crystal, perhaps with partial occupancies.

    Raises
    ------
    StructureRejection
        With the code ``impossible_occupancy``.
    """
    for index, site in enumerate(structure):
        amounts = [float(amount) for _, amount in site.species.items()]
        if sum(amounts) > 1.0 + _FULL_TOLERANCE:
            raise StructureRejection(
                RejectionCode.IMPOSSIBLE_OCCUPANCY,
                f"The site {index + 1} ({site.species_string}) holds more than one atom: correct its occupancies.",
            )
        if sum(amounts) < OCCUPANCY_TOLERANCE or min(amounts) < 0.0:
            raise StructureRejection(
                RejectionCode.IMPOSSIBLE_OCCUPANCY,
                f"The site {index + 1} at {site.frac_coords.round(4).tolist()} is occupied by {sum(amounts):g} atoms: "
                "correct its occupancy or leave the site out.",
            )


def count_in_supercell(
    structure: Structure,
    charges: Mapping[str, float],
    maximum_atoms: int,
    composition_tolerance: float = COMPOSITION_TOLERANCE,
) -> tuple[Structure, Counting, list[str]]:
    """Choose whole numbers of atoms, repeating the cell while they fit badly and there is room.

    Parameters
    ----------
    structure : Structure
        A crystal with partial occupancies.
    charges : mapping of str to float
        Formal charge of each element.
    maximum_atoms : int
        The most atoms to which the cell may be repeated.
    composition_tolerance : float
        Largest relative change of an element's amount that asks for no larger cell.

    Returns
    -------
    cell : Structure
        The structure, perhaps repeated.
    counting : Counting
        Atoms on each of its sublattices.
    notes : list of str
        What was repeated or rounded.

    Raises
    ------
    StructureRejection
        When a site holds more than one atom, or none.
    """
    check_occupancies(structure)
    candidates: list[tuple[np.ndarray, Counting]] = []
    for matrix in _repetitions(structure, maximum_atoms):
        counting = _count(_sublattices(structure), round(np.linalg.det(matrix)), charges)
        candidates.append((matrix, counting))
        if counting.charge == 0.0 and counting.deviation <= composition_tolerance:
            break
    # a supercell cannot mend a composition that is not neutral
    neutral = [candidate for candidate in candidates if candidate[1].charge == 0.0] or candidates
    least = min(counting.deviation for _, counting in neutral)
    # a larger cell must be worth its atoms: the smallest that is nearly as good as the best
    matrix = next(
        matrix for matrix, counting in neutral if counting.deviation <= max(composition_tolerance, 1.5 * least)
    )
    size = round(np.linalg.det(matrix))
    cell = structure.copy()
    notes = []
    if size > 1:
        cell.make_supercell(matrix, to_unit_cell=True)
        notes.append(f"The cell was repeated {size} times so that its partial occupancies become whole atoms.")
    counting = _count(_sublattices(cell), 1, charges)
    if counting.deviation > OCCUPANCY_TOLERANCE:
        wanted = (structure.composition.element_composition * size).formula
        notes.append(f"Whole atoms change the composition from {wanted} to {counting.formula}.")
    if counting.charge:
        notes.append(
            f"The ordered cell carries a formal charge of {counting.charge:+.2f}, neutralised by a uniform background."
        )
    return cell, counting, notes


def _repetitions(structure: Structure, maximum_atoms: int) -> Iterator[np.ndarray]:
    """Near-cubic repetitions and small stacks of the cell, smallest first, up to a number of atoms."""
    lattice = structure.lattice.matrix
    matrices = {size: _most_compact_stack(lattice, size) for size in range(2, _LARGEST_STACK + 1)}
    for edge in np.linspace(1.0, 3.0, 15)[1:] * min(structure.lattice.abc):
        matrix = supercell_matrix(lattice, edge)
        size = round(np.linalg.det(matrix))
        if size not in matrices or _width(matrix, lattice) > _width(matrices[size], lattice) + 1e-6:
            matrices[size] = matrix
    yield np.eye(3, dtype=int)
    for size in sorted(matrices):
        if size > 1 and size * structure.composition.num_atoms <= maximum_atoms:
            yield matrices[size]


def _most_compact_stack(lattice: np.ndarray, size: int) -> np.ndarray:
    """Whole multiples of the three lattice vectors, as wide as they can be."""
    stacks = [
        np.diag([first, second, size // (first * second)])
        for first in range(1, size + 1)
        for second in range(1, size + 1)
        if size % (first * second) == 0
    ]
    return max(stacks, key=lambda stack: (round(_width(stack, lattice), 6), tuple(np.diag(stack))))


def _width(matrix: np.ndarray, lattice: np.ndarray) -> float:
    return float(face_distances_angstrom(matrix @ lattice).min())


def _sublattices(structure: Structure) -> list[Sublattice]:
    """Sites with equal occupancies, to three digits; their mean stands for them."""
    groups: dict[tuple[tuple[str, float], ...], list[int]] = {}
    occupants = [site_occupants(site) for site in structure]
    for index, amounts in enumerate(occupants):
        kind = tuple((symbol, round(amount, 3)) for symbol, amount in amounts.items())
        groups.setdefault(kind, []).append(index)
    return [
        Sublattice(
            tuple(sites),
            tuple((symbol, math.fsum(occupants[site][symbol] for site in sites) / len(sites)) for symbol, _ in kind),
        )
        for kind, sites in groups.items()
        if kind
    ]


def _count(sublattices: list[Sublattice], size: int, charges: Mapping[str, float]) -> Counting:
    """Round to whole numbers with the least charge, and then the least change of composition."""
    wanted = [[amount * len(part.sites) * size for _, amount in part.occupancy] for part in sublattices]
    best: tuple[tuple[float, ...], tuple[tuple[int, ...], ...]] | None = None
    for widen in (0, 1, 2):
        choices = [_roundings(part, amounts, size, widen) for part, amounts in zip(sublattices, wanted, strict=True)]
        if math.prod(len(choice) for choice in choices) > _MOST_COMBINATIONS:
            # too many kinds of disorder to try every rounding together: the nearest few of each sublattice
            n_disordered = sum(len(choice) > 1 for choice in choices)
            choices = [choice[: max(1, int(_MOST_COMBINATIONS ** (1 / n_disordered)))] for choice in choices]
        for counts in itertools.product(*choices):
            score = _misfit(sublattices, wanted, counts, charges)
            if best is None or score < best[0]:
                best = (score, counts)
        # neutral and near: where charge ties elements together, the nearest whole numbers may all be poor
        if best is not None and best[0][0] == 0.0 and best[0][1] <= COMPOSITION_TOLERANCE:
            break
    assert best is not None
    (_, deviation, _), counts = best
    charge = sum(
        number * charges[symbol]
        for part, numbers in zip(sublattices, counts, strict=True)
        for (symbol, _), number in zip(part.occupancy, numbers, strict=True)
    )
    return Counting(
        sublattices=tuple(
            Sublattice(part.sites, part.occupancy, numbers) for part, numbers in zip(sublattices, counts, strict=True)
        ),
        charge=0.0 if abs(charge) < 1e-6 else charge,
        deviation=deviation,
    )


def _roundings(part: Sublattice, wanted: list[float], size: int, widen: int) -> list[tuple[int, ...]]:
    """Whole numbers for one sublattice that fit on its sites, nearest first."""
    room = len(part.sites) * size
    ranges = []
    for amount in wanted:
        nearest = round(amount)
        if abs(amount - nearest) < 0.02 and not (widen and 0 < nearest < room):
            ranges.append([nearest])
        else:
            lowest, highest = math.floor(amount + 0.02) - widen, math.ceil(amount - 0.02) + widen
            ranges.append(list(range(max(0, lowest), min(room, highest) + 1)))
    fitting = [
        numbers
        for numbers in itertools.islice(itertools.product(*ranges), _MOST_COMBINATIONS)
        if (sum(numbers) == room if part.is_full else sum(numbers) <= room)
    ]
    return sorted(fitting, key=lambda numbers: (sum(abs(n - w) for n, w in zip(numbers, wanted, strict=True)), numbers))


def _misfit(
    sublattices: list[Sublattice],
    wanted: list[list[float]],
    counts: tuple[tuple[int, ...], ...],
    charges: Mapping[str, float],
) -> tuple[float, float, float]:
    """Charge, largest relative change of an element, and changes summed over sublattices: less is better."""
    charge, nominal, n_atoms, local = 0.0, 0.0, 0.0, 0.0
    totals: dict[str, float] = {}
    changes: dict[str, float] = {}
    for part, amounts, numbers in zip(sublattices, wanted, counts, strict=True):
        for (symbol, _), amount, number in zip(part.occupancy, amounts, numbers, strict=True):
            charge += number * charges[symbol]
            nominal += amount * charges[symbol]
            n_atoms += amount
            local += abs(number - amount)
            totals[symbol] = totals.get(symbol, 0.0) + amount
            changes[symbol] = changes.get(symbol, 0.0) + number - amount
    relative = max(abs(changes[symbol]) / totals[symbol] for symbol in totals)
    # a composition that is not neutral in the file cannot be mended by rounding: keep to the occupancies then
    misfit = 0.0 if abs(nominal) > _NEUTRAL_PER_ATOM * n_atoms else abs(charge)
    # an element with half an atom or more in the cell must not vanish for the sake of neutrality
    misfit += sum(_VANISHED for symbol in totals if totals[symbol] >= 0.5 and totals[symbol] + changes[symbol] < 0.5)
    return (0.0 if misfit < 1e-6 else round(misfit, 6), round(relative, 6), round(local, 6))
