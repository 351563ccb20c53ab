"""What a relaxation may do to a crystal, and what it may not."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from superion.structures.integrity import covalent_bonds, lost_integrity


def test_bonds_are_those_of_the_polyanions(li6ps5cl):
    bonds = covalent_bonds(li6ps5cl, "Li")
    assert len(bonds) == 16
    for bond in bonds:
        assert sorted(li6ps5cl[index].specie.symbol for index in bond) == ["P", "S"]


def test_ionic_crystals_have_none():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert covalent_bonds(salt, "Na") == set()


@pytest.mark.parametrize("seed", range(3))
def test_vibrations_and_small_strains_keep_the_crystal(li6ps5cl, seed):
    after = li6ps5cl.copy()
    after.perturb(0.1, seed=seed)
    after.apply_strain([0.02, -0.01, 0.03])
    assert lost_integrity(li6ps5cl, after, "Li") is None


def test_a_shift_over_the_edge_of_the_cell_is_no_displacement(li6ps5cl):
    after = Structure(li6ps5cl.lattice, li6ps5cl.species, (li6ps5cl.frac_coords + np.array([0.3, 0.5, 0.7])) % 1.0)
    assert lost_integrity(li6ps5cl, after, "Li") is None


def move(structure, index, vector):
    moved = structure.copy()
    moved.translate_sites([index], vector, frac_coords=False)
    return moved


def test_a_broken_bond_is_named(li6ps5cl):
    bond = sorted(min(covalent_bonds(li6ps5cl, "Li"), key=sorted))
    sulfur = next(index for index in bond if li6ps5cl[index].specie.symbol == "S")
    phosphorus = next(index for index in bond if index != sulfur)
    direction = li6ps5cl[sulfur].coords - li6ps5cl[phosphorus].coords
    direction -= np.rint(direction @ np.linalg.inv(li6ps5cl.lattice.matrix)) @ li6ps5cl.lattice.matrix
    reason = lost_integrity(li6ps5cl, move(li6ps5cl, sulfur, 0.55 * direction), "Li")
    assert "broke" in reason or "formed" in reason or "apart" in reason
    stretched = lost_integrity(li6ps5cl, move(li6ps5cl, sulfur, 0.1 * direction), "Li")
    assert stretched is None


def test_a_moving_mobile_ion_is_no_loss(li6ps5cl):
    lithium = next(index for index, site in enumerate(li6ps5cl) if site.specie.symbol == "Li")
    assert lost_integrity(li6ps5cl, move(li6ps5cl, lithium, [0.4, 0.0, 0.0]), "Li") is None


@pytest.mark.parametrize(("factor", "is_lost"), [(0.7, True), (0.85, False), (1.2, False), (1.5, True)])
def test_volume(li6ps5cl, factor, is_lost):
    after = li6ps5cl.copy()
    after.scale_lattice(factor * li6ps5cl.volume)
    reason = lost_integrity(li6ps5cl, after, "Li")
    assert (reason is not None) == is_lost
    if is_lost:
        assert "volume changed" in reason


def test_a_framework_that_rearranges_is_lost():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    before = salt * (2, 2, 2)
    after = before.copy()
    upper = [index for index, site in enumerate(before) if site.frac_coords[2] > 0.45]
    after.translate_sites(upper, [2.0, 0.0, 0.0], frac_coords=False)
    reason = lost_integrity(before, after, "Na")
    assert reason.startswith("it lost its framework in the relaxation: its centres are displaced by 0.2")
    assert lost_integrity(before, after, "Na", greatest_displacement=0.4) is None


def test_numbers_that_are_none():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    after = Structure(salt.lattice, salt.species, np.full((len(salt), 3), np.nan))
    assert "not numbers" in lost_integrity(salt, after, "Na")
