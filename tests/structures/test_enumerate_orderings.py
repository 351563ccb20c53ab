from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from superion.structures.enumerate_orderings import count_without_exclusions, enumerate_arrangements
from superion.structures.occupancy import Sublattice
from superion.structures.rejection import RejectionCode, StructureRejection
from superion.structures.site_permutations import site_permutations


def cubic_grid(edge: int, length: int) -> Structure:
    """Simple cubic sites, repeated along two directions."""
    points = [[x / edge, y / edge, z / length] for x in range(edge) for y in range(edge) for z in range(length)]
    return Structure(Lattice.tetragonal(3.0 * edge, 3.0 * length), ["Li"] * len(points), points)


def burnside(permutations: np.ndarray, counts: list[int]) -> int:
    """Count the orbits of colourings with given numbers of each colour: the mean number of fixed colourings."""
    fixed = 0
    for permutation in permutations:
        lengths, unseen = [], set(range(len(permutation)))
        while unseen:
            site, length = unseen.pop(), 1
            while (site := int(permutation[site])) in unseen:
                unseen.remove(site)
                length += 1
            lengths.append(length)
        # a fixed colouring has one colour per cycle: count the ways to share the cycles out
        ways = {tuple(counts): 1}
        for length in lengths:
            after: dict[tuple[int, ...], int] = {}
            for left, number in ways.items():
                for colour, room in enumerate(left):
                    if room >= length:
                        rest = (*left[:colour], room - length, *left[colour + 1 :])
                        after[rest] = after.get(rest, 0) + number
            ways = after
        fixed += ways.get((0,) * len(counts), 0)
    assert fixed % len(permutations) == 0
    return fixed // len(permutations)


@settings(max_examples=25, deadline=None)
@given(length=st.sampled_from([1, 2, 3]), n_lithium=st.integers(0, 4), n_sodium=st.integers(0, 3))
def test_as_many_as_burnsides_lemma_counts(length: int, n_lithium: int, n_sodium: int):
    cell = cubic_grid(2, length)
    n_sites = len(cell)
    n_lithium = min(n_lithium, n_sites)
    n_sodium = min(n_sodium, n_sites - n_lithium)
    permutations = site_permutations(cell, [0] * n_sites)
    part = Sublattice(tuple(range(n_sites)), (("Li", 0.1), ("Na", 0.1)), (n_lithium, n_sodium))
    found = enumerate_arrangements([part], np.zeros((n_sites, n_sites), dtype=bool), permutations, 200_000)
    assert found is not None
    assert len(found) == burnside(permutations, [n_lithium, n_sodium, n_sites - n_lithium - n_sodium])
    assert all(row.count("Li") == n_lithium and row.count("Na") == n_sodium for row in found)


def test_as_many_as_the_structure_matcher_tells_apart():
    cell = cubic_grid(2, 2)
    permutations = site_permutations(cell, [0] * 8)
    part = Sublattice(tuple(range(8)), (("Li", 0.5), ("Na", 0.5)), (4, 4))
    found = enumerate_arrangements([part], np.zeros((8, 8), dtype=bool), permutations, 1000)
    crystals = [
        Structure(cell.lattice, ["Li" if site in chosen else "Na" for site in range(8)], cell.frac_coords)
        for chosen in itertools.combinations(range(8), 4)
    ]
    assert found is not None
    assert len(found) == len(StructureMatcher().group_structures(crystals)) == 6


def test_two_sublattices_and_excluded_pairs():
    """Three split pairs of which one end each holds an ion, and two frozen sites that hold S or Cl."""
    parts = [
        Sublattice((0, 1, 2, 3, 4, 5), (("Li", 0.5),), (3,)),
        Sublattice((6, 7), (("Cl", 0.5), ("S", 0.5)), (1, 1)),
    ]
    excluded = np.zeros((8, 8), dtype=bool)
    for first, second in ((0, 1), (2, 3), (4, 5)):
        excluded[first, second] = excluded[second, first] = True
    found = enumerate_arrangements(parts, excluded, np.arange(8)[None, :], 1000)
    assert found is not None
    assert len(found) == 2**3 * 2 == len(set(found))
    assert all((row[first] == "") != (row[second] == "") for row in found for first, second in ((0, 1), (2, 3), (4, 5)))
    assert count_without_exclusions(parts) == math.comb(6, 3) * 2


def test_exclusions_that_leave_nothing_give_an_empty_list():
    part = Sublattice((0, 1), (("Li", 1.0),), (2,))
    assert enumerate_arrangements([part], ~np.eye(2, dtype=bool), np.arange(2)[None, :], 10) == []


def test_too_many_give_none():
    part = Sublattice(tuple(range(16)), (("Li", 0.5),), (8,))
    nothing = np.zeros((16, 16), dtype=bool)
    assert enumerate_arrangements([part], nothing, np.arange(16)[None, :], math.comb(16, 8) - 1) is None
    assert len(enumerate_arrangements([part], nothing, np.arange(16)[None, :], math.comb(16, 8)) or []) == 12870
    huge = Sublattice(tuple(range(48)), (("Li", 0.5),), (24,))
    assert enumerate_arrangements([huge], np.zeros((48, 48), dtype=bool), np.arange(48)[None, :], 10**6) is None


def test_a_deadline_rejects():
    part = Sublattice(tuple(range(20)), (("Li", 0.5),), (10,))
    with pytest.raises(StructureRejection, match="time allowed") as caught:
        enumerate_arrangements(
            [part], np.zeros((20, 20), dtype=bool), np.arange(20)[None, :], 10**6, time.thread_time() - 1.0
        )
    assert caught.value.code is RejectionCode.TOO_SLOW
