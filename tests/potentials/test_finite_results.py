"""Numbers that are none never leave a potential."""

from __future__ import annotations

import numpy as np
import pytest
from superion.errors import NonFiniteResultError
from superion.potentials.check import check_potential
from superion.potentials.finite_results import finite_calculator
from superion.potentials.registry import load_potential
from support.nan_calculator import WRONG, nan_specification


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_numbers_are_refused_each_time(cosine_system, wrong):
    words = {"energy": "energies", "forces": "forces", "stress": "stresses"}[WRONG[wrong][0]]
    atoms = cosine_system.atoms
    atoms.calc = finite_calculator(load_potential(nan_specification(cosine_system.specification, wrong)))
    for _ in range(2):
        with pytest.raises(NonFiniteResultError, match=f"gives {words} that are not numbers"):
            atoms.get_forces()


@pytest.mark.parametrize("wrong", ["nan forces", "nan stress"])
def test_a_check_fails_by_them(cosine_system, wrong):
    with pytest.raises(NonFiniteResultError, match="not numbers"):
        check_potential(nan_specification(cosine_system.specification, wrong, after=3), cosine_system.atoms)


def test_lost_atoms_are_not_the_potentials_fault(cosine_system):
    atoms = cosine_system.atoms
    atoms.calc = finite_calculator(load_potential(cosine_system.specification))
    atoms.positions[0] = np.nan
    assert not np.isfinite(atoms.get_forces()).all()
