"""Bond-valence barriers: a known crystal, bvlain's own search, and crystals without parameters."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from superion.errors import SettingsError, StructureError
from superion.structures.bond_valence import bond_valence_field, percolation_barriers

pytest.importorskip("bvlain")


@pytest.fixture(scope="module")
def olivine():
    """LiFePO4 as refined by Streltsov et al., Acta Cryst. B 49, 147 (1993)."""
    return Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.332, 6.010, 4.692),
        ["Li", "Fe", "P", "O", "O", "O"],
        [
            [0, 0, 0],
            [0.28222, 0.25, 0.97472],
            [0.09486, 0.25, 0.41820],
            [0.09678, 0.25, 0.74279],
            [0.45710, 0.25, 0.20602],
            [0.16558, 0.04646, 0.28478],
        ],
    )


@pytest.fixture(scope="module")
def barriers(olivine):
    return percolation_barriers(olivine, "Li", 1.0, resolution_angstrom=0.25)


def test_olivine_conducts_along_one_axis(barriers):
    """bvlain's documentation gives 0.44, 3.33 and 3.36 eV for a relaxed cell."""
    assert barriers.one_dimensional_ev == pytest.approx(0.44, abs=0.08)
    assert barriers.two_dimensional_ev == pytest.approx(3.4, abs=0.4)
    assert barriers.three_dimensional_ev >= barriers.two_dimensional_ev
    assert barriers.oxidation_states == {"Li": 1.0, "Fe": 2.0, "P": 5.0, "O": -2.0}


def test_its_channel_runs_along_b(olivine, barriers):
    from superion.structures.percolation import percolation_dimension

    field, _ = bond_valence_field(olivine, "Li", 1.0, resolution_angstrom=0.25)
    open_part = field - field.min() <= barriers.one_dimensional_ev
    wall = open_part.copy()
    wall[:, 0] = False
    assert percolation_dimension(open_part) == 1
    assert percolation_dimension(wall) == 0


def test_agrees_with_the_search_of_the_library(olivine, barriers):
    from bvlain import Lain

    decorated = olivine.copy()
    decorated.add_oxidation_state_by_element({"Li": 1, "Fe": 2, "P": 5, "O": -2})
    calculator = Lain(verbose=False)
    calculator.read_structure(decorated, oxi_check=False)
    calculator.bvse_distribution(mobile_ion="Li1+", r_cut=10.0, resolution=0.25, k=100)
    theirs = calculator.percolation_barriers(encut=5.0)
    # their grid has other points: that is good for some hundredths of the barrier
    assert barriers.one_dimensional_ev == pytest.approx(theirs["E_1D"], abs=0.06)
    assert barriers.two_dimensional_ev == pytest.approx(theirs["E_2D"], abs=0.15)


def test_the_field_is_that_of_the_library_at_the_same_points(olivine):
    """Ours is computed in parts and leaves the repeated faces out; the numbers are bvlain's."""
    from bvlain import Lain

    decorated = olivine.copy()
    decorated.add_oxidation_state_by_element({"Li": 1, "Fe": 2, "P": 5, "O": -2})
    calculator = Lain(verbose=False)
    calculator.read_structure(decorated, oxi_check=False)
    theirs = calculator.bvse_distribution(mobile_ion="Li1+", r_cut=10.0, resolution=0.9, k=100)
    ours, _ = bond_valence_field(olivine, "Li", 1.0, resolution_angstrom=0.9)
    assert ours[0, 0, 0] == pytest.approx(theirs[0, 0, 0], abs=1e-9)
    assert theirs[0, 0, 0] == pytest.approx(theirs[-1, -1, -1], abs=1e-6)


@pytest.mark.parametrize(
    ("species", "charge", "message"),
    [(("Li", "Ar"), 1.0, "oxidation states"), (("Li", "Li"), 1.0, "nothing but Li")],
)
def test_crystals_without_parameters_are_told_in_a_sentence(species, charge, message):
    crystal = Structure(Lattice.cubic(3.5), list(species), [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(StructureError, match=message):
        percolation_barriers(crystal, "Li", charge)


def test_a_missing_library_is_told_in_a_sentence(olivine, monkeypatch):
    monkeypatch.setitem(sys.modules, "bvlain", None)
    with pytest.raises(SettingsError, match=r"pip install 'superion\[bvse\]'"):
        percolation_barriers(olivine, "Li", 1.0)


def test_a_mobile_anion(olivine):
    fluorite = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.46), ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]])
    found = percolation_barriers(fluorite, "F", -1.0, resolution_angstrom=0.3)
    heights = [found.one_dimensional_ev, found.two_dimensional_ev, found.three_dimensional_ev]
    # all directions of a cubic crystal are equal
    assert np.ptp(heights) < 2e-3
    assert math.isfinite(heights[0])
