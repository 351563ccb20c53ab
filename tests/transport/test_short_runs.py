"""Runs too short to show diffusion are neither converged nor used."""

from __future__ import annotations

import numpy as np
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.convergence import convergence_verdict
from superion.transport.displacement_run import DisplacementRun
from superion.transport.flags import TOO_SHORT
from superion.transport.synthetic import lattice_walk


def run_of(positions: np.ndarray, frame_interval_ps: float) -> DisplacementRun:
    n_atoms = positions.shape[1]
    return DisplacementRun(
        positions_angstrom=positions,
        mobile_indices=np.arange(n_atoms - 1),
        framework_indices=np.array([n_atoms - 1]),
        masses_amu=np.full(n_atoms, 7.0),
        frame_interval_ps=frame_interval_ps,
        volume_angstrom3=1000.0,
        temperature_k=800.0,
    )


def test_a_small_error_from_vibrations_is_no_convergence():
    walk = lattice_walk(np.random.default_rng(3), n_ions=64, n_frames=100, hop_rate_per_ps=20.0).as_run()
    short = run_of(np.asarray(walk.positions_angstrom, dtype=float), frame_interval_ps=0.02)
    result = analyze_diffusion([short], mobile_ion="Li", ion_charge=1, settings=DiffusionSettings(equilibration_ps=0))
    assert TOO_SHORT in result.flags
    assert not convergence_verdict(result, target_relative_error=10.0).converged


def test_ballistic_motion_is_not_used():
    rng = np.random.default_rng(5)
    velocities = rng.normal(size=(1, 33, 3))
    velocities[:, -1] = 0.0
    positions = np.arange(400)[:, None, None] * 0.1 * velocities
    result = analyze_diffusion(
        [run_of(positions, 0.1)], mobile_ion="Li", ion_charge=1, settings=DiffusionSettings(equilibration_ps=0)
    )
    assert not result.usable
    assert result.exclusion_reason
