"""Which of the partly occupied sites the atoms take: simulated annealing of the Ewald energy."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from ..errors import StructureError
from .occupancy import Sublattice, is_full, site_occupants

_LIKE_CHARGES_ANGSTROM = (2.0, 1.6, 1.4)
"""Two ions of like charge are kept this far apart; the shorter distances are for refinements that leave no
other way; relax such a structure before anything else."""
_PROTONS_ANGSTROM = 1.2
_OVERLAP_EV = 20.0
_MOST_MOVES = 40_000


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


def arrange(
    cell: Structure, counted: Sequence[Sublattice], charges: Mapping[str, float], seed: int, n_starts: int, sweeps: int
) -> tuple[list[str], float, list[str]]:
    """Anneal the occupants; gives the element of each site ('' for vacant), the Ewald energy in eV, and notes."""
    separate = _pools(counted)
    merged = _merge(separate)
    coulomb = _ewald_matrix(cell)
    for pools, distance in itertools.product((separate, merged), _LIKE_CHARGES_ANGSTROM):
        exclusion = _exclusion_matrix(cell, distance)
        best: tuple[int, float, list[str]] | None = None
        for start in range(n_starts):
            generator = np.random.default_rng([seed, start])
            found = _anneal(coulomb, exclusion, pools, charges, generator, sweeps)
            # equal energies of symmetry-related arrangements differ in the last digits: the earlier start wins
            if best is None or (found[0], found[1]) < (best[0], best[1] - 1e-6):
                best = found
        assert best is not None
        if best[0] == 0:
            notes = []
            if distance < _LIKE_CHARGES_ANGSTROM[0]:
                notes.append(f"Ions of like charge had to be allowed {distance:g} Å apart to fit the occupancies.")
            if pools is merged and len(merged) < len(separate):
                notes.append("Ions had to be moved between different sites of their element to keep them apart.")
            return best[2], best[1], notes
    raise StructureError(
        f"The partial occupancies of {cell.composition.reduced_formula} cannot be ordered without ions closer than "
        f"{_LIKE_CHARGES_ANGSTROM[-1]:g} Å: check the occupancies, or order the structure with another tool."
    )


def _anneal(
    coulomb: np.ndarray,
    exclusion: np.ndarray,
    pools: list[_Pool],
    charges: Mapping[str, float],
    generator: np.random.Generator,
    sweeps: int,
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


def _first_arrangement(pool: _Pool, generator: np.random.Generator) -> list[str]:
    """Shuffle the occupants among sites of one kind; a merged pool starts with each on its own kind."""
    order = list(pool.symbols)
    for kind in sorted(set(pool.allowed), key=sorted):
        places = [index for index, may in enumerate(pool.allowed) if may == kind]
        for place, source in zip(places, generator.permutation(places), strict=True):
            order[place] = pool.symbols[source]
    return order


def _ewald_matrix(cell: Structure) -> np.ndarray:
    """Interaction of unit charges on every pair of sites: E = q·M·q in eV."""
    from pymatgen.analysis.ewald import EwaldSummation

    unit = Structure(cell.lattice, ["H+"] * len(cell), cell.frac_coords)
    # pairs on split sites may coincide in a cell of refined positions; 8 digits are plenty for a ranking
    matrix = np.array(EwaldSummation(unit, acc_factor=8.0).total_energy_matrix)
    return 0.5 * (matrix + matrix.T)


def _exclusion_matrix(cell: Structure, like_charges_angstrom: float) -> np.ndarray:
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
