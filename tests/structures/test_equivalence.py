from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.structures.equivalence import group_equivalent
from superion.structures.read import read_structure


def rock_salt(cation: object, anion: object, edge: float) -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def redescribed(structure: Structure, seed: int) -> Structure:
    """Write the same crystal with another cell, origin and order of sites, slightly strained."""
    generator = np.random.default_rng(seed)
    other = structure.copy()
    other.make_supercell(generator.choice([1, 2], size=3).tolist())
    order = generator.permutation(len(other))
    shift = generator.random(3)
    lattice = Lattice(other.lattice.matrix * generator.uniform(0.99, 1.01))
    return Structure(lattice, [other[i].species for i in order], [other[i].frac_coords + shift for i in order])


ZINC_BLENDE = Structure.from_spacegroup("F-43m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.25, 0.25, 0.25]])
PARENTS = [
    rock_salt("Li", "Cl", 5.13),
    ZINC_BLENDE,
    rock_salt("Li", "F", 4.03),
    rock_salt({"Li": 0.5, "Na": 0.5}, "Cl", 5.4),
    rock_salt({"Li": 0.55, "Na": 0.45}, "Cl", 5.4),
    rock_salt({"Li": 0.5}, {"Cl": 0.5}, 5.13),
    Structure(
        Lattice.cubic(3.3), [{"Zr": 0.75, "Y": 0.25}, {"O": 0.9}, {"O": 0.9}], [[0, 0, 0], [0.5] * 3, [0, 0, 0.5]]
    ),
]


@settings(max_examples=8, deadline=None)
@given(
    parents=st.lists(st.integers(0, len(PARENTS) - 1), min_size=1, max_size=7),
    seed=st.integers(0, 10_000),
    shuffle=st.randoms(use_true_random=False),
)
def test_groups_are_the_parents_in_any_order(parents: list[int], seed: int, shuffle):
    structures = [redescribed(PARENTS[parent], seed + number) for number, parent in enumerate(parents)]
    groups = group_equivalent(structures)
    assert sorted(index for group in groups for index in group) == list(range(len(parents)))
    assert groups == sorted(sorted(group) for group in groups)
    assert {frozenset(group) for group in groups} == {
        frozenset(index for index, parent in enumerate(parents) if parent == chosen) for chosen in parents
    }
    order = list(range(len(parents)))
    shuffle.shuffle(order)
    again = group_equivalent([structures[index] for index in order])
    assert {frozenset(order[index] for index in group) for group in again} == {frozenset(group) for group in groups}


def test_chains_are_one_group_whatever_comes_first():
    """Neighbours match and the ends do not: equivalence carries over."""
    chain = [rock_salt({"Li": 0.5 + 0.008 * step, "Na": 0.5 - 0.008 * step}, "Cl", 5.4) for step in range(4)]
    assert group_equivalent([chain[0], chain[3]]) == [[0], [1]]
    assert group_equivalent(chain) == [[0, 1, 2, 3]]
    assert group_equivalent([chain[0], chain[3], chain[1], chain[2]]) == [[0, 1, 2, 3]]


def test_oxidation_states_do_not_count():
    assert group_equivalent([rock_salt("Li", "Cl", 5.13), rock_salt("Li+", "Cl-", 5.13)]) == [[0, 1]]


def test_a_compressed_crystal_is_another_one():
    assert group_equivalent([rock_salt("Li", "Cl", 5.13), rock_salt("Li", "Cl", 4.7)]) == [[0], [1]]


def test_a_disordered_crystal_is_not_its_ordering():
    disordered = read_structure("Li6PS5Cl")
    from superion.structures.order import order_structure

    assert group_equivalent([disordered, order_structure(disordered, n_starts=1, sweeps=50).structure]) == [[0], [1]]


def test_mobile_ions_on_other_sites_are_another_crystal():
    frame = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.7), ["S"], [[0, 0, 0]])
    filled = []
    for site in ([0.25, 0.25, 0.25], [0.5, 0.0, 0.0]):
        filled.append(frame.copy())
        filled[-1].append("Li", site)
    assert group_equivalent(filled) == [[0], [1]]


def test_empty_and_single():
    assert group_equivalent([]) == []
    assert group_equivalent([rock_salt("Li", "Cl", 5.13)]) == [[0]]


@pytest.mark.parametrize("n_structures", [400], ids=["400"])
def test_thousands_of_different_compositions_need_no_comparison(n_structures: int, monkeypatch: pytest.MonkeyPatch):
    """Different compositions never reach the matcher, so time grows with their number only."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    def refuse(*_: object, **__: object) -> bool:
        raise AssertionError("compared")

    monkeypatch.setattr(StructureMatcher, "fit", refuse)
    structures = []
    for number in range(n_structures):
        symbols = ["Li"] * (1 + number % 20) + ["Cl"] * (1 + number // 20)
        positions = np.random.default_rng(number).random((len(symbols), 3))
        structures.append(Structure(Lattice.cubic(20.0), symbols, positions))
    ratios = {((1 + n % 20) / (1 + n // 20)) for n in range(n_structures)}
    distinct = [structures[n] for n in range(n_structures) if np.gcd(1 + n % 20, 1 + n // 20) == 1]
    assert len(distinct) == len(ratios)
    assert len(group_equivalent([*distinct, *distinct])) == len(distinct)
