from __future__ import annotations

import pytest
from superion.errors import PotentialError
from superion.potentials.check import check_potential
from superion.potentials.specification import PotentialSpecification


def test_tiny_mace_passes(tiny_mace_specification, tiny_mace_path):
    check = check_potential(tiny_mace_specification)
    assert check.n_atoms == 64
    assert check.net_force_ev_per_angstrom < 1e-9
    assert check.largest_force_ev_per_angstrom > 0
    assert check.has_stress
    assert check.seconds_per_step > 0
    assert "Li" in (check.known_elements or [])
    assert check.model_validate_json(check.model_dump_json()) == check


def test_it_runs_on_the_users_structure(cosine_system):
    check = check_potential(cosine_system.specification, cosine_system.atoms)
    assert check.formula == cosine_system.atoms.get_chemical_formula()
    assert check.known_elements == ["Li", "S"]


def test_pymatgen_structures_serve_too(li6ps5cl, tiny_mace_specification):
    assert check_potential(tiny_mace_specification, li6ps5cl).n_atoms == 52


def test_unknown_element_is_refused(cosine_system):
    atoms = cosine_system.atoms
    atoms.symbols[0] = "K"
    with pytest.raises(PotentialError, match="does not know the element K"):
        check_potential(cosine_system.specification, atoms)


def test_what_fails_is_one_sentence():
    gold_only = PotentialSpecification(name="ase", model="ase.calculators.emt.EMT")
    with pytest.raises(PotentialError, match="fails on"):
        check_potential(gold_only)
