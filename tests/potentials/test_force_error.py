"""Force errors of a student along a trajectory, and whether they grow."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from superion.potentials.force_error import force_error_series, force_errors, spot_check_times


def test_frames_are_compared_component_by_component_and_stay_as_they_are():
    frames = [bulk("Cu", cubic=True).repeat(2) for _ in range(3)]
    for seed, frame in enumerate(frames):
        frame.rattle(0.05, seed=seed)
    errors = force_errors(frames, LennardJones(sigma=2.3, epsilon=0.4), EMT())
    assert len(errors) == 3
    assert all(frame.calc is None for frame in frames)
    one, other = frames[0].copy(), frames[0].copy()
    one.calc, other.calc = LennardJones(sigma=2.3, epsilon=0.4), EMT()
    expected = 1000.0 * np.sqrt(np.mean((one.get_forces() - other.get_forces()) ** 2))
    assert errors[0] == pytest.approx(expected)
    assert force_errors(frames, EMT(), EMT()) == [0.0, 0.0, 0.0]


def test_the_interval_of_the_drift_covers_the_truth():
    dice = np.random.default_rng(3)
    times = np.arange(1, 11) * 10.0
    covered = 0
    for _ in range(400):
        series = force_error_series(900.0, "key", "chgnet", times, 60.0 + 0.05 * times + dice.normal(0, 2.0, 10))
        low, high = series.drift_interval_95_mev_per_angstrom_ps
        covered += low <= 0.05 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_what_is_said():
    growing = force_error_series(900.0, "key", "chgnet", [10, 20, 30, 40, 50], [60.0, 70.5, 80.0, 90.2, 100.0])
    assert growing.sentence().startswith(
        "900 K: force error against chgnet 81.4 meV/Å on 5 frames of the run, drift +1 ["
    )
    assert growing.sentence().endswith("it grows")
    steady = force_error_series(900.0, "key", "chgnet", [10, 20, 30, 40, 50], [60.0, 61.0, 59.0, 60.5, 60.0])
    assert steady.sentence().endswith("no growth is seen")
    assert "too few to tell" in force_error_series(900.0, "key", "chgnet", [10, 20], [60.0, 61.0]).sentence()
    assert spot_check_times(30.0, 10.0) == [10.0, 20.0, 30.0]
