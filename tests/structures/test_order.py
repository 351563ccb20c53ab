from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Lattice, Structure
from superion.errors import StructureError
from superion.structures.fingerprint import structure_fingerprint
from superion.structures.order import order_structure
from superion.structures.oxidation import guess_oxidation_states
from superion.structures.read import read_structure


def distances(structure: Structure, symbol: str) -> np.ndarray:
    """Shortest distances between atoms of one element, periodic images included."""
    chosen = [index for index, site in enumerate(structure) if site.specie.symbol == symbol]
    matrix = np.array(structure.distance_matrix)[np.ix_(chosen, chosen)]
    return matrix[~np.eye(len(chosen), dtype=bool)]


def formal_charge(structure: Structure) -> float:
    states, balanced = guess_oxidation_states(structure.composition)
    assert balanced
    return sum(states[symbol] * amount for symbol, amount in structure.composition.get_el_amt_dict().items())


def test_argyrodite_gets_24_of_48_lithium_and_no_close_pair():
    disordered = read_structure("Li6PS5Cl")
    result = order_structure(disordered)
    assert result.was_disordered
    assert result.structure.composition.formula == "Li24 P4 S20 Cl4"
    assert len(result.structure) == 52
    assert result.structure.is_ordered
    assert formal_charge(result.structure) == pytest.approx(0.0)
    # the doublets of 48h are 1.82 Å apart: one of each is occupied
    assert distances(result.structure, "Li").min() > 2.0
    sites = {tuple(np.round(site.frac_coords % 1, 6)) for site in disordered}
    assert all(tuple(np.round(site.frac_coords % 1, 6)) in sites for site in result.structure)


def test_same_seed_same_structure_to_the_last_bit():
    disordered = read_structure("Li6PS5Cl")
    one, two = (order_structure(disordered, seed=3, n_starts=2, sweeps=50).structure for _ in range(2))
    assert structure_fingerprint(one) == structure_fingerprint(two)


def test_lowest_ewald_energy_is_found_where_all_can_be_tried():
    lattice = Lattice.orthorhombic(5.0, 6.1, 6.9)
    positions = [[x, y, z] for x in (0.03, 0.5) for y in (0.0, 0.47) for z in (0.0, 0.52)]
    chlorine = [[0.27, 0.23, 0.25], [0.75, 0.71, 0.24], [0.26, 0.74, 0.77], [0.72, 0.25, 0.76]]
    disordered = Structure(lattice, [{"Li": 0.5}] * 8 + ["Cl"] * 4, positions + chlorine)
    energies = []
    for chosen in itertools.combinations(range(8), 4):
        ions = Structure(lattice, ["Li+"] * 4 + ["Cl-"] * 4, [positions[index] for index in chosen] + chlorine)
        energies.append(EwaldSummation(ions).total_energy)
    ordered = order_structure(disordered).structure
    ordered.add_oxidation_state_by_element({"Li": 1, "Cl": -1})
    assert EwaldSummation(ordered).total_energy == pytest.approx(min(energies), abs=1e-6)
    assert max(energies) > min(energies) + 0.5


def test_ordered_structures_pass_unchanged_without_oxidation_states():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    result = order_structure(salt)
    assert not result.was_disordered
    assert result.notes == ()
    assert [site.species_string for site in result.structure] == ["Li"] * 4 + ["Cl"] * 4
    assert np.array_equal(result.structure.frac_coords, salt.frac_coords)


def test_a_cell_too_small_for_whole_atoms_is_repeated():
    half = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, {"Mg": 0.25}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5]])
    result = order_structure(half)
    # four cells are the fewest that hold whole numbers of Li and Mg
    assert any("repeated 4 times" in note for note in result.notes)
    assert result.structure.composition.formula == "Li2 Mg1 Cl4"


def test_change_of_composition_is_said():
    third = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.13), [{"Li": 0.9, "Na": 0.1}, "Cl"], [[0, 0, 0], [0.5] * 3]
    )
    result = order_structure(third, maximum_atoms=8)
    assert result.structure.composition.formula in {"Li4 Cl4", "Na1 Li3 Cl4"}
    assert any("change the composition from" in note for note in result.notes)


def test_shared_sites_get_one_element_each():
    mixed = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.4), [{"Li": 0.5, "Na": 0.5}, {"Cl": 0.75, "Br": 0.25}], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    result = order_structure(mixed)
    assert result.structure.composition.formula == "Na2 Li2 Br1 Cl3"
    assert len(result.structure) == 8


def test_aliovalent_disorder_stays_neutral():
    garnet_like = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.14), [{"Zr": 0.8, "Y": 0.2}, {"O": 0.95}], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )
    result = order_structure(garnet_like)
    assert formal_charge(result.structure) == pytest.approx(0.0)
    assert {"Zr", "Y", "O"} == set(result.structure.composition.get_el_amt_dict())


def test_oxidation_states_in_the_file_are_used():
    written = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.13), [{"Li+": 0.5, "Na+": 0.5}, "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    assert not any("guessed" in note for note in order_structure(written).notes)


def test_impossible_occupancies_are_refused():
    crowded = Structure(Lattice.cubic(3.0), [{"Li": 0.9}, {"Li": 0.9}, "Cl"], [[0, 0, 0], [0.2, 0, 0], [0.6, 0.5, 0.5]])
    with pytest.raises(StructureError, match=r"cannot be ordered without ions closer than 1.3 Å"):
        order_structure(crowded, maximum_atoms=3)


def test_site_with_two_atoms_is_refused():
    lattice = Lattice.cubic(4.0)
    two = Structure(lattice, [{"Li": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    two._sites[1]._species = two[1].species * 1.3
    with pytest.raises(StructureError, match="more than one atom"):
        order_structure(two)


def test_missing_oxidation_state_is_named():
    half = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(StructureError, match="No oxidation state was given for Cl"):
        order_structure(half, oxidation_states={"Li": 1})


@settings(max_examples=40)
@given(
    n_lithium=st.integers(1, 8),
    n_sodium=st.integers(0, 4),
    seed=st.integers(0, 1000),
)
def test_composition_charge_and_distances_hold(n_lithium: int, n_sodium: int, seed: int):
    """Eight pairs of split sites 1.5 Å apart hold any number of ions up to eight, and as many anions."""
    n_sodium = min(n_sodium, 8 - n_lithium)
    lattice = Lattice.cubic(8.0)
    pairs = np.array([[x, y, z] for x in (0, 4) for y in (0, 4) for z in (0, 4)], dtype=float)
    split = np.concatenate([pairs, pairs + np.array([1.5, 0, 0])]) / 8.0
    anions = (pairs[: n_lithium + n_sodium] + np.array([2.75, 2, 2])) / 8.0
    occupancy = {"Li": n_lithium / 16}
    if n_sodium:
        occupancy["Na"] = n_sodium / 16
    disordered = Structure(lattice, [occupancy] * 16 + ["Cl"] * len(anions), np.concatenate([split, anions]))
    result = order_structure(disordered, seed=seed, n_starts=2, sweeps=100)
    amounts = result.structure.composition.get_el_amt_dict()
    assert amounts["Li"] == n_lithium
    assert amounts.get("Na", 0) == n_sodium
    assert amounts["Cl"] == n_lithium + n_sodium
    cations = [site for site in result.structure if site.specie.symbol != "Cl"]
    for one, other in itertools.combinations(cations, 2):
        assert one.distance(other) > 2.0
