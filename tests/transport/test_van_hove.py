"""Van Hove functions of walks and gases whose answers are known."""

import numpy as np
import pytest
from scipy.stats import chi
from superion.errors import AnalysisError
from superion.transport.radial_distribution import radial_distribution
from superion.transport.van_hove import van_hove_distinct, van_hove_self


def plain_walk(n_frames: int, n_ions: int, step: float, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0, step, (n_frames, n_ions, 3)), axis=0)


def test_self_part_of_a_plain_walk_is_gaussian() -> None:
    positions = plain_walk(1001, 300, 0.1, seed=1)
    lags = [1, 10, 100]
    function = van_hove_self(positions, np.arange(300), lags, 0.02, bin_width_angstrom=0.2)
    np.testing.assert_allclose(function.lag_ps, [0.02, 0.2, 2.0])
    edges = np.arange(function.distance_angstrom.size + 1) * 0.2
    for lag, values in zip(lags, function.values, strict=True):
        expected = np.diff(chi.cdf(edges, 3, scale=0.1 * np.sqrt(lag))) / 0.2
        # Independent displacements behind a bin: ions times stretches of one lag.
        error = np.sqrt(np.maximum(expected, 1e-4) / (0.2 * 300 * 1000 / lag))
        assert np.abs((values - expected) / error).max() < 4.5
        assert values.sum() * 0.2 == pytest.approx(1, abs=1e-3)


def test_self_part_of_hops_peaks_at_the_hop_distance() -> None:
    generator = np.random.default_rng(2)
    hops = generator.random((500, 50, 3)) < 0.001
    positions = 2.5 * np.cumsum(hops * generator.choice([-1, 1], hops.shape), axis=0)
    positions = positions + generator.normal(0, 0.05, positions.shape)
    function = van_hove_self(positions, np.arange(50), [20], 0.1)
    late = function.distance_angstrom > 1.5
    assert function.distance_angstrom[late][function.values[0][late].argmax()] == pytest.approx(2.5, abs=0.15)


def test_drift_is_taken_off() -> None:
    positions = plain_walk(50, 8, 0.1, seed=3)
    drift = np.linspace(0, 30, 50)[:, None] * np.ones(3)
    options = {"indices": np.arange(8), "lags": [5], "frame_interval_ps": 0.1}
    still = van_hove_self(positions, **options)
    moving = van_hove_self(positions + drift[:, None], drift_angstrom=drift, **options)
    np.testing.assert_allclose(moving.values, still.values, atol=0.3)
    assert abs(moving.values - still.values).sum() < 0.02 * still.values.sum()


def test_distinct_part_at_lag_zero_is_the_radial_distribution() -> None:
    cell = np.array([[9.0, 0, 0], [2.0, 8.0, 0], [1.0, -1.0, 10.0]])
    positions = np.random.default_rng(4).random((20, 12, 3)) @ cell
    every = np.arange(12)
    distinct = van_hove_distinct(positions, cell, every, [0], 0.1, bin_width_angstrom=0.25)
    rdf = radial_distribution(positions, cell, every, every, bin_width_angstrom=0.25)
    np.testing.assert_allclose(distinct.values[0], rdf.g)
    np.testing.assert_allclose(distinct.distance_angstrom, rdf.distance_angstrom)


def test_distinct_part_of_an_ideal_gas_is_one() -> None:
    cell = np.eye(3) * 8
    positions = np.random.default_rng(8).random((1000, 1, 3)) * 8 + plain_walk(1000, 30, 3.0, seed=5)
    values = van_hove_distinct(positions, cell, np.arange(30), [7], 0.1, bin_width_angstrom=1.0).values[0]
    np.testing.assert_allclose(values[1:], 1, atol=0.03)


def test_distinct_part_sees_ions_that_follow_each_other() -> None:
    cell = np.eye(3) * 12
    ring = 3.0 * np.arange(4)[:, None] * np.array([1.0, 0, 0])
    positions = ring[None] + 3.0 * np.arange(6)[:, None, None] * np.array([1.0, 0, 0])
    function = van_hove_distinct(positions, cell, np.arange(4), [1], 0.1, bin_width_angstrom=0.5)
    assert function.values[0, 0] > 100  # each ion sits where another was
    assert function.values[0, 1:5].max() == 0


def test_mistakes_are_clear() -> None:
    positions = plain_walk(10, 3, 0.1, seed=6)
    with pytest.raises(AnalysisError, match="lag of 10 frames"):
        van_hove_self(positions, [0], [10], 0.1)
    with pytest.raises(AnalysisError, match="at least one ion"):
        van_hove_self(positions, [], [1], 0.1)
    with pytest.raises(AnalysisError, match="at least two"):
        van_hove_distinct(positions, np.eye(3) * 9, [0], [1], 0.1)
    with pytest.raises(AnalysisError, match="positive width"):
        van_hove_self(positions, [0], [1], 0.1, bin_width_angstrom=20)
