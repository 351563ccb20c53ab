from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.md.langevin import Langevin
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.errors import PotentialError
from superion.potentials.cosine_lattice import CosineLatticeCalculator
from superion.potentials.registry import load_potential

SKEWED = np.array([[9.0, 0.0, 0.0], [2.0, 8.8, 0.0], [-1.0, 1.5, 9.1]])


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), reach=st.sampled_from([2.1, 4.0, 7.0]))
def test_forces_and_stress_are_derivatives(seed: int, reach: float):
    generator = np.random.default_rng(seed)
    atoms = Atoms("Li4S3", scaled_positions=generator.uniform(-1, 2, (7, 3)), cell=SKEWED, pbc=True)
    atoms.calc = CosineLatticeCalculator(
        {"Li": 0.2, "S": 3.0},
        spacing_angstrom=3.0,
        offsets={"S": (0.5, 0.25, 0.0)},
        repulsion_ev=0.7,
        repulsion_range_angstrom=reach,  # below half the cell by rounding, above it by a neighbour list
        bulk_modulus_gpa=20.0,
        volume_angstrom3_per_atom=100.0,
    )
    np.testing.assert_allclose(atoms.get_forces(), calculate_numerical_forces(atoms, 1e-5), atol=2e-6)
    np.testing.assert_allclose(atoms.get_stress(), calculate_numerical_stress(atoms, 1e-5), atol=1e-7)


def test_barrier_is_exact_along_the_path_between_sites():
    ion = Atoms("Li", positions=[[0, 0, 0]], cell=[9, 12, 6], pbc=True)
    ion.calc = CosineLatticeCalculator({"Li": 0.31}, spacing_angstrom=3.0)
    for axis in range(3):
        profile = []
        for fraction in np.linspace(0, 1, 21):
            ion.positions = 0.0
            ion.positions[0, axis] = 3.0 * fraction
            profile.append(ion.get_potential_energy())
        assert max(profile) == pytest.approx(0.31, abs=1e-12)
        assert profile[0] == pytest.approx(0.0, abs=1e-12)
        assert profile[-1] == pytest.approx(0.0, abs=1e-12)


def test_frequency_at_a_site_is_the_stated_one():
    spacing, barrier = 3.0, 0.25
    ion = Atoms("Li", positions=[[0, 0, 0]], cell=[9, 9, 9], pbc=True)
    ion.calc = CosineLatticeCalculator({"Li": barrier}, spacing_angstrom=spacing)
    ion.positions[0, 0] = 1e-5
    stiffness = -ion.get_forces()[0, 0] / 1e-5
    measured = np.sqrt(stiffness / ion.get_masses()[0]) / (2 * np.pi)
    assert measured == pytest.approx(np.sqrt(barrier / (2 * ion.get_masses()[0])) / spacing, rel=1e-6)


def test_unwrapped_positions_feel_the_same(cosine_system):
    atoms = cosine_system.atoms
    atoms.rattle(0.4, seed=5)
    atoms.calc = load_potential(cosine_system.specification).calculator()
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    shifts = np.random.default_rng(2).integers(-3, 4, (len(atoms), 3))
    atoms.positions += shifts @ np.asarray(atoms.cell)
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-9)


def test_repulsion_within_its_range_leaves_the_static_barrier(cosine_system):
    atoms = cosine_system.atoms
    atoms.calc = load_potential(cosine_system.specification).calculator()
    assert atoms.get_potential_energy() == pytest.approx(0.0, abs=1e-9)
    edge, spacing = atoms.cell[0, 0], 3.0
    lithium = atoms.positions[[atom.index for atom in atoms if atom.symbol == "Li"]]
    occupied = {tuple(np.rint(site / spacing).astype(int) % 3) for site in lithium}
    start = next(
        (index, axis)
        for index, site in enumerate(lithium)
        for axis in range(3)
        if tuple((np.rint(site / spacing).astype(int) + np.eye(3, dtype=int)[axis]) % 3) not in occupied
    )
    index, axis = start
    origin = atoms.positions[index, axis]
    profile = []
    for fraction in np.linspace(0, 1, 41):
        atoms.positions[index, axis] = origin + fraction * spacing
        profile.append(atoms.get_potential_energy())
    assert edge == 9.0
    assert max(profile) == pytest.approx(cosine_system.barrier_ev, abs=1e-9)


def test_bad_input_is_one_sentence():
    with pytest.raises(PotentialError, match="spacing must be above zero"):
        CosineLatticeCalculator({"Li": 0.2}, spacing_angstrom=0)
    with pytest.raises(PotentialError, match="needs an equilibrium volume"):
        CosineLatticeCalculator({"Li": 0.2}, spacing_angstrom=3, bulk_modulus_gpa=10)
    atoms = Atoms("K", cell=[3, 3, 3], pbc=True)
    atoms.calc = CosineLatticeCalculator({"Li": 0.2}, spacing_angstrom=3)
    with pytest.raises(PotentialError, match="no barrier for K"):
        atoms.get_potential_energy()


def diffusivity(temperature_k: float, barrier_ev: float, n_steps: int, seed: int) -> tuple[float, float]:
    """Independent ions under Langevin dynamics, each its own experiment: D in Å²/fs and its standard error."""
    n_ions, spacing, friction = 512, 3.0, 0.05
    atoms = Atoms(f"Li{n_ions}", positions=np.zeros((n_ions, 3)), cell=[spacing] * 3, pbc=True)
    atoms.calc = CosineLatticeCalculator({"Li": barrier_ev}, spacing_angstrom=spacing)
    generator = np.random.default_rng(seed)
    dynamics = Langevin(
        atoms, 2 * units.fs, temperature_K=temperature_k, friction=friction / units.fs, rng=generator, fixcm=False
    )
    atoms.set_momenta(
        generator.normal(size=(n_ions, 3)) * np.sqrt(atoms.get_masses() * units.kB * temperature_k)[:, None]
    )
    dynamics.run(n_steps // 5)
    start = atoms.positions.copy()
    dynamics.run(n_steps)
    squared = ((atoms.positions - start) ** 2).ravel()
    mean, error = squared.mean(), squared.std(ddof=1) / np.sqrt(squared.size)
    return mean / (2 * n_steps * 2.0), error / (2 * n_steps * 2.0)


@pytest.mark.physics
def test_arrhenius_slope_is_the_barrier():
    barrier = 0.20
    temperatures = np.array([350.0, 450.0, 600.0])
    values, errors = np.array([diffusivity(t, barrier, 20_000, 7) for t in temperatures]).T
    inverse = 1.0 / (8.617333262e-5 * temperatures)
    slope, _ = np.polyfit(inverse, np.log(values), 1, w=values / errors)
    # Kramers: D ~ exp(-B/kT) up to a prefactor of order (1 + O(kT/B)); with B/kT of 4 to 7 the slope is B within 12 %
    assert -slope == pytest.approx(barrier, rel=0.12)
