from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Lattice, Structure
from superion.errors import StructureError
from superion.structures.fingerprint import structure_fingerprint
from superion.structures.orderings import OrderingSet, order_candidates
from superion.structures.read import read_structure
from superion.structures.rejection import RejectionCode, StructureRejection


def rejection_code(structure: Structure, **settings_: object) -> RejectionCode:
    with pytest.raises(StructureRejection) as caught:
        order_candidates(structure, **settings_)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return caught.value.code


def split_pairs(n_lithium: int, n_sodium: int, n_chloride: int, n_sulfide: int, edge: float = 8.0) -> Structure:
    """Eight pairs of split sites 1.5 Å apart for cations; anion sites with mixed occupancy."""
    pairs = np.array([[x, y, z] for x in (0, 0.5) for y in (0, 0.5) for z in (0, 0.5)])
    split = np.concatenate([pairs, pairs + np.array([1.5 / edge, 0, 0])])
    cations = {"Li": n_lithium / 16, "Na": n_sodium / 16}
    n_anions = n_chloride + n_sulfide
    anions = {"Cl": n_chloride / n_anions, "S": n_sulfide / n_anions}
    sites = (pairs + np.array([2.75, 2, 2]) / edge)[:n_anions]
    return Structure(
        Lattice.cubic(edge),
        [Composition({k: v for k, v in cations.items() if v})] * 16
        + [Composition({k: v for k, v in anions.items() if v})] * n_anions,
        np.concatenate([split, sites]),
    )


def shuffled(structure: Structure, seed: int) -> Structure:
    order = np.random.default_rng(seed).permutation(len(structure))
    return Structure.from_sites([structure[int(index)] for index in order])


def fingerprints(found: OrderingSet) -> list[str]:
    return [structure_fingerprint(ordering.structure) for ordering in found.orderings]


@settings(max_examples=10, deadline=None)
@given(n_sulfide=st.integers(0, 3), n_chloride=st.integers(0, 4), n_sodium=st.integers(0, 3), seed=st.integers(0, 1000))
def test_composition_charge_and_distances_hold_for_all_orderings(
    n_sulfide: int, n_chloride: int, n_sodium: int, seed: int
):
    n_cations = min(8, n_chloride + 2 * n_sulfide)
    n_chloride = n_cations - 2 * n_sulfide if n_cations >= 2 * n_sulfide else 0
    if not n_cations or n_chloride + 2 * n_sulfide != n_cations:
        return
    n_sodium = min(n_sodium, n_cations - 1)
    disordered = split_pairs(n_cations - n_sodium, n_sodium, n_chloride, n_sulfide)
    found = order_candidates(disordered, n_orderings=2, seed=seed, most_enumerated=300)
    wanted = {"Li": n_cations - n_sodium, "Na": n_sodium, "Cl": n_chloride, "S": n_sulfide}
    given_sites = {tuple(np.round(site.frac_coords, 6)) for site in disordered}
    for ordering in found.orderings:
        assert ordering.structure.composition.get_el_amt_dict() == {k: v for k, v in wanted.items() if v}
        assert ordering.composition_deviation == pytest.approx(0.0, abs=1e-9)
        assert all(tuple(np.round(site.frac_coords, 6)) in given_sites for site in ordering.structure)
        cations = [site for site in ordering.structure if site.specie.symbol in ("Li", "Na")]
        assert all(one.distance(other) > 2.0 for one, other in itertools.combinations(cations, 2))
    energies = [ordering.ewald_energy_ev for ordering in found.orderings]
    assert energies == sorted(energies, key=lambda energy: round(energy, 5))
    # the order of sites in the file changes nothing, and the same seed gives the same again
    again = order_candidates(shuffled(disordered, seed), n_orderings=2, seed=seed, most_enumerated=300)
    assert fingerprints(again) == fingerprints(found)
    assert again.method == found.method


