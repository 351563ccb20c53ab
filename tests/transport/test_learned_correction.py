"""What is learned from simulated mechanisms: how it is applied, and that learning finds what is there."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from superion.transport.calibration import analyze_walk
from superion.transport.intervals import confidence_bound, interval, probability_below, standard_error_cm2_s
from superion.transport.learned_correction import LearnedCorrection
from superion.transport.results import SamplingLaw
from superion.transport.synthetic import gaussian_walk

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from mechanisms.learn import Sample, axis_width, corrected_scores, learn

LAW = SamplingLaw(estimate_cm2_s=2e-5, gaussian_relative_variance=0.01, counting_quantum_cm2_s=1e-7)


def test_errors_are_scaled_and_the_interval_is_shifted():
    correction = LearnedCorrection(0.3, 1.5, 2.0)
    whole, along = correction.corrected(LAW), correction.corrected(LAW, along_axis=True)
    assert whole.estimate_cm2_s == along.estimate_cm2_s == LAW.estimate_cm2_s
    assert standard_error_cm2_s(whole) == pytest.approx(1.5 * standard_error_cm2_s(LAW))
    assert standard_error_cm2_s(along) == pytest.approx(2.0 * standard_error_cm2_s(LAW))
    # Half of the estimates lie 0.3 of the former errors and more above the truth.
    assert probability_below(whole, confidence_bound(whole, 0.5)) == pytest.approx(0.5)
    unshifted = whole.model_copy(update={"median_shift": 0.0})
    assert probability_below(unshifted, confidence_bound(whole, 0.5)) == pytest.approx(ndtr(0.3 / 1.5))


def test_an_estimate_carries_what_its_correction_was_made_of():
    result = analyze_walk(gaussian_walk(np.random.default_rng(1), n_ions=24, n_frames=1000))
    for claim in (result.tracer, result.charge):
        assert 0.0 < claim.straight_probability <= 1.0
        assert 0.0 <= claim.onset_variance_share < 1.0
        assert claim.value_cm2_s == claim.law.estimate_cm2_s
        assert [law.estimate_cm2_s for law in claim.per_axis_law] == pytest.approx(claim.per_axis_cm2_s)
        assert sum(claim.per_axis_cm2_s) == pytest.approx(3 * claim.value_cm2_s)
        assert claim.per_axis_interval_68_cm2_s[0] == interval(claim.per_axis_law[0], 0.68)


def test_learning_finds_a_bias_and_an_error_that_hang_on_the_features():
    rng = np.random.default_rng(2)
    samples = []
    for straight, onset, log_error in rng.uniform([0, 0, -3], [1, 0.5, -1], (6000, 3)):
        width = math.exp(-0.2 + 0.5 * straight - 0.3 * onset + 0.2 * log_error)
        score = -0.3 + 0.6 * straight + width * rng.standard_normal()
        along = tuple(1.3 * width * rng.standard_normal(3))
        samples.append(Sample("one", "one", straight, onset, log_error, score, along))
    correction = learn(samples, constant=False)
    scores = corrected_scores(samples, correction, constant=False)
    assert correction[0] == pytest.approx([-0.3, 0.6], abs=0.1)
    # The law has heavier tails than these errors, and a slightly greater width.
    assert np.mean(np.abs(scores) < 1) == pytest.approx(0.70, abs=0.02)
    assert np.mean(np.abs(scores[np.array([one.straight for one in samples]) > 0.5]) < 1) == pytest.approx(
        0.70, abs=0.03
    )
    assert np.corrcoef(scores, [one.straight for one in samples])[0, 1] == pytest.approx(0.0, abs=0.04)
    unbiased = [replace(one, score=one.score + 0.3 - 0.6 * one.straight) for one in samples]
    assert axis_width(unbiased, learn(unbiased, constant=False), constant=False) == pytest.approx(1.3, rel=0.05)
