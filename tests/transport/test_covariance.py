"""The covariance of MSD points is the one that walks show."""

from __future__ import annotations

import numpy as np
from superion.transport.covariance import counting_covariance, msd_covariance, pooled_covariance
from superion.transport.msd import tracer_msd
from superion.transport.msd_model import MsdModel


def test_brownian_covariance_is_the_sampled_one() -> None:
    lags = np.array([1, 3, 10, 25])
    walks = np.cumsum(np.random.default_rng(0).standard_normal((100, 6000, 3)), axis=0)
    samples = np.array([tracer_msd(walks[:, [i]], lags)[:, 0] for i in range(6000)])
    expected = msd_covariance(np.arange(200.0), lags, 100)
    np.testing.assert_allclose(np.cov(samples.T), expected, rtol=0.1)


def test_limited_memory_loses_nothing_for_a_brownian_walk() -> None:
    lags = np.array([1, 2, 5, 20])
    model = np.arange(300.0)
    np.testing.assert_allclose(msd_covariance(model, lags, 150, memory=0), msd_covariance(model, lags, 150), rtol=1e-12)


def test_naive_sum_over_all_pairs_of_origins() -> None:
    lags, n_frames = np.array([1, 4, 7]), 30
    model = MsdModel(0.7, np.array([2.0]), np.array([3.0]))(np.arange(60))
    covariance = msd_covariance(model, lags, n_frames)
    for row, i in enumerate(lags):
        for column, j in enumerate(lags):
            total = 0.0
            for a in range(n_frames - i):
                for b in range(n_frames - j):
                    k = a - b
                    joint = model[abs(k + i)] + model[abs(k - j)] - model[abs(k)] - model[abs(k + i - j)]
                    total += (joint / 2) ** 2
            expected = 2 * total / ((n_frames - i) * (n_frames - j))
            assert np.isclose(covariance[row, column], expected, rtol=1e-12)


def test_two_equal_runs_halve_the_covariance() -> None:
    lags, model = np.array([1, 5, 9]), np.arange(200.0)
    np.testing.assert_allclose(pooled_covariance(model, lags, (80, 80)), msd_covariance(model, lags, 80) / 2)


def test_counting_covariance_tends_to_the_product_of_lags() -> None:
    lags = np.array([1, 5, 20])
    np.testing.assert_allclose(counting_covariance(lags, (20_000,)), np.outer(lags, lags), rtol=3e-3)