def test_no_two_orderings_are_one_crystal():
    disordered = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.4), [{"Li": 0.5, "Na": 0.5}, {"Cl": 0.5, "Br": 0.5}], [[0, 0, 0], [0.5] * 3]
    )
    found = order_candidates(disordered, n_orderings=50)
    assert found.method == "enumerated"
    matcher = StructureMatcher(ltol=0.01, stol=0.02, angle_tol=0.5, scale=False)
    crystals = [ordering.structure for ordering in found.orderings]
    assert not any(matcher.fit(one, other) for one, other in itertools.combinations(crystals, 2))
    # every one of the 36 arrangements is among them
    positions = disordered.frac_coords
    cations = [index for index, site in enumerate(disordered) if "Li" in site.species]
    anions = [index for index, site in enumerate(disordered) if "Cl" in site.species]
    for lithium in itertools.combinations(cations, 2):
        for chlorine in itertools.combinations(anions, 2):
            symbols = [
                ("Li" if index in lithium else "Na") if index in cations else ("Cl" if index in chlorine else "Br")
                for index in range(8)
            ]
            arrangement = Structure(disordered.lattice, symbols, positions)
            assert any(matcher.fit(arrangement, crystal) for crystal in crystals)


def test_enumerated_energies_are_the_ewald_energies_and_the_lowest_comes_first():
    lattice = Lattice.orthorhombic(5.0, 6.1, 6.9)
    positions = [[x, y, z] for x in (0.03, 0.5) for y in (0.0, 0.47) for z in (0.0, 0.52)]
    chlorine = [[0.27, 0.23, 0.25], [0.75, 0.71, 0.24], [0.26, 0.74, 0.77], [0.72, 0.25, 0.76]]
    disordered = Structure(lattice, [{"Li": 0.5}] * 8 + ["Cl"] * 4, positions + chlorine)
    energies = sorted(
        EwaldSummation(
            Structure(lattice, ["Li+"] * 4 + ["Cl-"] * 4, [positions[index] for index in chosen] + chlorine)
        ).total_energy
        for chosen in itertools.combinations(range(8), 4)
    )
    found = order_candidates(disordered, n_orderings=100)
    assert found.method == "enumerated"
    assert found.n_distinct == len(found.orderings) == len(energies) == math.comb(8, 4)
    assert [ordering.ewald_energy_ev for ordering in found.orderings] == pytest.approx(energies, abs=1e-5)


def test_argyrodite_is_sampled_in_distinct_ways():
    found = order_candidates(read_structure("Li6PS5Cl"), n_orderings=3, seed=1)
    assert found.method == "sampled"
    assert found.n_distinct is None
    assert [ordering.structure.composition.formula for ordering in found.orderings] == ["Li24 P4 S20 Cl4"] * 3
    energies = [ordering.ewald_energy_ev for ordering in found.orderings]
    assert energies == pytest.approx(sorted(energies), abs=1e-9)
    matcher = StructureMatcher(ltol=0.01, stol=0.02, angle_tol=0.5, scale=False, primitive_cell=False)
    crystals = [ordering.structure for ordering in found.orderings]
    assert not any(matcher.fit(one, other) for one, other in itertools.combinations(crystals, 2))
    for crystal in crystals:
        lithium = [index for index, site in enumerate(crystal) if site.specie.symbol == "Li"]
        distances = np.array(crystal.distance_matrix)[np.ix_(lithium, lithium)]
        assert distances[~np.eye(24, dtype=bool)].min() > 2.0
    assert len(set(fingerprints(found))) == 3


def test_elements_of_one_charge_are_not_filled_from_the_first_site():
    """All Ewald energies are equal: seeds choose among them, and not always the same."""
    disordered = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.4), [{"Li": 0.5, "Na": 0.5}, "Cl"], [[0, 0, 0], [0.5] * 3]
    )
    disordered.make_supercell([2, 1, 1])
    chosen = {fingerprints(order_candidates(disordered, seed=seed))[0] for seed in range(8)}
    assert len(chosen) > 1


