"""Back-hops that a short run cannot see: is the factor that the reader is told the right one?"""

import numpy as np
import pytest
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.hidden_back_hops import hidden_back_hop_factor
from superion.transport.synthetic import back_hop_walk


def mean_overestimate(duration_ps: float, n_walks: int) -> tuple[float, float]:
    """Mean of D over the truth, and the longest fitted lag in ps."""
    found, lag_ps = [], 0.0
    for seed in range(n_walks):
        walk = back_hop_walk(
            np.random.default_rng([seed, int(10 * duration_ps)]),
            n_ions=24,
            n_frames=round(duration_ps / 0.05) + 1,
            frame_interval_ps=0.05,
            residence_time_ps=5.0 if seed % 2 else 1.4,
            decision_time_ps=1.0,
            rattle_angstrom=0.3,
        )
        result = analyze_diffusion(
            [walk.as_run()], mobile_ion="Li", ion_charge=1, settings=DiffusionSettings(equilibration_ps=0)
        )
        found.append(result.tracer.law.estimate_cm2_s / walk.tracer_cm2_s)
        lag_ps = result.tracer.fit_window_ps[1]
    return float(np.mean(found)), lag_ps


def test_falls_with_the_length_and_ends():
    factors = [hidden_back_hop_factor(lag) for lag in np.linspace(0.1, 11, 50)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 2.73
    assert factors[-1] == 1.0


@pytest.mark.parametrize("duration_ps", [3.7, 8.0])
def test_agrees_with_walks(duration_ps: float):
    overestimate, lag_ps = mean_overestimate(duration_ps, 40)
    # The scatter of one walk is about a third of its mean.
    assert overestimate == pytest.approx(hidden_back_hop_factor(lag_ps), rel=3 * 0.33 / np.sqrt(40))


@pytest.mark.slow
@pytest.mark.parametrize("duration_ps", [3.7, 4.7, 8.0, 15.0, 20.0, 30.0])
def test_agrees_with_many_walks(duration_ps: float):
    overestimate, lag_ps = mean_overestimate(duration_ps, 400)
    assert overestimate == pytest.approx(hidden_back_hop_factor(lag_ps), rel=0.08)
