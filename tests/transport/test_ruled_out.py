"""Ruling out: the arithmetic, and the price of looking often."""

from __future__ import annotations

import math

import numpy as np
import pytest
from superion.errors import AnalysisError
from superion.transport.calibration import analyze_walk, looks
from superion.transport.ruled_out import (
    FALSE_RULED_OUT_RATE,
    greatest_sigma_300k_ms_cm,
    is_ruled_out,
    sequential_confidence,
    sequential_sigma_upper_ms_cm,
)
from superion.transport.synthetic import lattice_walk


def test_the_formula_of_the_bound() -> None:
    expected = 600 / 300 * 50.0 * math.exp(-0.2 / 8.617333262e-5 * (1 / 300 - 1 / 600))
    assert greatest_sigma_300k_ms_cm(50.0, 600.0, 0.2) == pytest.approx(expected, rel=1e-12)


def test_at_300_k_the_bound_is_the_bound() -> None:
    assert greatest_sigma_300k_ms_cm(3.0, 300.0) == pytest.approx(3.0)


def test_a_smaller_barrier_rules_out_less() -> None:
    assert is_ruled_out(20.0, 800.0, 1.0, minimum_barrier_ev=0.3)
    assert not is_ruled_out(20.0, 800.0, 1.0, minimum_barrier_ev=0.05)


def test_cold_runs_are_refused() -> None:
    with pytest.raises(AnalysisError, match="300 K or higher"):
        greatest_sigma_300k_ms_cm(1.0, 250.0)


def test_endless_looks_spend_no_more_than_the_rate() -> None:
    assert sum(1 - sequential_confidence(look) for look in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)


def is_ever_ruled_out(seed: int, n_frames: int) -> bool:
    """Whether any look rules out four-ion hops whose collective conductivity just reaches the target."""
    walk = lattice_walk(
        np.random.default_rng([seed, n_frames]),
        n_ions=24,
        n_frames=n_frames,
        hop_rate_per_ps=0.1,
        rattle_angstrom=0.3,
        group_size=4,
    )
    assert walk.charge_cm2_s == pytest.approx(4 * walk.tracer_cm2_s)
    for look, length in enumerate(looks(n_frames), start=1):
        result = analyze_walk(walk, length)
        per_diffusivity = result.nernst_einstein.upper_bound_95_ms_cm / result.tracer.upper_bound_95_cm2_s
        if is_ruled_out(
            sequential_sigma_upper_ms_cm(result, look),
            result.temperature_k,
            greatest_sigma_300k_ms_cm(walk.charge_cm2_s * per_diffusivity, result.temperature_k),
        ):
            return True
    return False


@pytest.mark.parametrize("n_walks", [16, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_concerted_conductors_are_not_ruled_out_by_their_tracers(n_walks: int) -> None:
    """The tracer's bound alone rules out nearly all of them."""
    rate = sum(is_ever_ruled_out(seed, 300) for seed in range(n_walks)) / n_walks
    tolerance = 3.0 * math.sqrt(FALSE_RULED_OUT_RATE * (1 - FALSE_RULED_OUT_RATE) / n_walks)
    assert rate <= FALSE_RULED_OUT_RATE + tolerance