def test_the_cell_is_repeated_and_rounding_is_reported():
    third = Structure(Lattice.cubic(4.0), [{"Li": 0.66, "Na": 0.34}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    found = order_candidates(third, composition_tolerance=0.05)
    ordered = found.orderings[0]
    assert ordered.structure.composition.formula == "Na1 Li2 Cl3"
    assert ordered.composition_deviation == pytest.approx((1.02 - 1.0) / 1.02, rel=1e-4)
    assert {(r.symbol, r.n_sites, r.given, round(r.ordered, 3)) for r in found.occupancies} == {
        ("Li", 3, 0.66, 0.667),
        ("Na", 3, 0.34, 0.333),
    }
    coarse = order_candidates(third, composition_tolerance=0.05, maximum_atoms=3)
    assert len(coarse.orderings[0].structure) == 2
    assert coarse.orderings[0].composition_deviation > 0.3
    assert any("Whole atoms change the composition" in note for note in coarse.notes)


def test_ordered_crystals_pass_as_given():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    found = order_candidates(salt, n_orderings=7)
    assert (found.method, found.was_disordered, found.n_distinct, len(found.orderings)) == ("as_given", False, 1, 1)
    assert found.orderings[0].ewald_energy_ev is None
    assert [site.species_string for site in found.orderings[0].structure] == ["Li"] * 4 + ["Cl"] * 4


def test_fewer_orderings_than_asked_for_are_said():
    disordered = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.4), [{"Li": 0.5, "Na": 0.5}, "Cl"], [[0, 0, 0], [0.5] * 3]
    )
    found = order_candidates(disordered, n_orderings=5)
    assert len(found.orderings) == found.n_distinct == 1
    assert any("1 distinct ordering was found, fewer than the 5 asked for" in note for note in found.notes)


def test_too_large_is_rejected():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert rejection_code(salt, maximum_atoms=7) is RejectionCode.TOO_LARGE
    assert rejection_code(read_structure("Li6PS5Cl"), maximum_atoms=51) is RejectionCode.TOO_LARGE


def test_too_slow_is_rejected():
    assert rejection_code(read_structure("Li6PS5Cl"), cpu_limit_s=1e-6) is RejectionCode.TOO_SLOW


def test_crowded_sites_are_rejected_and_named():
    crowded = Structure(
        Lattice.cubic(4.0),
        [{"Li": 0.9}, {"Li": 0.9}, {"Cl": 0.9}, {"Cl": 0.9}],
        [[0, 0, 0], [0.2, 0, 0], [0.6, 0.5, 0.5], [0.1, 0.5, 0.5]],
    )
    with pytest.raises(StructureRejection, match=r"2 sites within 0.80 Å.*hold 1.80 atoms") as caught:
        order_candidates(crowded, maximum_atoms=8)
    assert caught.value.code is RejectionCode.TOO_CLOSE


def test_impossible_occupancies_are_rejected():
    two = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    two._sites[1]._species = two[1].species * 1.3
    assert rejection_code(two) is RejectionCode.IMPOSSIBLE_OCCUPANCY
    nothing = Structure(Lattice.cubic(4.0), ["Li", "Cl", {"Li": 0.0}], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]])
    assert rejection_code(nothing) is RejectionCode.IMPOSSIBLE_OCCUPANCY


def test_overlapping_full_sites_are_rejected():
    overlap = Structure(Lattice.cubic(4.0), ["Li", "Cl", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.55, 0.5, 0.5]])
    assert rejection_code(overlap) is RejectionCode.TOO_CLOSE


def test_missing_ions_and_hydrogen_are_rejected():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert rejection_code(salt, mobile_ion="Na") is RejectionCode.MISSING_MOBILE_ION
    hydrate = Composition("LiCl(H2O)")
    assert rejection_code(salt, expected_composition=hydrate) is RejectionCode.MISSING_HYDROGEN


@pytest.mark.parametrize(
    "arguments",
    [{"n_orderings": 0}, {"maximum_atoms": 0}, {"composition_tolerance": float("nan")}, {"cpu_limit_s": 0.0}],
    ids=lambda arguments: next(iter(arguments)),
)
def test_senseless_arguments_are_refused(arguments: dict[str, object]):
    with pytest.raises(StructureError, match="must be"):
        order_candidates(read_structure("Li6PS5Cl"), **arguments)  # type: ignore[arg-type]


def test_several_mobile_species_and_vacancies_on_one_site():
    """Li, Ag and vacancies share a site; the anions are mixed too."""
    mixed = Structure.from_spacegroup(
        "Fm-3m",
        Lattice.cubic(5.6),
        [{"Li": 0.25, "Ag": 0.5}, {"Cl": 0.75}],
        [[0, 0, 0], [0.5, 0.5, 0.5]],
    )
    found = order_candidates(mixed, n_orderings=3)
    for ordering in found.orderings:
        assert Counter(site.specie.symbol for site in ordering.structure) == {"Li": 1, "Ag": 2, "Cl": 3}
