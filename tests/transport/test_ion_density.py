"""The density of ions on a grid: it counts them, and its files are read by other programs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.errors import AnalysisError
from superion.transport.ion_density import ion_density, write_density

CELL = np.array([[6.0, 0, 0], [1.0, 7.0, 0], [-1.5, 0.5, 8.0]])


@given(st.integers(1, 5), st.floats(0.3, 2.0), st.floats(0, 1.0), st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_density_integrates_to_the_number_of_ions(n_ions: int, spacing: float, smearing: float, seed: int) -> None:
    positions = np.random.default_rng(seed).normal(0, 20, (7, n_ions + 2, 3))
    density = ion_density(positions, CELL, np.arange(n_ions), grid_spacing_angstrom=spacing, smearing_angstrom=smearing)
    assert density.density_per_angstrom3.sum() * density.voxel_angstrom3 == pytest.approx(n_ions, rel=1e-9)
    assert density.density_per_angstrom3.min() >= 0
    assert density.n_ions == n_ions


def test_smeared_site_is_a_gaussian_in_a_skewed_cell() -> None:
    sigma = 0.5
    density = ion_density(np.zeros((1, 1, 3)), CELL, [0], grid_spacing_angstrom=0.2, smearing_angstrom=sigma)
    grid = np.array(density.density_per_angstrom3.shape)
    for voxel in ((0, 0, 0), (3, 0, 0), (2, 3, 1), (-2, 1, 2)):
        distance = np.linalg.norm(np.array(voxel) / grid @ CELL)
        expected = np.exp(-0.5 * (distance / sigma) ** 2) / (2 * np.pi * sigma**2) ** 1.5
        assert density.density_per_angstrom3[voxel] == pytest.approx(expected, rel=1e-3)


def test_drift_is_taken_off() -> None:
    drift = np.linspace(0, 5, 40)[:, None] * np.ones(3)
    positions = np.ones((40, 1, 3)) + drift[:, None]
    still = ion_density(np.ones((40, 1, 3)), CELL, [0])
    np.testing.assert_allclose(
        ion_density(positions, CELL, [0], drift_angstrom=drift).density_per_angstrom3, still.density_per_angstrom3
    )
    assert np.count_nonzero(still.density_per_angstrom3) == 1
    assert np.count_nonzero(ion_density(positions, CELL, [0]).density_per_angstrom3) > 5


def test_many_frames_are_taken_in_blocks() -> None:
    positions = np.random.default_rng(1).normal(0, 3, (2500, 3, 3))
    whole = ion_density(positions, CELL, [0, 2])
    halves = [ion_density(part, CELL, [0, 2]).density_per_angstrom3 for part in (positions[:1250], positions[1250:])]
    np.testing.assert_allclose(whole.density_per_angstrom3, np.mean(halves, axis=0))


def test_files_are_read_back_by_pymatgen_and_ase(tmp_path: Path) -> None:
    from ase.io.cube import read_cube_data
    from ase.units import Bohr
    from pymatgen.io.vasp import Chgcar

    positions = np.random.default_rng(2).normal(0, 0.3, (50, 4, 3)) + 2
    density = ion_density(positions, CELL, [0, 1, 2], grid_spacing_angstrom=0.5, smearing_angstrom=0.4)
    framework = (["S", "P", "S"], np.array([[0.0, 0, 0], [3.0, 3, 3], [1.0, 5, 2]]))

    write_density(density, tmp_path / "CHGCAR", *framework)
    chgcar = Chgcar.from_file(tmp_path / "CHGCAR")
    np.testing.assert_allclose(
        chgcar.data["total"] / density.volume_angstrom3, density.density_per_angstrom3, atol=1e-8
    )
    assert chgcar.structure.composition.formula == "P1 S2"
    assert chgcar.data["total"].mean() == pytest.approx(3, rel=1e-6)

    write_density(density, tmp_path / "density.cube", *framework)
    data, atoms = read_cube_data(str(tmp_path / "density.cube"))
    assert data.shape == density.density_per_angstrom3.shape
    np.testing.assert_allclose(np.array(atoms.cell), CELL, atol=1e-3)
    scale = data.sum() / density.density_per_angstrom3.sum()
    np.testing.assert_allclose(data, scale * density.density_per_angstrom3, atol=1e-4 * data.max())
    assert scale == pytest.approx(Bohr**3, rel=1e-3)  # a cube file is in atomic units


def test_mistakes_are_clear(tmp_path: Path) -> None:
    positions = np.zeros((2, 2, 3))
    for options, words in (
        ({"indices": []}, "at least one ion"),
        ({"indices": [0], "grid_spacing_angstrom": 0}, "grid spacing"),
        ({"indices": [0], "grid_spacing_angstrom": 1e-3}, "too fine"),
    ):
        with pytest.raises(AnalysisError, match=words):
            ion_density(positions, CELL, **options)
    with pytest.raises(AnalysisError, match="at least one atom"):
        write_density(ion_density(positions, CELL, [0]), tmp_path / "CHGCAR", [], np.zeros((0, 3)))
