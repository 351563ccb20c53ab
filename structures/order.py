"""Give every partly occupied site an occupant, or none."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from ..errors import StructureError
from .oxidation import guess_oxidation_states
from .supercell import supercell_matrix

_OCCUPANCY_TOLERANCE = 1e-3
_LIKE_CHARGES_ANGSTROM = (2.0, 1.6)
"""Two ions of like charge are kept this far apart; the second distance is for refinements that leave no other way."""
_PROTONS_ANGSTROM = 1.2
_OVERLAP_EV = 20.0
_MOST_MOVES = 40_000
_MOST_SITES = 1500


@dataclass(frozen=True)
class OrderingResult:
    """An ordered structure and what was decided on the way.

    Attributes
    ----------
    structure : Structure
        Every site holds one element; oxidation states are taken off.
    notes : tuple of str
        Decisions that a user should know: oxidation states, rounding of the composition, the search.
    was_disordered : bool
        Whether there was anything to order.
    """

    structure: Structure
    notes: tuple[str, ...]
    was_disordered: bool


def order_structure(
    structure: Structure,
    *,
    seed: int = 0,
    n_starts: int = 8,
    sweeps: int = 800,
    oxidation_states: Mapping[str, float] | None = None,
    maximum_atoms: int = 400,
) -> OrderingResult:
    """Order partial occupancies by electrostatic energy, keeping charge and composition.

    Occupants are counted first: whole numbers on each set of sites of equal occupancy, as near to the occupancies as
    a neutral cell allows. When the cell is too small for that within 5 %, it is repeated. The ions are then placed by
    simulated annealing of the Ewald energy of their formal charges from several starts; two like charges closer than
    2 Å (the split sites of a crystal refinement) never both appear. Where the refinement leaves no such arrangement,
    1.6 Å are allowed and then exchanges between different sites of one element, each with a note. The same input and
    seed give the same result.

    Parameters
    ----------
    structure : Structure
        The crystal, with partial occupancies or without.
    seed : int
        Seed of the search.
    n_starts : int
        Independent starts of the search; the lowest energy wins.
    sweeps : int
        Attempted exchanges per start, in units of the number of partly occupied sites.
    oxidation_states : mapping of str to float, optional
        Charge of each element; those written in the structure, else guessed from the composition, when None.
    maximum_atoms : int
        The most sites to which the cell may be repeated for a better composition.

    Returns
    -------
    OrderingResult
        The ordered structure; unchanged but for oxidation states when nothing was disordered.

    Raises
    ------
    StructureError
        When no arrangement keeps the atoms apart, or the disorder is of a kind that cannot be handled.

    Notes
    -----
    The lowest Ewald energy is a reasonable start for molecular dynamics of mobile ions, which reorder themselves. It
    is not the ground state of a frozen alloy: rank several orderings by the potential for that.

    Examples
    --------
    >>> from superion.structures.read import read_structure
    >>> order_structure(read_structure("Li6PS5Cl"), n_starts=2).structure.composition.formula
    'Li24 P4 S20 Cl4'
    """
    if all(_is_full(site) for site in structure):
        plain = structure.copy()
        plain.remove_oxidation_states()
        return OrderingResult(structure=plain, notes=(), was_disordered=False)
    charges, notes = _charges(structure, oxidation_states)
    counted, matrix, counting_notes = _count_in_supercell(structure, charges, maximum_atoms)
    notes += counting_notes
    cell = structure.copy()
    if not np.array_equal(matrix, np.eye(3, dtype=int)):
        cell.make_supercell(matrix, to_unit_cell=True)
    if len(cell) > _MOST_SITES:
        raise StructureError(
            f"The cell has {len(cell)} sites, too many to order (at most {_MOST_SITES}): give a smaller cell, or order "
            "it with another tool."
        )
    occupants, energy, arranging_notes = _arrange(cell, counted, charges, seed, n_starts, sweeps)
    notes += arranging_notes
    ordered = Structure(
        cell.lattice,
        [symbol for symbol in occupants if symbol],
        [site.frac_coords for site, symbol in zip(cell, occupants, strict=True) if symbol],
    )
    notes.append(
        f"Partial occupancies ordered by Ewald energy: {ordered.composition.formula}, "
        f"{len(cell) - len(ordered)} of {len(cell)} sites vacant, {energy / len(ordered):.3f} eV/atom (formal charges)."
    )
    return OrderingResult(structure=ordered, notes=tuple(notes), was_disordered=True)


def _is_full(site: object) -> bool:
    species = site.species  # type: ignore[attr-defined]
    return len(species) == 1 and abs(species.num_atoms - 1.0) <= _OCCUPANCY_TOLERANCE


def _occupants(site: object) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for species, amount in site.species.items():  # type: ignore[attr-defined]
        amounts[species.symbol] = amounts.get(species.symbol, 0.0) + float(amount)
    return {symbol: amount for symbol, amount in sorted(amounts.items()) if amount > _OCCUPANCY_TOLERANCE}


def _charges(structure: Structure, given: Mapping[str, float] | None) -> tuple[dict[str, float], list[str]]:
    """Charge of each element, and how it was found."""
    elements = {symbol for site in structure for symbol in _occupants(site)}
    if given is not None:
        missing = sorted(elements - set(given))
        if missing:
            raise StructureError(f"No oxidation state was given for {', '.join(missing)}: give one for every element.")
        return {symbol: float(given[symbol]) for symbol in elements}, []
    written: dict[str, list[tuple[float, float]]] = {}
    for site in structure:
        for species, amount in site.species.items():
            state = getattr(species, "oxi_state", None)
            if state is not None:
                written.setdefault(species.symbol, []).append((float(state), float(amount)))
    if set(written) == elements:
        # an element of two valences enters with their mean: the sites it sits on are not told apart
        mean = {
            symbol: sum(state * amount for state, amount in pairs) / sum(amount for _, amount in pairs)
            for symbol, pairs in written.items()
        }
        if abs(sum(mean[symbol] * amount for site in structure for symbol, amount in _occupants(site).items())) < (
            0.02 * len(structure)
        ):
            return mean, []
    guess, balanced = guess_oxidation_states(structure.composition)
    text = ", ".join(f"{symbol} {guess[symbol]:+g}" for symbol in sorted(guess))
    notes = [f"Oxidation states guessed for ordering: {text}."]
    if not balanced:
        notes.append(
            f"The composition {structure.composition.reduced_formula} is not neutral with any common oxidation states: "
            "it is ordered as it is, in a uniform background charge."
        )
    return guess, notes


@dataclass(frozen=True)
class _Sublattice:
    """Sites with the same occupancies and how many atoms of each element they get."""

    sites: tuple[int, ...]
    occupancy: tuple[tuple[str, float], ...]
    counts: tuple[int, ...]


def _sublattices(structure: Structure) -> list[tuple[tuple[int, ...], tuple[tuple[str, float], ...]]]:
    groups: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for index, site in enumerate(structure):
        occupancy = tuple((symbol, round(amount, 3)) for symbol, amount in _occupants(site).items())
        if sum(amount for _, amount in occupancy) > 1.0 + 0.02:
            raise StructureError(
                f"The site {index + 1} ({site.species_string}) holds more than one atom: correct its occupancies."
            )
        groups.setdefault(occupancy, []).append(index)
    return [(tuple(sites), occupancy) for occupancy, sites in groups.items()]


def _count_in_supercell(
    structure: Structure, charges: Mapping[str, float], maximum_atoms: int
) -> tuple[list[_Sublattice], np.ndarray, list[str]]:
    """Choose whole numbers of atoms; repeat the cell while they fit badly and there is room."""
    good_enough = 0.05
    best: tuple[float, float, np.ndarray] | None = None
    tried = set()
    shortest = min(structure.lattice.abc)
    for edge in [0.0, *np.linspace(1.05, 3.0, 14) * shortest]:
        matrix = np.eye(3, dtype=int) if edge == 0.0 else supercell_matrix(structure.lattice.matrix, edge)
        size = round(abs(np.linalg.det(matrix)))
        if size in tried or (size > 1 and size * len(structure) > maximum_atoms):
            continue
        tried.add(size)
        _, charge, deviation = _count(structure, size, charges)
        score = (abs(charge) > 1e-6, deviation if abs(charge) < 1e-6 else abs(charge) / size)
        if best is None or (score[0], score[1] + 1e-9) < (best[0], best[1]):
            best = (float(score[0]), score[1], matrix)
        if not score[0] and deviation <= good_enough:
            break
    assert best is not None
    matrix = best[2]
    size = round(abs(np.linalg.det(matrix)))
    cell = structure.copy()
    if size > 1:
        cell.make_supercell(matrix, to_unit_cell=True)
    counted, charge, deviation = _count(cell, 1, charges)
    notes = []
    if size > 1:
        notes.append(f"The cell was repeated {size} times so that its partial occupancies become whole atoms.")
    if deviation > 1e-3:
        notes.append(
            f"Whole atoms change the composition from {_formula(structure, size)} to {_counted_formula(counted)}."
        )
    if abs(charge) > 1e-6:
        notes.append(f"The ordered cell carries a formal charge of {charge:+.2f}, neutralised by a uniform background.")
    return counted, matrix, notes


def _count(structure: Structure, size: int, charges: Mapping[str, float]) -> tuple[list[_Sublattice], float, float]:
    """Whole numbers per sublattice with the least charge and then the least change of composition.

    Returns the sublattices, the total charge, and the largest change of an element's amount relative to it.
    """
    groups = _sublattices(structure)
    variables = []  # (group, element, wanted amount, choices)
    for group, (sites, occupancy) in enumerate(groups):
        for symbol, amount in occupancy:
            wanted = amount * len(sites) * size
            if abs(wanted - round(wanted)) < 0.02:
                choices = [round(wanted)]
            else:
                choices = [int(np.floor(wanted)), int(np.ceil(wanted))]
            variables.append((group, symbol, wanted, choices))
    totals: dict[str, float] = {}
    for _, symbol, wanted, _ in variables:
        totals[symbol] = totals.get(symbol, 0.0) + wanted
    capacity = [len(sites) * size for sites, _ in groups]
    full = [abs(sum(amount for _, amount in occupancy) - 1.0) < 0.02 for _, occupancy in groups]
    best = None
    for widen in (0, 1, 2):
        ranges = [
            choices
            if widen == 0
            else list(range(max(0, choices[0] - widen), min(capacity[group], choices[-1] + widen) + 1))
            if _is_partial(groups[group][1])
            else choices
            for group, _, _, choices in variables
        ]
        if np.prod([float(len(choices)) for choices in ranges]) > 200_000:
            break
        for combination in itertools.product(*ranges):
            used = [0] * len(groups)
            for (group, _, _, _), number in zip(variables, combination, strict=True):
                used[group] += number
            if any(
                number > room or (must and number != room)
                for number, room, must in zip(used, capacity, full, strict=True)
            ):
                continue
            score = _score(variables, combination, totals, charges)
            if best is None or score < best[0]:
                best = (score, combination)
        if best is not None and best[0][0] < 1e-6:
            break
    if best is None:
        best = _count_greedily(variables, capacity, totals, charges)
    (charge_size, _, _), combination = best
    charge = sum(number * charges[variable[1]] for variable, number in zip(variables, combination, strict=True))
    amounts: dict[str, float] = dict.fromkeys(totals, 0.0)
    for (_, symbol, _, _), number in zip(variables, combination, strict=True):
        amounts[symbol] += number
    deviation = max(abs(amounts[symbol] - total) / max(total, 1e-9) for symbol, total in totals.items())
    counted = []
    position = 0
    for sites, occupancy in groups:
        counted.append(_Sublattice(sites, occupancy, tuple(combination[position : position + len(occupancy)])))
        position += len(occupancy)
    del charge_size
    return counted, float(round(charge, 6)), deviation


def _is_partial(occupancy: tuple[tuple[str, float], ...]) -> bool:
    return len(occupancy) > 1 or occupancy[0][1] < 1.0 - _OCCUPANCY_TOLERANCE


def _score(
    variables: list, combination: tuple[int, ...], totals: Mapping[str, float], charges: Mapping[str, float]
) -> tuple[float, float, float]:
    charge = sum(number * charges[variable[1]] for variable, number in zip(variables, combination, strict=True))
    change = dict.fromkeys(totals, 0.0)
    local = 0.0
    for (_, symbol, wanted, _), number in zip(variables, combination, strict=True):
        change[symbol] += number - wanted
        local += abs(number - wanted)
    return (round(abs(charge), 6), round(sum(abs(value) for value in change.values()), 6), round(local, 6))


def _count_greedily(
    variables: list, capacity: list[int], totals: Mapping[str, float], charges: Mapping[str, float]
) -> tuple[tuple[float, float, float], tuple[int, ...]]:
    """Largest remainders, for disorder of so many kinds that trying every rounding would take too long."""
    numbers = [int(np.floor(wanted + 1e-9)) for _, _, wanted, _ in variables]
    for group, room in enumerate(capacity):
        members = [index for index, variable in enumerate(variables) if variable[0] == group]
        target = min(room, round(sum(variables[index][2] for index in members)))
        members.sort(key=lambda index: numbers[index] - variables[index][2])
        for index in itertools.cycle(members):
            if sum(numbers[member] for member in members) >= target:
                break
            numbers[index] += 1
    combination = tuple(numbers)
    return _score(variables, combination, totals, charges), combination


def _formula(structure: Structure, size: int) -> str:
    return (structure.composition * size).formula


def _counted_formula(counted: list[_Sublattice]) -> str:
    from pymatgen.core import Composition

    amounts: dict[str, float] = {}
    for sublattice in counted:
        for (symbol, _), number in zip(sublattice.occupancy, sublattice.counts, strict=True):
            amounts[symbol] = amounts.get(symbol, 0.0) + number
    return Composition(amounts).formula


@dataclass(frozen=True)
class _Pool:
    """Sites among which occupants may be exchanged, and what each may hold ('' is a vacancy)."""

    sites: np.ndarray
    symbols: tuple[str, ...]
    allowed: tuple[frozenset[str], ...]


def _pools(counted: list[_Sublattice]) -> list[_Pool]:
    pools = []
    for sublattice in counted:
        symbols = [
            symbol
            for (symbol, _), number in zip(sublattice.occupancy, sublattice.counts, strict=True)
            for _ in range(number)
        ]
        symbols += [""] * (len(sublattice.sites) - len(symbols))
        # a sublattice that is full in the file stays full
        full = sum(amount for _, amount in sublattice.occupancy) > 1.0 - 0.02
        allowed = frozenset(symbol for symbol, _ in sublattice.occupancy) | (frozenset() if full else {""})
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


def _arrange(
    cell: Structure, counted: list[_Sublattice], charges: Mapping[str, float], seed: int, n_starts: int, sweeps: int
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
    symbols, allowed = [""] * len(coulomb), [frozenset()] * len(coulomb)
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
    chosen = generator.choice(len(movable), size=n_moves, p=weights / weights.sum()) if n_moves else []
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
    species = [set(_occupants(site)) for site in cell]
    partial = np.array([not _is_full(site) for site in cell])
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
