from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import DummySpecies, Lattice, Structure
from superion.errors import StructureError
from superion.structures.validate import validate_structure

CUBE = Lattice.cubic(4.0)


def salt() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_sound_crystals_pass():
    assert validate_structure(salt()) == []
    assert validate_structure(Structure(Lattice.cubic(6.14), ["Cs", "Cs"], [[0, 0, 0], [0.5, 0.5, 0.5]])) == []


def test_empty_cell_is_refused():
    with pytest.raises(StructureError, match="no atoms"):
        validate_structure(Structure(CUBE, [], []))


def test_overlapping_atoms_are_named_with_their_distance():
    with pytest.raises(StructureError, match=r"Li \(site 1\) and S \(site 2\) are only 0.40 Å apart"):
        validate_structure(Structure(CUBE, ["Li", "S", "Li"], [[0, 0, 0], [0.1, 0, 0], [0.5, 0.5, 0.5]]))


def test_overlap_across_the_cell_wall_is_seen():
    with pytest.raises(StructureError, match=r"0.40 Å apart"):
        validate_structure(Structure(CUBE, ["Li", "S", "Li"], [[0.02, 0, 0], [0.92, 0, 0], [0.5, 0.5, 0.5]]))


def test_the_same_site_twice_is_refused():
    with pytest.raises(StructureError, match=r"0\.00 Å apart"):
        validate_structure(Structure(CUBE, ["Li", "Li"], [[0, 0, 0], [0, 0, 0]]))


def test_split_sites_may_be_close():
    split = Structure(CUBE, [{"Li": 0.5}, {"Li": 0.5}, "Cl"], [[0.1, 0, 0], [0.9, 0, 0], [0.5, 0.5, 0.5]])
    assert validate_structure(split) == []


def test_isolated_atom_in_a_box_is_refused():
    with pytest.raises(StructureError, match="Å³ per atom"):
        validate_structure(Structure(Lattice.cubic(12), ["Li"], [[0, 0, 0]]))
    lone = Structure(Lattice.orthorhombic(4, 4, 40), ["Li", "Cl", "Li"], [[0, 0, 0], [0.5, 0.5, 0.02], [0, 0, 0.5]])
    with pytest.raises(StructureError, match=r"Å³ per atom"):
        validate_structure(Structure(Lattice.cubic(14), ["Li", "Cl"], [[0, 0, 0], [0.2, 0, 0]]))
    assert validate_structure(lone) == []  # a chain along a short axis has neighbours: its own images
    with pytest.raises(StructureError, match=r"The atom Cl \(site 3\) has no neighbour within 6.5 Å"):
        validate_structure(
            Structure(Lattice.orthorhombic(7, 7, 14), ["Li", "Li", "Cl"], [[0, 0, 0], [0.4, 0.2, 0.05], [0, 0, 0.52]])
        )


@pytest.mark.parametrize("edge", [0.9, 60.0])
def test_absurd_volume_is_refused(edge: float):
    with pytest.raises(StructureError, match="Å³ per atom"):
        validate_structure(Structure(Lattice.cubic(edge), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]))


def test_numbers_that_are_none_are_refused():
    broken = Structure(CUBE, ["Li", "Cl"], [[0, 0, 0], [np.nan, 0.5, 0.5]])
    with pytest.raises(StructureError, match="not numbers"):
        validate_structure(broken)


def test_dummy_species_are_refused():
    with pytest.raises(StructureError, match="'X' is not a chemical element"):
        validate_structure(Structure(CUBE, [DummySpecies("X", 0), "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
