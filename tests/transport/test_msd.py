"""The Fourier MSD is the naive double loop's, whatever the atoms, axes and lags."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.errors import AnalysisError
from superion.transport.correlation import LaggedProducts
from superion.transport.msd import collective_msd, tracer_msd
from superion.transport.synthetic import gaussian_walk, lattice_walk


def naive_msd(positions: np.ndarray) -> np.ndarray:
    n_frames, n_atoms, _ = positions.shape
    msd = np.zeros((n_frames, 3))
    for lag in range(1, n_frames):
        for origin in range(n_frames - lag):
            msd[lag] += ((positions[origin + lag] - positions[origin]) ** 2).sum(axis=0)
        msd[lag] /= (n_frames - lag) * n_atoms
    return msd


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_the_naive_double_loop(seed: int, offset: float) -> None:
    walk = gaussian_walk(np.random.default_rng(seed), n_ions=7, n_frames=160, diffusivity_cm2_s=3e-5)
    positions = walk.positions_angstrom + offset
    np.testing.assert_allclose(tracer_msd(positions)[1:], naive_msd(positions)[1:], rtol=1e-10)


def test_agrees_where_cancellation_is_worst() -> None:
    rng = np.random.default_rng(3)
    rattling = 1e-3 * rng.standard_normal((300, 4, 3))
    positions = rattling + 50.0 * np.linspace(0, 1, 300)[:, None, None] ** 2
    np.testing.assert_allclose(tracer_msd(positions)[1:], naive_msd(positions)[1:], rtol=1e-10)


@pytest.mark.parametrize("n_frames", [2000, 40_009], ids=["one_transform", "split_transform"])
def test_lags_summed_on_a_ring_agree_with_the_naive_loop(n_frames: int) -> None:
    positions = gaussian_walk(np.random.default_rng(6), n_ions=5, n_frames=n_frames).positions_angstrom
    lags = np.unique(np.geomspace(1, n_frames - 1, 40).astype(int))
    assert LaggedProducts(n_frames, lags, 5).size < n_frames + lags[-1]
    expected = [((positions[lag:] - positions[:-lag]) ** 2).mean(axis=(0, 1)) for lag in lags]
    np.testing.assert_allclose(tracer_msd(positions, lags), expected, rtol=1e-10)


def test_collective_is_the_naive_sum() -> None:
    positions = gaussian_walk(np.random.default_rng(5), n_ions=5, n_frames=80).positions_angstrom
    expected = naive_msd(positions.sum(axis=1, keepdims=True)) / 5
    np.testing.assert_allclose(collective_msd(positions)[1:], expected[1:], rtol=1e-10)


def test_chosen_lags_and_atoms_are_rows_of_the_whole() -> None:
    positions = lattice_walk(np.random.default_rng(2), n_ions=20, n_frames=90, rattle_angstrom=0.2).positions_angstrom
    lags, atoms = np.array([1, 5, 40]), np.array([0, 3, 4, 19])
    np.testing.assert_allclose(
        tracer_msd(positions, lags, indices=atoms), tracer_msd(positions[:, atoms])[lags], rtol=1e-11
    )


def test_single_precision_input_is_accumulated_in_double() -> None:
    positions = gaussian_walk(np.random.default_rng(4), n_ions=3, n_frames=200).positions_angstrom.astype(np.float32)
    np.testing.assert_allclose(tracer_msd(positions)[1:], naive_msd(positions.astype(float))[1:], rtol=1e-10)


def test_a_lag_beyond_the_run_is_refused() -> None:
    with pytest.raises(AnalysisError, match="lag of 10 frames"):
        tracer_msd(np.zeros((10, 1, 3)), np.array([10]))


def test_memory_stays_below_the_positions() -> None:
    positions = np.zeros((20_000, 100, 3), dtype=np.float32)
    tracemalloc.start()
    tracer_msd(positions, np.unique(np.geomspace(1, 5000, 50).astype(int)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < positions.nbytes


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shift=st.floats(-100, 100),
    scale=st.floats(0.1, 10),
)
def test_translation_permutation_and_scale(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    positions = np.cumsum(rng.standard_normal((40, 5, 3)), axis=0)
    reference = tracer_msd(positions)
    np.testing.assert_allclose(tracer_msd(positions + shift), reference, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(tracer_msd(positions[:, rng.permutation(5)]), reference, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tracer_msd(positions * scale), reference * scale**2, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tracer_msd(positions[::-1]), reference, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_total_does_not_depend_on_the_axes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = np.cumsum(rng.standard_normal((40, 4, 3)), axis=0)
    rotation, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    np.testing.assert_allclose(
        tracer_msd(positions @ rotation).sum(axis=1), tracer_msd(positions).sum(axis=1), rtol=1e-9, atol=1e-12
    )
