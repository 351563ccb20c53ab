"""g(r) of an ideal gas and of a crystal, for which both are known."""

import numpy as np
import pytest
from superion.errors import AnalysisError
from superion.transport.pair_distances import greatest_distance_angstrom
from superion.transport.radial_distribution import radial_distribution

TRICLINIC = np.array([[10.0, 0, 0], [3.0, 9.0, 0], [-2.0, 2.5, 11.0]])


@pytest.mark.parametrize(("atoms_a", "atoms_b"), [(np.arange(40), np.arange(40)), (np.arange(15), np.arange(15, 40))])
def test_ideal_gas_has_no_structure(atoms_a: np.ndarray, atoms_b: np.ndarray) -> None:
    generator = np.random.default_rng(5)
    positions = generator.random((1500, 40, 3)) @ TRICLINIC + generator.integers(-2, 3, (1500, 40, 3)) @ TRICLINIC
    rdf = radial_distribution(positions, TRICLINIC, atoms_a, atoms_b, bin_width_angstrom=0.4)
    pairs = rdf.coordination_number * atoms_a.size * 1500
    counts = np.diff(pairs, prepend=0.0)
    z = (rdf.g - 1) * np.sqrt(counts / np.where(np.array_equal(atoms_a, atoms_b), 2, 1))
    assert np.abs(z).max() < 4
    assert np.mean(z**2) == pytest.approx(1, abs=0.8)


def test_face_centred_crystal_has_twelve_six_and_twenty_four_neighbours() -> None:
    from ase.build import bulk

    crystal = bulk("Cu", "fcc", a=4.0, cubic=True).repeat(4)
    every = np.arange(len(crystal))
    rdf = radial_distribution(crystal.positions[None], np.array(crystal.cell), every, every, bin_width_angstrom=0.1)
    for distance, neighbours in ((3.2, 12), (4.2, 18), (5.2, 42)):
        shell = np.searchsorted(rdf.distance_angstrom, distance)
        assert rdf.coordination_number[shell] == pytest.approx(neighbours)
    assert rdf.g[rdf.distance_angstrom < 2.7].max() == 0


def test_agrees_with_pymatgen_analysis_diffusion() -> None:
    from pymatgen.analysis.diffusion.aimd.rdf import RadialDistributionFunctionFast
    from pymatgen.core import Lattice, Structure

    generator = np.random.default_rng(6)
    fractional = generator.random((30, 24, 3))
    symbols = ["Li"] * 10 + ["S"] * 14
    lattice = Lattice(TRICLINIC)
    theirs = RadialDistributionFunctionFast(
        [Structure(lattice, symbols, frame) for frame in fractional], rmax=4.0, ngrid=401, sigma=0.0
    )
    ours = radial_distribution(
        fractional @ TRICLINIC, TRICLINIC, np.arange(10), np.arange(10, 24), max_distance_angstrom=4.0
    )
    radii, coordination = theirs.get_coordination_number("Li", "S")
    at_three = np.interp(3.0, radii, coordination)
    assert np.interp(3.0, ours.distance_angstrom + 0.025, ours.coordination_number) == pytest.approx(at_three, rel=0.03)


def test_greatest_distance_holds_one_image_only() -> None:
    shortest = min(
        np.linalg.norm(np.array(shift) @ TRICLINIC)
        for shift in np.ndindex(3, 3, 3)
        if shift != (1, 1, 1)
        for shift in [np.array(shift) - 1]
    )
    assert greatest_distance_angstrom(TRICLINIC) <= shortest / 2


def test_mistakes_are_clear() -> None:
    positions = np.zeros((1, 3, 3))
    cell = np.eye(3) * 6
    for options, words in (
        ({"indices_a": [0, 1], "indices_b": [1, 2]}, "share"),
        ({"indices_a": [0], "indices_b": [0]}, "at least one pair"),
        ({"indices_a": [0], "indices_b": []}, "at least one pair"),
        ({"indices_a": [0], "indices_b": [1], "max_distance_angstrom": 3.5}, "do not fit"),
        ({"indices_a": [0], "indices_b": [1], "bin_width_angstrom": 0}, "width of a shell"),
    ):
        with pytest.raises(AnalysisError, match=words):
            radial_distribution(positions, cell, **options)
