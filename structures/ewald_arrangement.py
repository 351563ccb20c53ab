"""Which of the partly occupied sites the atoms take: simulated annealing of the Ewald energy."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from .crowding import most_crowded_sites
from .occupancy import Sublattice, is_full, site_occupants
from .rejection import RejectionCode, StructureRejection

LIKE_CHARGES_ANGSTROM = (2.0, 1.6, 1.3)
"""Two ions of like charge are kept this far apart; the shorter distances are for refinements that leave no
other way; relax such a structure before anything else."""
_PROTONS_ANGSTROM = 1.2
_OVERLAP_EV = 20.0
_MOST_MOVES = 40_000
_SAME_ENERGY_EV = 1e-6
_MOVES_PER_GLANCE = 5_000
"""Moves between two looks at the clock."""


@dataclass(frozen=True)
class _Pool:
    """Sites among which occupants may be exchanged, and what each may hold ('' is a vacancy)."""

    sites: np.ndarray
    symbols: tuple[str, ...]
    allowed: tuple[frozenset[str], ...]


def _pools(counted: Sequence[Sublattice]) -> list[_Pool]:
    pools = []
    for sublattice in counted:
        symbols = [
            symbol
            for (symbol, _), number in zip(sublattice.occupancy, sublattice.counts, strict=True)
            for _ in range(number)
        ]
        symbols += [""] * (len(sublattice.sites) - len(symbols))
        # a sublattice that is full in the file stays full
        allowed = frozenset(symbol for symbol, _ in sublattice.occupancy) | frozenset(
            () if sublattice.is_full else ("",)
        )
        pools.append(_Pool(np.array(sublattice.sites), tuple(symbols), (allowed,) * len(symbols)))
    return pools


def _merge(pools: list[_Pool]) -> list[_Pool]:
    """Join pools that share an element and have vacancies, so that it may sit on any of its sites."""
    merged: list[_Pool] = []
    for pool in pools:
        shared = [
            other
            for other in merged
            if "" in pool.allowed[0]
            and any("" in allowed and (allowed & pool.allowed[0]) - {""} for allowed in set(other.allowed))
        ]
        merged = [other for other in merged if all(other is not one for one in shared)]
        members = [*shared, pool]
        merged.append(
            _Pool(
                np.concatenate([member.sites for member in members]),
                tuple(symbol for member in members for symbol in member.symbols),
                tuple(allowed for member in members for allowed in member.allowed),
            )
        )
    return merged


@dataclass(frozen=True)
class Arrangement:
    """Which atom sits where.

    Attributes
    ----------
    symbols : tuple of str
        Element of each site; empty for a vacancy.
    energy_ev : float
        Ewald energy of the formal charges of the cell, in eV.
    """

    symbols: tuple[str, ...]
    energy_ev: float


def ordered_structure(cell: Structure, arrangement: Arrangement) -> Structure:
    """Build the crystal of an arrangement.

    Parameters
    ----------
    cell : Structure
        The cell with its partial occupancies.
    arrangement : Arrangement
        Element of each site.

    Returns
    -------
    Structure
        The occupied sites, in the order of the cell.
    """
    return Structure(
        cell.lattice,
        [symbol for symbol in arrangement.symbols if symbol],
        [site.frac_coords for site, symbol in zip(cell, arrangement.symbols, strict=True) if symbol],
    )


class Annealing:
    """Arrangements of low electrostatic energy of one cell with counted occupants.

    Parameters
    ----------
    cell : Structure
        The cell with its partial occupancies.
    counted : sequence of Sublattice
        Its sites by kind, with whole numbers of atoms.
    charges : mapping of str to float
        Formal charge of each element.
    deadline : float, optional
        Value of `time.thread_time` after which the search is given up.
    """

    def __init__(
        self,
        cell: Structure,
        counted: Sequence[Sublattice],
        charges: Mapping[str, float],
        deadline: float | None = None,
    ) -> None:
        self.cell = cell
        self.charges = dict(charges)
        self.separate = _pools(counted)
        self.merged = _merge(self.separate)
        self.coulomb = ewald_matrix(cell)
        self.deadline = deadline
        self._ways: list[tuple[list[_Pool], float, np.ndarray]] | None = None

    def sample(self, *, seed: int, n_starts: int, sweeps: int, first: int = 0) -> tuple[list[Arrangement], list[str]]:
        """Anneal from several starts, with as little crowding of ions as there must be.

        Parameters
        ----------
        seed : int
            Seed of the search.
        n_starts : int
            Independent starts.
        sweeps : int
            Attempted exchanges per start and site.
        first : int
            Number of the first start; each has random numbers of its own.

        Returns
        -------
        arrangements : list of Arrangement
            What the starts without overlapping ions found, lowest energy first; equal energies in order of the starts.
            Empty only when an earlier call found some.
        notes : list of str
            What had to be allowed.

        Raises
        ------
        StructureRejection
            When every start of the first call ends with overlapping ions, or the deadline has passed.
        """
        ways = self._ways or [
            (pools, distance, exclusion_matrix(self.cell, distance))
            for pools, distance in itertools.product((self.separate, self.merged), LIKE_CHARGES_ANGSTROM)
        ]
        for pools, distance, exclusion in ways:
            found = []
            for start in range(first, first + n_starts):
                generator = np.random.default_rng([seed, start])
                overlaps, energy, symbols = _anneal(
                    self.coulomb, exclusion, pools, self.charges, generator, sweeps, self.deadline
                )
                if overlaps == 0:
                    found.append(Arrangement(tuple(symbols), energy))
            if found:
                # later starts go the way that was open to the first
                self._ways = [(pools, distance, exclusion)]
                return rank_arrangements(found), self._notes(pools, distance)
        if self._ways is not None:
            return [], []
        raise StructureRejection(RejectionCode.TOO_CLOSE, self._too_close(ways[-1][2]))

    def _too_close(self, exclusion: np.ndarray) -> str:
        message = (
            f"The partial occupancies of {self.cell.composition.reduced_formula} cannot be ordered without ions closer "
            f"than {LIKE_CHARGES_ANGSTROM[-1]:g} Å"
        )
        crowded = most_crowded_sites(self.cell, exclusion > 0.0)
        if crowded is not None:
            one = self.cell[crowded.sites[0]]
            message += (
                f" ({len(crowded.sites)} sites within {crowded.distance_angstrom:.2f} Å, such as {one.species_string} "
                f"at {one.frac_coords.round(3).tolist()}, hold {crowded.occupancy:.2f} atoms)"
            )
        return f"{message}: check the occupancies, or order the structure with another tool."

    def energy_ev(self, symbols: Sequence[str]) -> float:
        """Ewald energy of an arrangement in eV.

        Parameters
        ----------
        symbols : sequence of str
            Element of each site; empty for a vacancy.

        Returns
        -------
        float
            Energy of the cell.
        """
        charge = np.array([self.charges[symbol] if symbol else 0.0 for symbol in symbols])
        return float(charge @ self.coulomb @ charge)

    def _notes(self, pools: list[_Pool], distance: float) -> list[str]:
        notes = crowding_notes(distance)
        if pools is self.merged and len(self.merged) < len(self.separate):
            notes.append("Ions had to be moved between different sites of their element to keep them apart.")
        return notes


def crowding_notes(like_charges_angstrom: float) -> list[str]:
    """Say that ions are closer than they should be; nothing where they are not."""
    if like_charges_angstrom >= LIKE_CHARGES_ANGSTROM[0]:
        return []
    return [f"Ions of like charge had to be allowed {like_charges_angstrom:g} Å apart to fit the occupancies."]


def rank_arrangements(arrangements: Sequence[Arrangement]) -> list[Arrangement]:
    """Sort by energy; energies that differ in the last digits only keep their order."""
    # equal energies of symmetry-related arrangements differ in the last digits: the earlier start wins
    by_energy = sorted(range(len(arrangements)), key=lambda index: arrangements[index].energy_ev)
    level, levels = 0, {}
    for place, index in enumerate(by_energy):
        if place and arrangements[index].energy_ev - arrangements[by_energy[place - 1]].energy_ev > _SAME_ENERGY_EV:
            level += 1
        levels[index] = level
    return [arrangements[index] for index in sorted(by_energy, key=lambda index: (levels[index], index))]


def _anneal(
    coulomb: np.ndarray,
    exclusion: np.ndarray,
    pools: list[_Pool],
    charges: Mapping[str, float],
    generator: np.random.Generator,
    sweeps: int,
    deadline: float | None,
) -> tuple[int, float, list[str]]:
    """One start: number of overlaps left, Ewald energy in eV, element of each site."""
    symbols = [""] * len(coulomb)
    allowed: list[frozenset[str]] = [frozenset()] * len(coulomb)
    movable = []
    for pool in pools:
        order = _first_arrangement(pool, generator)
        for site, symbol, may in zip(pool.sites, order, pool.allowed, strict=True):
            symbols[site], allowed[site] = symbol, may
        if len(set(pool.symbols)) > 1:
            movable.append(pool.sites)
    charge = np.array([charges[symbol] if symbol else 0.0 for symbol in symbols])
    present = np.array([float(bool(symbol)) for symbol in symbols])
    field, crowd = coulomb @ charge, exclusion @ present
    weights = np.array([len(sites) for sites in movable], dtype=float)
    n_moves = min(_MOST_MOVES, int(sweeps * weights.sum()))
    chosen = generator.choice(max(1, len(movable)), size=n_moves, p=weights / weights.sum() if n_moves else None)
    draws = generator.random((n_moves, 3))
    # from a temperature (in eV) at which vacancies wander to one at which nothing moves
    temperatures = np.geomspace(1.0, 0.02, n_moves)
    for move in range(n_moves):
        if deadline is not None and move % _MOVES_PER_GLANCE == 0 and time.thread_time() > deadline:
            raise out_of_time()
        sites = movable[chosen[move]]
        first, second = sites[int(draws[move, 0] * len(sites))], sites[int(draws[move, 1] * len(sites))]
        one, other = symbols[first], symbols[second]
        if one == other or one not in allowed[second] or other not in allowed[first]:
            continue
        step = charge[second] - charge[first]
        jump = present[second] - present[first]
        change = 2.0 * step * (field[first] - field[second]) + step**2 * (
            coulomb[first, first] + coulomb[second, second] - 2.0 * coulomb[first, second]
        )
        change += jump * (crowd[first] - crowd[second]) - jump**2 * exclusion[first, second]
        if change > 0.0 and draws[move, 2] >= np.exp(-change / temperatures[move]):
            continue
        symbols[first], symbols[second] = other, one
        field += step * (coulomb[:, first] - coulomb[:, second])
        crowd += jump * (exclusion[:, first] - exclusion[:, second])
        charge[first], charge[second] = charge[second], charge[first]
        present[first], present[second] = present[second], present[first]
    overlaps = round(float(present @ exclusion @ present) / (2.0 * _OVERLAP_EV))
    return overlaps, float(charge @ coulomb @ charge), symbols


def out_of_time() -> StructureRejection:
    """Reject a structure that takes too long."""
    return StructureRejection(
        RejectionCode.TOO_SLOW,
        "The partial occupancies were not ordered within the processor time allowed: allow more time, fewer atoms or "
        "fewer orderings.",
    )


def _first_arrangement(pool: _Pool, generator: np.random.Generator) -> list[str]:
    """Shuffle the occupants among sites of one kind; a merged pool starts with each on its own kind."""
    order = list(pool.symbols)
    for kind in sorted(set(pool.allowed), key=sorted):
        places = [index for index, may in enumerate(pool.allowed) if may == kind]
        for place, source in zip(places, generator.permutation(places), strict=True):
            order[place] = pool.symbols[source]
    return order


def ewald_matrix(cell: Structure) -> np.ndarray:
    """Interaction of unit charges on every pair of sites: E = q·M·q in eV."""
    from pymatgen.analysis.ewald import EwaldSummation

    unit = Structure(cell.lattice, ["H+"] * len(cell), cell.frac_coords)
    # pairs on split sites may coincide in a cell of refined positions; 8 digits are plenty for a ranking
    matrix = np.array(EwaldSummation(unit, acc_factor=8.0).total_energy_matrix)
    return 0.5 * (matrix + matrix.T)


def exclusion_matrix(cell: Structure, like_charges_angstrom: float) -> np.ndarray:
    """Put a prohibitive energy on pairs of sites that cannot both be occupied."""
    species = [set(site_occupants(site)) for site in cell]
    partial = np.array([not is_full(site) for site in cell])
    distances = np.array(cell.distance_matrix)
    matrix = np.zeros_like(distances)
    np.fill_diagonal(distances, np.inf)
    for first, second in np.argwhere(distances < like_charges_angstrom):
        # two fully occupied sites are where the file put them
        if not (partial[first] or partial[second]):
            continue
        if distances[first, second] < _closest(species[first], species[second], like_charges_angstrom):
            matrix[first, second] = _OVERLAP_EV
    return matrix


def _closest(first: set[str], second: set[str], like_charges_angstrom: float) -> float:
    """Least distance of two atoms in Å: bonds may be short, like charges may not."""
    if first == second == {"H"}:
        return _PROTONS_ANGSTROM
    anions = {"O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N"}
    if (first <= anions) == (second <= anions) and "H" not in first | second:
        return like_charges_angstrom
    radii = [float(Element(symbol).atomic_radius or 1.0) for symbol in sorted(first | second)]
    return max(0.7, 0.5 * (min(radii) + max(radii)))
