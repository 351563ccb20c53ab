"""Several ordered structures for one crystal with partial occupancies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pymatgen.core import Composition, PeriodicSite, Structure

from ..errors import StructureError
from .completeness import check_completeness
from .distinct import DistinctArrangements
from .enumerate_orderings import enumerate_arrangements
from .ewald_arrangement import (
    LIKE_CHARGES_ANGSTROM,
    Annealing,
    Arrangement,
    crowding_notes,
    exclusion_matrix,
    ordered_structure,
    rank_arrangements,
)
from .formal_charges import formal_charges
from .occupancy import (
    COMPOSITION_TOLERANCE,
    OCCUPANCY_TOLERANCE,
    Counting,
    check_occupancies,
    count_in_supercell,
    is_full,
    site_occupants,
)
from .order import MOST_SITES
from .rejection import RejectionCode, StructureRejection
from .site_permutations import site_permutations
from .validate import validate_structure

_SWEEPS = 800
_FASTER = 4
_ROUNDS = 5

OrderingMethod = Literal["as_given", "enumerated", "sampled"]
"""as_given: nothing was disordered; enumerated: all distinct arrangements were ranked; sampled: Monte Carlo."""


@dataclass(frozen=True)
class Ordering:
    """One ordered structure.

    Attributes
    ----------
    structure : Structure
        Every site holds one element; no oxidation states.
    ewald_energy_ev : float or None
        Electrostatic energy of the formal charges of the cell in eV; None for a crystal that was ordered as given.
    composition_deviation : float
        Largest relative change of the amount of an element: 0.1 where 10 atoms became 9 or 11.
    """

    structure: Structure
    ewald_energy_ev: float | None
    composition_deviation: float


@dataclass(frozen=True)
class OccupancyRounding:
    """What became of an occupancy when atoms had to be whole.

    Attributes
    ----------
    symbol : str
        Element.
    n_sites : int
        Sites of this kind in the ordered cell.
    given : float
        Occupancy in the crystal as given.
    ordered : float
        Part of these sites that the element holds.
    """

    symbol: str
    n_sites: int
    given: float
    ordered: float


@dataclass(frozen=True)
class OrderingSet:
    """The ordered structures of one crystal, and how they were found.

    Attributes
    ----------
    orderings : tuple of Ordering
        Distinct ones, of one composition, lowest electrostatic energy first.
    method : str
        ``as_given``, ``enumerated`` or ``sampled``.
    notes : tuple of str
        Decisions that a user should know.
    n_distinct : int or None
        How many arrangements no symmetry operation of the cell relates; None where they were not enumerated.
    occupancies : tuple of OccupancyRounding
        The occupancies that had to be rounded.
    """

    orderings: tuple[Ordering, ...]
    method: OrderingMethod
    notes: tuple[str, ...]
    n_distinct: int | None = None
    occupancies: tuple[OccupancyRounding, ...] = ()

    @property
    def was_disordered(self) -> bool:
        """Whether there was anything to order."""
        return self.method != "as_given"


def order_candidates(
    structure: Structure,
    *,
    n_orderings: int = 1,
    maximum_atoms: int = 400,
    seed: int = 0,
    composition_tolerance: float = COMPOSITION_TOLERANCE,
    oxidation_states: Mapping[str, float] | None = None,
    mobile_ion: str | None = None,
    expected_composition: Composition | None = None,
    must_be_neutral: bool = True,
    most_enumerated: int = 20_000,
    cpu_limit_s: float = 60.0,
) -> OrderingSet:
    """Order a crystal in several distinct ways that keep charge and composition.

    Occupants are counted first, as whole atoms in the smallest repetition of the cell that keeps every element's
    amount within the tolerance and the charge at zero. A cell with few arrangements is enumerated: each distinct
    arrangement once, the lowest Ewald energies returned. A larger one is sampled by simulated annealing of the Ewald
    energy from many starts, and faster cooling where that finds too few distinct arrangements. Like charges never
    come closer than 2 Å (1.6 and 1.3 Å with a note, where a refinement leaves no other way).

    Parameters
    ----------
    structure : Structure
        The crystal, with partial occupancies or without.
    n_orderings : int
        The most ordered structures to return.
    maximum_atoms : int
        The most atoms of an ordered structure.
    seed : int
        Seed of the sampling. The same crystal and seed give the same structures, whatever the order of the sites.
    composition_tolerance : float
        Largest relative change of an element's amount that asks for no larger cell.
    oxidation_states : mapping of str to float, optional
        Charge of each element; those written in the structure, else guessed, when None.
    mobile_ion : str, optional
        Element that must be there.
    expected_composition : Composition, optional
        What the material is known to hold, in any amount: missing hydrogen or mobile ions are found by it.
    must_be_neutral : bool
        Whether a composition that no usual oxidation states balance is refused.
    most_enumerated : int
        Arrangements (symmetry-related ones counted) beyond which the cell is sampled.
    cpu_limit_s : float
        Processor time in s after which the structure is rejected; the result does not depend on it otherwise.

    Returns
    -------
    OrderingSet
        At least one ordered structure.

    Raises
    ------
    StructureRejection
        With a code, when the structure is incomplete, impossible, too large or too slow to order.
    StructureError
        When an argument makes no sense.

    Notes
    -----
    The lowest electrostatic energies of formal charges are a start: rank the orderings by the potential, as campaigns
    do after a relaxation.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> salt = Structure.from_spacegroup(
    ...     "Fm-3m", Lattice.cubic(5.4), [{"Li": 0.5, "Na": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ... )
    >>> found = order_candidates(salt, n_orderings=5)
    >>> found.method, found.n_distinct, found.orderings[0].structure.composition.formula
    ('enumerated', 1, 'Na2 Li2 Cl4')
    """
    _check_arguments(n_orderings, maximum_atoms, composition_tolerance, cpu_limit_s)
    deadline = time.thread_time() + cpu_limit_s
    notes = check_candidate(
        structure,
        mobile_ion=mobile_ion,
        expected_composition=expected_composition,
        maximum_atoms=maximum_atoms,
        must_be_neutral=must_be_neutral,
    )
    if all(is_full(site) for site in structure):
        plain = structure.copy()
        plain.remove_oxidation_states()
        return OrderingSet((Ordering(plain, None, 0.0),), "as_given", tuple(notes), n_distinct=1)
    charges, charge_notes = formal_charges(structure, oxidation_states)
    # the order of sites in a file must not decide on the result
    sorted_sites = Structure.from_sites(sorted(structure, key=_site_key))
    cell, counting, counting_notes = count_in_supercell(sorted_sites, charges, maximum_atoms, composition_tolerance)
    notes += charge_notes + counting_notes
    if len(cell) > MOST_SITES:
        raise StructureRejection(
            RejectionCode.TOO_LARGE,
            f"The cell has {len(cell)} sites, too many to order (at most {MOST_SITES}): give a smaller cell, or order "
            "it with another tool.",
        )
    kinds = np.zeros(len(cell), dtype=int)
    for kind, part in enumerate(counting.sublattices):
        kinds[list(part.sites)] = kind
    distinct = DistinctArrangements(cell, site_permutations(cell, kinds.tolist()))
    annealing = Annealing(cell, counting.sublattices, charges, deadline)
    method: OrderingMethod = "enumerated"
    arrangements, method_notes = _enumerate(annealing, counting, distinct.permutations, most_enumerated, seed)
    n_distinct = len(arrangements) or None
    if arrangements:
        arrangements = distinct.select(arrangements, n_orderings)
    else:
        method = "sampled"
        arrangements, method_notes = _sample(annealing, distinct, n_orderings, seed)
    orderings = tuple(
        Ordering(ordered_structure(cell, arrangement), arrangement.energy_ev, counting.deviation)
        for arrangement in arrangements
    )
    notes += method_notes
    if len(orderings) < n_orderings:
        were = "ordering was" if len(orderings) == 1 else "orderings were"
        notes.append(f"{len(orderings)} distinct {were} found, fewer than the {n_orderings} asked for.")
    return OrderingSet(
        orderings=orderings,
        method=method,
        notes=tuple(notes),
        n_distinct=n_distinct,
        occupancies=_roundings(counting),
    )


def check_candidate(
    structure: Structure,
    *,
    mobile_ion: str | None = None,
    expected_composition: Composition | None = None,
    maximum_atoms: int = 400,
    must_be_neutral: bool = True,
) -> list[str]:
    """Refuse a crystal that `order_candidates` would refuse before it looks for an ordering: in milliseconds.

    Parameters
    ----------
    structure : Structure
        The crystal, with partial occupancies or without.
    mobile_ion : str, optional
        Element that must be there.
    expected_composition : Composition, optional
        What the material is known to hold, in any amount.
    maximum_atoms : int
        The most atoms of an ordered structure.
    must_be_neutral : bool
        Whether a composition that no usual oxidation states balance is refused.

    Returns
    -------
    list of str
        Remarks on what is unusual and allowed.

    Raises
    ------
    StructureRejection
        With a code, when the structure is incomplete, impossible or too large.
    """
    check_occupancies(structure)
    notes = [
        *validate_structure(structure),
        *check_completeness(structure, mobile_ion, expected_composition, must_be_neutral=must_be_neutral),
    ]
    _check_size(structure, maximum_atoms)
    return notes


def _check_arguments(n_orderings: int, maximum_atoms: int, composition_tolerance: float, cpu_limit_s: float) -> None:
    if n_orderings < 1:
        raise StructureError(f"The number of orderings must be 1 or more, not {n_orderings}.")
    if maximum_atoms < 1:
        raise StructureError(f"The maximum number of atoms must be 1 or more, not {maximum_atoms}.")
    if not composition_tolerance >= 0.0:
        raise StructureError(f"The tolerance of the composition must be 0 or more, not {composition_tolerance}.")
    if not cpu_limit_s > 0.0:
        raise StructureError(f"The limit of processor time must be more than 0 s, not {cpu_limit_s}.")


def _check_size(structure: Structure, maximum_atoms: int) -> None:
    n_atoms = structure.composition.num_atoms
    if n_atoms > maximum_atoms + 0.5:
        raise StructureRejection(
            RejectionCode.TOO_LARGE,
            f"The cell holds {n_atoms:.0f} atoms, more than the {maximum_atoms} allowed: give a smaller cell or raise "
            "the maximum number of atoms.",
        )


def _site_key(site: PeriodicSite) -> tuple[object, ...]:
    # two roundings: noise in the last digits of a coordinate must not change the order of sites
    position = np.round(np.round(site.frac_coords % 1.0, 5) % 1.0, 5)
    return (sorted((symbol, round(part, 3)) for symbol, part in site_occupants(site).items()), position.tolist())


def _enumerate(
    annealing: Annealing, counting: Counting, permutations: np.ndarray, most_enumerated: int, seed: int
) -> tuple[list[Arrangement], list[str]]:
    """All distinct arrangements by energy; nothing where there are too many, or none without mixing kinds of sites."""
    for distance in LIKE_CHARGES_ANGSTROM:
        excluded = exclusion_matrix(annealing.cell, distance) > 0.0
        found = enumerate_arrangements(
            counting.sublattices, excluded, permutations, most_enumerated, annealing.deadline
        )
        if found is None:
            break
        if found:
            # elements of one charge leave all energies equal: the first sites in the file must not win then
            shuffled = [found[index] for index in np.random.default_rng(seed).permutation(len(found))]
            ranked = rank_arrangements([Arrangement(symbols, annealing.energy_ev(symbols)) for symbols in shuffled])
            number = (
                "The one distinct ordering was" if len(ranked) == 1 else f"All {len(ranked)} distinct orderings were"
            )
            return ranked, [*crowding_notes(distance), f"{number} enumerated and ranked by Ewald energy."]
    return [], []


def _sample(
    annealing: Annealing, distinct: DistinctArrangements, n_orderings: int, seed: int
) -> tuple[list[Arrangement], list[str]]:
    """Anneal until enough distinct arrangements are there."""
    n_starts = max(8, 2 * n_orderings)
    found: list[Arrangement] = []
    notes: list[str] = []
    sweeps = _SWEEPS
    for number in range(_ROUNDS):
        arrangements, round_notes = annealing.sample(
            seed=seed, n_starts=n_starts, sweeps=sweeps, first=number * n_starts
        )
        notes = notes or round_notes
        found = distinct.select(rank_arrangements([*found, *arrangements]), n_orderings)
        if len(found) >= n_orderings:
            break
        if len(arrangements) > n_starts // 2:
            # the starts end in the same few minima: faster cooling ends in others. Where ions are so crowded that
            # most starts fail, faster cooling would fail more often, and more starts are what helps
            sweeps = max(1, sweeps // _FASTER)
    notes.append("Orderings were sampled by annealing the Ewald energy.")
    return found, notes


def _roundings(counting: Counting) -> tuple[OccupancyRounding, ...]:
    return tuple(
        OccupancyRounding(symbol, len(part.sites), given, number / len(part.sites))
        for part in counting.sublattices
        for (symbol, given), number in zip(part.occupancy, part.counts, strict=True)
        if abs(number / len(part.sites) - given) > OCCUPANCY_TOLERANCE
    )
