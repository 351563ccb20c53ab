from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure
from superion.structures.descriptors import ion_density_per_angstrom3, mean_atomic_mass_amu


def test_occupancies_count():
    structure = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert mean_atomic_mass_amu(structure) == pytest.approx((0.5 * 6.94 + 35.45) / 1.5, abs=0.01)
    assert ion_density_per_angstrom3(structure, "Li") == pytest.approx(0.5 / 64.0)
    assert ion_density_per_angstrom3(structure, "Na") == 0.0
