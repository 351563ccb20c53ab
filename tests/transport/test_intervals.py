"""Intervals: exact in their two limits, monotone, and honest without hops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.intervals import confidence_bound, interval, scarce_upper_bound, standard_error_cm2_s
from superion.transport.results import SamplingLaw
from superion.transport.synthetic import lattice_walk


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


def test_rattling_does_not_make_the_bound_grow_with_the_supposed_truth() -> None:
    # at the estimate rattling makes up nearly all of the variance, as for an ion that vibrates in its cage
    rattling = law(1.0, 2.2, 3.0)
    known = rattling.model_copy(update={"diffusive_relative_variance": 0.03})
    assert confidence_bound(known, 0.95) < 0.1 * confidence_bound(rattling, 0.95)
    assert confidence_bound(known, 0.95) > confidence_bound(law(1.0, 0.03, 3.0), 0.95)


def test_where_diffusion_makes_up_the_variance_nothing_changes() -> None:
    diffusive = law(1.0, 0.05, 0.03)
    same = diffusive.model_copy(update={"diffusive_relative_variance": 0.05})
    for confidence in (0.025, 0.5, 0.95):
        assert confidence_bound(same, confidence) == pytest.approx(confidence_bound(diffusive, confidence), rel=1e-9)


@pytest.mark.parametrize(
    ("hops", "n_walks", "least_coverage", "greatest_bound"),
    [
        (0.2, 40, 1.0, 12.0),
        (3.0, 40, 0.85, 40.0),
        # 95 ± 2.5 % at two standard errors
        pytest.param(0.2, 600, 1.0, 15.0, marks=pytest.mark.slow),
        pytest.param(3.0, 600, 0.925, 60.0, marks=pytest.mark.slow),
        pytest.param(10.0, 600, 0.925, 60.0, marks=pytest.mark.slow),
    ],
)
def test_bounds_of_few_hops_hold_and_are_of_some_use(
    hops: float, n_walks: int, least_coverage: float, greatest_bound: float
) -> None:
    """Sixteen ions rattle for 3 ps and hop a few times: no bound is beyond a few times what was seen."""
    rng = np.random.default_rng(12)
    n_ions, duration_ps, hop_angstrom = 16, 3.0, 2.5
    quantum_cm2_s = 1e-4 * hop_angstrom**2 / (6.0 * n_ions * duration_ps)
    bounds = []
    for _ in range(n_walks):
        walk = lattice_walk(
            rng,
            n_ions=n_ions,
            n_frames=151,
            frame_interval_ps=0.02,
            hop_rate_per_ps=hops / (n_ions * duration_ps),
            hop_distance_angstrom=hop_angstrom,
            rattle_angstrom=0.3,
            rattle_time_ps=0.1,
        )
        settings = DiffusionSettings(equilibration_ps=0)
        result = analyze_diffusion([walk.as_run()], mobile_ion="Li", ion_charge=1, settings=settings)
        bounds.append(result.tracer.upper_bound_95_cm2_s / quantum_cm2_s)
    assert np.mean(np.array(bounds) >= hops) >= least_coverage
    assert max(bounds) < greatest_bound
