"""What is learned from simulated mechanisms: how it is applied, and that learning finds what is there."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from superion.transport.calibration import analyze_walk
from superion.transport.intervals import confidence_bound, interval, probability_below, standard_error_cm2_s
from superion.transport.learned_correction import (
    LOG_WIDTH,
    RANGES,
    SHIFT,
    LearnedCorrection,
    learned_correction,
)
from superion.transport.motion_features import MotionFeatures
from superion.transport.results import SamplingLaw
from superion.transport.synthetic import gaussian_walk

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from mechanisms import samples as drawing
from mechanisms.learn import SHIFT_FEATURES, WIDTH_FEATURES, Samples, axis_width, feature_ranges, learn, scores

LAW = SamplingLaw(estimate_cm2_s=2e-5, gaussian_relative_variance=0.01, counting_quantum_cm2_s=1e-7)
PLAIN = MotionFeatures(0.6, 0.05, 0.1, 2.0, 5.0, 2.0, -2.5, 0.5, 0.2)


def test_the_value_is_scaled_and_so_are_its_errors():
    correction = LearnedCorrection(0.9, 1.5, 2.0)
    whole, along = correction.corrected(LAW), correction.corrected(LAW, along_axis=True)
    assert whole.estimate_cm2_s == along.estimate_cm2_s == pytest.approx(0.9 * LAW.estimate_cm2_s)
    before = standard_error_cm2_s(LAW) / LAW.estimate_cm2_s
    assert standard_error_cm2_s(whole) / whole.estimate_cm2_s == pytest.approx(1.5 * before)
    assert standard_error_cm2_s(along) / along.estimate_cm2_s == pytest.approx(2.0 * before)
    scaled = correction.scaled(LAW)
    assert standard_error_cm2_s(scaled) / scaled.estimate_cm2_s == pytest.approx(before)


def test_intervals_of_results_stored_with_a_median_shift_stay_what_they_were():
    shifted = LAW.model_copy(update={"median_shift": 0.3})
    assert probability_below(LAW, confidence_bound(shifted, 0.5)) == pytest.approx(ndtr(0.3))


@pytest.mark.parametrize("kind", ["tracer", "charge"])
def test_the_correction_is_linear_in_the_features_and_stays_within_their_ranges(kind: str):
    known = {"constant": 1.0, **asdict(PLAIN)}
    found = learned_correction(kind, PLAIN, 0.1)
    assert found.factor == pytest.approx(math.exp(-0.1 * sum(SHIFT[kind][name] * known[name] for name in SHIFT[kind])))
    assert found.width == pytest.approx(math.exp(sum(LOG_WIDTH[kind][name] * known[name] for name in LOG_WIDTH[kind])))
    beyond = replace(PLAIN, **{name: high + 5.0 for name, (_, high) in RANGES.items()})
    at_end = replace(PLAIN, **{name: high for name, (_, high) in RANGES.items()})
    assert learned_correction(kind, beyond, 0.1) == learned_correction(kind, at_end, 0.1)
    assert 0.7 < learned_correction(kind, PLAIN, 3.0).factor < 1.45


def test_an_estimate_carries_its_correction():
    result = analyze_walk(gaussian_walk(np.random.default_rng(1), n_ions=24, n_frames=1000))
    for claim in (result.tracer, result.charge):
        assert 0.0 < claim.straight_probability <= 1.0
        assert 0.0 <= claim.onset_variance_share < 1.0
        assert 0.7 < claim.correction_factor < 1.45
        assert claim.value_cm2_s == claim.law.estimate_cm2_s
        assert [law.estimate_cm2_s for law in claim.per_axis_law] == pytest.approx(claim.per_axis_cm2_s)
        assert sum(claim.per_axis_cm2_s) == pytest.approx(3 * claim.value_cm2_s)
        assert claim.per_axis_interval_68_cm2_s[0] == interval(claim.per_axis_law[0], 0.68)


def made_up_samples(n: int, seed: int) -> tuple[Samples, np.ndarray, np.ndarray]:
    """Estimates that are off by known shifts and whose errors are known factors of those claimed."""
    rng = np.random.default_rng(seed)
    features = {name: rng.uniform(0.0, 1.0, n) for name in dict.fromkeys((*SHIFT_FEATURES, *WIDTH_FEATURES))}
    shift, width = 0.8 * features["tail"] - 0.3, np.exp(0.5 * features["onset"] - 0.2)
    gaussian = np.full(n, 1e-3)
    estimate = 1.0 + np.sqrt(gaussian) * (shift + width * rng.standard_normal(n))
    along = 1.0 + np.sqrt(3.0 * gaussian) * (shift + 1.2 * width * rng.standard_normal(n))
    law = np.column_stack([estimate, gaussian, np.zeros(n)])
    axis_law = np.repeat(np.column_stack([along, 3.0 * gaussian, np.zeros(n)])[:, None], 3, axis=1)
    group = np.array(["one", "other"])[rng.integers(0, 2, n)]
    return Samples(group, group, features, law, axis_law), shift, width


def test_learning_finds_a_bias_and_an_error_that_hang_on_the_features():
    samples, shift, width = made_up_samples(6000, seed=2)
    correction = learn(samples, feature_ranges(samples))
    factor, found_width = correction.of(samples)
    assert np.log(factor) == pytest.approx(-shift * samples.relative_error, abs=0.006)
    # The law has heavier tails than these errors.
    assert np.corrcoef(np.log(found_width), np.log(width))[0, 1] > 0.9
    score = scores(samples.law, factor, found_width)
    for part in (samples.features["onset"] < 0.5, samples.features["onset"] > 0.5):
        assert np.mean(np.abs(score[part]) < 1) == pytest.approx(0.69, abs=0.03)
    assert axis_width(samples, correction) == pytest.approx(1.2, abs=0.1)


def test_samples_keep_what_the_fit_says_before_any_correction(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawing.estimate, "learned_correction", learned_correction)
    monkeypatch.setattr(drawing, "LENGTHS", (300,))
    monkeypatch.setattr(drawing, "FAMILIES", {"gas fcc": drawing.FAMILIES["gas fcc"]})
    monkeypatch.setattr(drawing, "_PER_PASS", 4)
    monkeypatch.setattr(drawing, "_BATCH", 2)
    found = drawing.draw_samples(1)
    assert found["tracer_features"].shape == (len(found["tracer_law"]), len(RANGES))
    assert list(found["feature_names"]) == list(RANGES)
    assert set(found["charge_group"]) <= {f"gas fcc {vacant}%, 300" for vacant in (5, 20, 50)}
    assert np.all((found["tracer_law"][:, 0] > 0.2) & (found["tracer_law"][:, 0] < 3.0))
