from __future__ import annotations

import numpy as np
from pymatgen.core import Lattice, Structure
from superion.structures.site_permutations import site_permutations


def argyrodite_like() -> Structure:
    return Structure.from_spacegroup(
        "F-43m", Lattice.cubic(9.86), ["P", "S", "Cl"], [[0.5, 0.5, 0.5], [0.62, 0.62, 0.62], [0, 0, 0]]
    )


def test_they_form_a_group_that_keeps_kinds():
    crystal = argyrodite_like()
    kinds = [["P", "S", "Cl"].index(site.specie.symbol) for site in crystal]
    permutations = site_permutations(crystal, kinds)
    assert len(permutations) == 96  # 24 operations of the point group, 4 translations of the face-centred cell
    rows = {tuple(row) for row in permutations}
    assert tuple(permutations[0]) == tuple(range(len(crystal)))
    assert all(tuple(one[other]) in rows for one in permutations[::7] for other in permutations[::5])
    assert all(np.array_equal(np.array(kinds)[row], kinds) for row in permutations)


def test_distances_are_kept():
    crystal = argyrodite_like()
    distances = np.array(crystal.distance_matrix)
    for row in site_permutations(crystal, [0 if site.specie.symbol == "P" else 1 for site in crystal])[::11]:
        assert np.allclose(distances[np.ix_(row, row)], distances, atol=1e-6)


def test_translations_of_a_supercell_are_among_them():
    cell = Structure(Lattice.orthorhombic(3.0, 4.0, 5.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.43]])
    cell.make_supercell([2, 2, 1])
    # four operations of mm2 for each of four translations
    assert len(site_permutations(cell, [0 if site.specie.symbol == "Li" else 1 for site in cell])) == 16


def test_coinciding_sites_leave_the_identity():
    cell = Structure(Lattice.cubic(4.0), ["Li", "Li"], [[0, 0, 0], [0, 0, 0]])
    assert site_permutations(cell, [0, 0]).tolist() == [[0, 1]]
