"""Intervals: exact in their two limits, monotone, and honest without hops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from superion.transport.intervals import confidence_bound, interval, scarce_upper_bound, standard_error_cm2_s
from superion.transport.results import SamplingLaw


def law(estimate: float, gaussian: float, quantum: float, background: float = 0.0) -> SamplingLaw:
    return SamplingLaw(
        estimate_cm2_s=estimate,
        gaussian_relative_variance=gaussian,
        counting_quantum_cm2_s=quantum,
        background_error_cm2_s=background,
    )


@pytest.mark.parametrize("degrees", [6.0, 40.0, 400.0])
@pytest.mark.parametrize("coverage", [0.68, 0.95])
def test_without_counting_noise_it_is_chi_squared(degrees: float, coverage: float) -> None:
    low, high = interval(law(1.0, 2.0 / degrees, 0.0), coverage)
    tail = (1 - coverage) / 2
    assert low == pytest.approx(degrees / chi2.ppf(1 - tail, degrees), rel=1e-6)
    assert high == pytest.approx(degrees / chi2.ppf(tail, degrees), rel=1e-6)


@pytest.mark.parametrize("hops", [12, 50])
def test_with_counting_noise_alone_it_covers_poisson_counts(hops: int) -> None:
    counts = np.random.default_rng(1).poisson(hops, 4000) + np.random.default_rng(2).uniform(-0.5, 0.5, 4000)
    unique = [interval(law(float(n), 0.0, 1.0), 0.68) for n in counts[:800]]
    held = np.mean([low <= hops <= high for low, high in unique])
    assert 0.63 < held < 0.73


def test_bounds_grow_with_confidence() -> None:
    bounds = [confidence_bound(law(1.0, 0.05, 0.03), c) for c in (0.025, 0.16, 0.5, 0.84, 0.975, 0.999)]
    assert bounds == sorted(bounds)
    assert bounds[0] < 1.0 < bounds[-1]


def test_no_hop_is_bounded_by_three() -> None:
    assert scarce_upper_bound(law(0.0, 0.0, 1.0), 0.95) == pytest.approx(-np.log(0.05), rel=1e-9)
    assert scarce_upper_bound(law(-0.3, 0.0, 1.0), 0.95) == pytest.approx(-np.log(0.05), rel=1e-9)


def test_noise_widens_the_bound_of_no_hops() -> None:
    assert scarce_upper_bound(law(0.0, 0.0, 1.0, 2.0), 0.95) > scarce_upper_bound(law(0.0, 0.0, 1.0), 0.95)


def test_standard_error_adds_both_parts() -> None:
    assert standard_error_cm2_s(law(2.0, 0.01, 0.02)) == pytest.approx(np.sqrt(0.01 * 4 + 0.02 * 2))


def test_units_do_not_matter() -> None:
    small = interval(law(1e-6, 0.05, 3e-8), 0.95)
    large = interval(law(1.0, 0.05, 3e-2), 0.95)
    assert small[0] * 1e6 == pytest.approx(large[0], rel=1e-6)
    assert small[1] * 1e6 == pytest.approx(large[1], rel=1e-6)
