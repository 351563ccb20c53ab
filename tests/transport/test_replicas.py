"""Replicas: scatter beyond chance enlarges the error, chance does not."""

from __future__ import annotations

import numpy as np
import pytest
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.replicas import replica_inflation
from superion.transport.synthetic import gaussian_walk, lattice_walk

SETTINGS = DiffusionSettings(equilibration_ps=0.0)


def test_chance_inflates_in_one_of_twenty() -> None:
    rng = np.random.default_rng(0)
    inflated = np.mean([replica_inflation(rng.normal(1, 0.1, 4).tolist(), [0.01] * 4) > 1 for _ in range(2000)])
    assert inflated == pytest.approx(0.05, abs=0.015)


def test_disagreeing_replicas_are_flagged_and_inflated() -> None:
    rng = np.random.default_rng(1)
    runs = [gaussian_walk(rng, n_ions=20, n_frames=600, diffusivity_cm2_s=d).as_run() for d in (0.5e-5, 1e-5, 2e-5)]
    result = analyze_diffusion(runs, mobile_ion="Li", ion_charge=1, settings=SETTINGS)
    assert result.tracer.replica_inflation > 2
    assert "replicas scatter more than their errors" in result.tracer.flags
    low, high = result.tracer.interval_95_cm2_s
    assert low < 1e-5 < high


def test_four_replicas_halve_the_error() -> None:
    ratios = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        runs = [lattice_walk(rng, n_ions=10, n_frames=400, hop_rate_per_ps=0.2).as_run() for _ in range(4)]
        alone = analyze_diffusion(runs[:1], mobile_ion="Li", ion_charge=1, settings=SETTINGS)
        together = analyze_diffusion(runs, mobile_ion="Li", ion_charge=1, settings=SETTINGS)
        ratios.append(together.tracer.relative_error / alone.tracer.relative_error)
    assert together.n_replicas == 4
    assert np.median(ratios) == pytest.approx(0.5, abs=0.15)


def test_runs_of_unequal_length_are_pooled() -> None:
    rng = np.random.default_rng(3)
    runs = [gaussian_walk(rng, n_ions=10, n_frames=n).as_run() for n in (1000, 400, 150)]
    result = analyze_diffusion(runs, mobile_ion="Li", ion_charge=1, settings=SETTINGS)
    low, high = result.tracer.interval_95_cm2_s
    assert low < 1e-5 < high
