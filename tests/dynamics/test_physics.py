"""The ensembles are what they claim to be: tested on averages that statistical mechanics knows exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from scipy.optimize import brentq
from superion.constants import BOLTZMANN_EV_PER_K
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.segment_file import read_checkpoint
from superion.dynamics.trajectory import Trajectory
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification

THERMOSTATS = ("bussi", "nose_hoover_chain", "langevin")


@pytest.fixture
def emt():
    return load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))


def mean_and_error(values: np.ndarray, n_blocks: int = 20) -> tuple[float, float]:
    """Mean and its standard error from block averages, which correlated samples need."""
    blocks = np.array([block.mean() for block in np.array_split(values, n_blocks)])
    return float(values.mean()), float(blocks.std(ddof=1) / np.sqrt(n_blocks))


def run(atoms, potential, folder, protocol, **limits) -> Trajectory:
    result = run_md(atoms, potential, protocol, RunLimits(**limits), folder)
    assert result.state == "completed", result.message
    return Trajectory(result.folder)


@pytest.fixture
def coupled():
    atoms = Atoms("LiPSClNa", positions=1.25 * np.arange(15).reshape(5, 3) % 5.0, cell=[5.0] * 3, pbc=True)
    return atoms, load_potential(PotentialSpecification(name="ase", model="support.coupled_atoms.CoupledAtoms"))


def coupled_protocol(thermostat: str) -> MdProtocol:
    return MdProtocol(
        temperature_k=600,
        thermostat=thermostat,
        thermostat_time_fs=30.0,
        friction_per_ps=20.0,
        time_step_fs=2.0,
        frame_interval_fs=10.0,
    )


def assert_equipartition(trajectory: Trajectory, n_blocks: int, largest_error_k: float) -> None:
    """With the total momentum at zero an atom of mass m has the kinetic energy 3 k T (1 - m/M) / 2."""
    speeds = trajectory.velocities()[100:] / (1000.0 * units.fs)
    masses = trajectory.masses_amu
    for atom, mass in enumerate(masses):
        share = mass * (speeds[:, atom] ** 2).sum(axis=1) / (3 * BOLTZMANN_EV_PER_K * (1 - mass / masses.sum()))
        mean, error = mean_and_error(share, n_blocks)
        assert error < largest_error_k
        assert mean == pytest.approx(600, abs=4 * error)


@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_kinetic_energy_is_canonical(coupled, tmp_path, thermostat):
    """Five atoms: twelve degrees of freedom, so counting fifteen would miss the temperature by a quarter."""
    trajectory = run(
        *coupled, tmp_path, coupled_protocol(thermostat), duration_ps=16.0, segment_ps=16.0, store_velocities=True
    )
    assert trajectory.description.degrees_of_freedom == 12
    temperatures = trajectory.temperatures()[100:]
    mean, error = mean_and_error(temperatures)
    assert error < 15.0
    assert mean == pytest.approx(600, abs=4 * error)
    spread, spread_error = mean_and_error((temperatures - 600) ** 2)
    assert spread_error < 0.2 * spread
    assert spread == pytest.approx(600**2 * 2 / 12, abs=4 * spread_error)
    if thermostat == "langevin":  # a global thermostat leaves the exchange between atoms to the forces: see below
        assert_equipartition(trajectory, n_blocks=20, largest_error_k=60.0)


@pytest.mark.physics
@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_light_and_heavy_atoms_have_the_same_temperature(coupled, tmp_path, thermostat):
    """Under a global thermostat these five atoms exchange their energy in some ps: blocks of 20 ps are long."""
    trajectory = run(*coupled, tmp_path, coupled_protocol(thermostat), duration_ps=480.0, store_velocities=True)
    assert_equipartition(trajectory, n_blocks=24, largest_error_k=45.0)


def test_energy_is_conserved_to_second_order_in_the_time_step(emt, tmp_path):
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    scatter = {}
    for step in (2.0, 4.0):
        protocol = MdProtocol(temperature_k=600, ensemble="nve", time_step_fs=step, frame_interval_fs=8.0)
        result = run_md(atoms, emt, protocol, RunLimits(duration_ps=0.8), tmp_path)
        trajectory = Trajectory(result.folder)
        total = trajectory.energies() + trajectory.kinetic_energies()
        assert np.array_equal(total, trajectory.conserved_energies())
        assert abs(result.energy_drift_mev_per_atom_ps) < 0.1
        scatter[step] = total[5:].std()
        assert scatter[step] < 0.02 * trajectory.energies()[5:].std()
    assert 2.5 < scatter[4.0] / scatter[2.0] < 6.0


@pytest.mark.parametrize(
    "ensemble", [{"thermostat": name} for name in THERMOSTATS] + [{"ensemble": "nve"}, {"ensemble": "npt"}], ids=str
)
def test_total_momentum_stays_zero(emt, tmp_path, ensemble):
    protocol = MdProtocol(temperature_k=600, **ensemble)
    result = run_md(bulk("Cu", cubic=True), emt, protocol, RunLimits(duration_ps=0.4, segment_ps=0.2), tmp_path)
    momenta = read_checkpoint(Path(result.folder) / result.segments[-1].file).momenta
    assert np.abs(momenta.sum(axis=0)).max() < 1e-10
    assert np.abs(momenta).max() > 0.1


def test_velocities_follow_maxwell_boltzmann():
    from superion.dynamics.random_stream import random_stream
    from superion.dynamics.velocities import draw_momenta

    atoms = bulk("NaCl", "rocksalt", a=5.64) * (12, 12, 12)
    momenta = draw_momenta(atoms, 500.0, random_stream(1, 0, "velocities"), zero_total_momentum=True)
    assert np.abs(momenta.sum(axis=0)).max() < 1e-9
    scaled = momenta / np.sqrt(atoms.get_masses()[:, None] * units.kB * 500.0)
    for symbol in ("Na", "Cl"):
        sample = scaled[atoms.symbols == symbol].ravel()
        assert sample.var() == pytest.approx(1.0, abs=5 * np.sqrt(2 / sample.size))
        assert (sample**4).mean() == pytest.approx(3.0, abs=5 * np.sqrt(96 / sample.size))


@pytest.mark.parametrize("pressure_gpa", [pytest.param(0.0, marks=pytest.mark.physics), 2.0])
def test_npt_finds_pressure_and_volume(cosine_system, tmp_path, pressure_gpa):
    """The cosine term has no stress, so p V = N k T + the volume term, whose equation of state is known."""
    atoms = cosine_system.atoms
    modulus, reference = 20.0 * units.GPa, atoms.get_volume()
    options = cosine_system.specification.options | {
        "repulsion_ev": 0.0,
        "bulk_modulus_gpa": 20.0,
        "volume_angstrom3_per_atom": reference / len(atoms),
    }
    potential = load_potential(cosine_system.specification.model_copy(update={"options": options}))
    protocol = MdProtocol(
        temperature_k=600, ensemble="npt", pressure_gpa=pressure_gpa, barostat_time_fs=200.0, time_step_fs=2.0
    )
    trajectory = run(atoms, potential, tmp_path, protocol, duration_ps=6.0, segment_ps=6.0)
    pressures, volumes = trajectory.pressures()[50:], trajectory.volumes()[50:]
    mean, error = mean_and_error(pressures)
    assert error < 0.1
    assert mean == pytest.approx(pressure_gpa, abs=4 * error)

    def excess_pressure(volume: float) -> float:
        thermal = len(atoms) * units.kB * 600 / volume
        return thermal - modulus * (volume / reference - 1.0) - pressure_gpa * units.GPa

    expected = brentq(excess_pressure, 0.5 * reference, 2.0 * reference)
    mean, error = mean_and_error(volumes)
    assert error < 0.003 * expected
    assert mean == pytest.approx(expected, abs=4 * error)
    # the shape of the cell stays, its size fluctuates
    cells = trajectory.cells()
    assert cells / cells[:, :1, :1] == pytest.approx(np.broadcast_to(np.eye(3), cells.shape), abs=1e-12)
    assert volumes.std() > 0.001 * expected


def test_external_field_is_measured(cosine_system, emt, tmp_path):
    atoms = cosine_system.atoms
    potential = load_potential(cosine_system.specification)
    tied = run(atoms, potential, tmp_path, MdProtocol(temperature_k=300), duration_ps=0.02).description
    assert (tied.translation_invariant, tied.degrees_of_freedom) == (False, 3 * len(atoms))
    free = run(bulk("Cu", cubic=True), emt, tmp_path, MdProtocol(temperature_k=300), duration_ps=0.02).description
    assert (free.translation_invariant, free.degrees_of_freedom) == (True, 9)


def test_ions_hop_in_the_analytic_lattice(cosine_system, tmp_path):
    """Unwrapped positions grow beyond the cell, while the framework stays."""
    protocol = MdProtocol(temperature_k=1500, time_step_fs=2.0)
    potential = load_potential(cosine_system.specification)
    trajectory = run(cosine_system.atoms, potential, tmp_path, protocol, duration_ps=3.0)
    moved = trajectory.positions()[-1] - trajectory.positions(slice(1))[0]
    lithium = np.array(trajectory.symbols) == "Li"
    assert np.mean(np.sum(moved[lithium] ** 2, axis=1)) > cosine_system.hop_distance_angstrom**2
    assert np.sqrt((moved[~lithium] ** 2).sum(axis=1)).max() < 1.5
