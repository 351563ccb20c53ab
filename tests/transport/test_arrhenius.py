"""The Arrhenius fit against published data, exact lines and known statistics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.constants import BOLTZMANN_EV_PER_K, BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C
from superion.errors import AnalysisError
from superion.transport.arrhenius import ArrheniusInput, fit_arrhenius

# D(T) of a Li garnet, 56 Li in a cube of 12.98 Å (test data of the MIT-licensed project mogroupumd/aimd).
GARNET = (
    (600, 1.24e-6, 3.40e-7),
    (650, 1.56e-6, 4.05e-7),
    (700, 2.13e-6, 5.57e-7),
    (720, 1.85e-6, 3.87e-7),
    (800, 3.51e-6, 7.00e-7),
    (900, 4.85e-6, 6.99e-7),
    (1050, 8.24e-6, 1.34e-6),
    (1200, 1.38e-5, 1.49e-6),
    (1500, 1.83e-5, 2.58e-6),
)


def conductivity_ms_cm(diffusivity_cm2_s: float, temperature_k: float) -> float:
    density_per_cm3 = 56 / (12.98e-8) ** 3
    siemens_per_cm = density_per_cm3 * ELEMENTARY_CHARGE_C**2 * diffusivity_cm2_s / (BOLTZMANN_J_PER_K * temperature_k)
    return 1e3 * siemens_per_cm


def garnet_points(as_conductivity: bool = False) -> list[ArrheniusInput]:
    factor = conductivity_ms_cm if as_conductivity else (lambda value, temperature: value)
    return [ArrheniusInput(t, factor(d, t), factor(e, t)) for t, d, e in GARNET]


def test_garnet_diffusivity_to_five_digits() -> None:
    fit = fit_arrhenius(garnet_points(), quantity="diffusivity_cm2_s")
    assert fit.activation_energy_ev == pytest.approx(0.25814, abs=5e-6)
    assert fit.activation_energy_error_ev == pytest.approx(0.01683, abs=5e-6)
    assert fit.extrapolated_value == pytest.approx(6.8075e-9, abs=5e-14)


def test_garnet_conductivity_to_five_digits() -> None:
    fit = fit_arrhenius(garnet_points(as_conductivity=True), quantity="nernst_einstein_ms_cm")
    assert fit.activation_energy_ev == pytest.approx(0.25814, abs=5e-6)
    assert fit.extrapolated_value == pytest.approx(1.0804, abs=5e-5)
    assert fit.extrapolated_interval_68 == pytest.approx((0.687, 1.699), abs=5e-4)
    assert fit.extrapolated_interval_95[0] < 0.687 < 1.699 < fit.extrapolated_interval_95[1]


def test_covariance_is_needed_for_the_interval() -> None:
    fit = fit_arrhenius(garnet_points(as_conductivity=True), quantity="nernst_einstein_ms_cm")
    beta = 1 / (BOLTZMANN_EV_PER_K * 300)
    (aa, ae), (_, ee) = fit.covariance
    with_covariance = math.sqrt(aa - 2 * beta * ae + beta**2 * ee)
    low, high = fit.extrapolated_interval_68
    assert 0.5 * math.log(high / low) == pytest.approx(with_covariance, rel=1e-6)
    assert math.sqrt(aa + beta**2 * ee) > 1.2 * with_covariance


def test_exact_line_is_recovered() -> None:
    points = [
        ArrheniusInput(t, 1e-3 * math.exp(-0.3 / (BOLTZMANN_EV_PER_K * t)), 1e-9 * t) for t in (500, 700, 900, 1100)
    ]
    fit = fit_arrhenius(points, quantity="diffusivity_cm2_s", extrapolation_temperature_k=400)
    assert fit.activation_energy_ev == pytest.approx(0.3, rel=1e-9)
    assert fit.log_prefactor == pytest.approx(math.log(1e-3), rel=1e-9)
    assert fit.extrapolated_value == pytest.approx(1e-3 * math.exp(-0.3 / (BOLTZMANN_EV_PER_K * 400)), rel=1e-9)
    assert fit.reduced_chi_squared == pytest.approx(0, abs=1e-12)
    assert fit.curvature.verdict == "no_curvature_found"
    assert fit.flags == ()


@given(st.permutations(range(9)))
@settings(max_examples=20, deadline=None)
def test_order_of_points_does_not_matter(order: list[int]) -> None:
    points = garnet_points()
    shuffled = fit_arrhenius([points[i] for i in order], quantity="diffusivity_cm2_s")
    assert shuffled == fit_arrhenius(points, quantity="diffusivity_cm2_s")


@given(st.floats(1e-6, 1e6))
@settings(max_examples=20, deadline=None)
def test_unit_of_the_quantity_only_scales(scale: float) -> None:
    plain = fit_arrhenius(garnet_points(), quantity="diffusivity_cm2_s")
    scaled = fit_arrhenius(
        [ArrheniusInput(t, scale * d, scale * e) for t, d, e in GARNET], quantity="diffusivity_cm2_s"
    )
    assert scaled.activation_energy_ev == pytest.approx(plain.activation_energy_ev, rel=1e-9)
    assert scaled.extrapolated_interval_68 == pytest.approx(
        tuple(scale * bound for bound in plain.extrapolated_interval_68), rel=1e-9
    )


def test_two_temperatures_give_an_exact_line_with_propagated_error() -> None:
    cold, hot = ArrheniusInput(600, 1e-6, 2e-7), ArrheniusInput(1000, 1e-5, 1e-6)
    fit = fit_arrhenius([hot, cold], quantity="diffusivity_cm2_s")
    span = (1 / 600 - 1 / 1000) / BOLTZMANN_EV_PER_K
    assert fit.activation_energy_ev == pytest.approx(math.log(10) / span)
    assert fit.activation_energy_error_ev == pytest.approx(math.hypot(0.2, 0.1) / span)
    assert fit.reduced_chi_squared is None
    assert fit.curvature.verdict == "untestable"
    assert any("Two temperatures" in flag for flag in fit.flags)


@pytest.mark.parametrize("temperatures", [[600.0], [600.0, 600.0]])
def test_one_temperature_gives_no_line_and_says_so(temperatures: list[float]) -> None:
    fit = fit_arrhenius([ArrheniusInput(t, 1e-6, 1e-7) for t in temperatures], quantity="diffusivity_cm2_s")
    assert fit.activation_energy_ev is None
    assert fit.extrapolated_value is None
    assert fit.curvature.verdict == "untestable"
    assert "Only one usable temperature" in fit.flags[0]


def test_three_temperatures_leave_curvature_untestable() -> None:
    assert fit_arrhenius(garnet_points()[:3], quantity="diffusivity_cm2_s").curvature.verdict == "untestable"


def bent_points(bend: float, n: int = 5) -> list[ArrheniusInput]:
    x = np.linspace(-1, 1, n)
    temperature = 1 / (1 / 800 + x * (1 / 600 - 1 / 800))
    value = np.exp(-14 - 2.5 * x + bend * x**2)
    return [ArrheniusInput(float(t), float(v), 0.1 * float(v)) for t, v in zip(temperature, value, strict=True)]


@pytest.mark.parametrize(("bend", "direction"), [(0.8, "upward"), (-0.8, "downward")])
def test_curvature_is_found_and_flagged(bend: float, direction: str) -> None:
    fit = fit_arrhenius(bent_points(bend), quantity="diffusivity_cm2_s")
    assert fit.curvature.verdict == "curved"
    assert fit.curvature.p_value < 0.05
    assert direction in fit.curvature.note
    assert fit.curvature.note in fit.flags


def test_curvature_false_alarms_are_one_in_twenty() -> None:
    generator = np.random.default_rng(7)
    n_draws = 2000
    noise = generator.normal(0, 0.1, (n_draws, 5))
    verdicts = [
        fit_arrhenius(
            [
                ArrheniusInput(p.temperature_k, p.value * math.exp(e), 0.1 * p.value * math.exp(e))
                for p, e in zip(bent_points(0), row, strict=True)
            ],
            quantity="diffusivity_cm2_s",
        ).curvature.verdict
        for row in noise
    ]
    assert 0.035 < np.mean([verdict == "curved" for verdict in verdicts]) < 0.065


def test_excluded_points_are_carried_with_reasons_and_do_not_count() -> None:
    melted = ArrheniusInput(2000, 1e-3, 1e-4, exclusion_reason="the framework melted")
    bound = ArrheniusInput(400, None, None, upper_bound_95=1e-6)
    fit = fit_arrhenius([*garnet_points(), melted, bound], quantity="diffusivity_cm2_s")
    plain = fit_arrhenius(garnet_points(), quantity="diffusivity_cm2_s")
    assert fit.activation_energy_ev == plain.activation_energy_ev
    excluded = {point.temperature_k: point.exclusion_reason for point in fit.points if not point.used}
    assert excluded == {2000: "the framework melted", 400: "only an upper bound is known"}
    assert fit.flags == ()


@pytest.mark.parametrize("quantity", ["diffusivity_cm2_s", "collective_ms_cm"])
def test_line_above_an_upper_bound_is_flagged(quantity: str) -> None:
    points = garnet_points(as_conductivity=quantity == "collective_ms_cm")
    at_500 = fit_arrhenius(points, quantity=quantity, extrapolation_temperature_k=500).extrapolated_value
    for factor, expected in ((1.01, 0), (0.99, 1)):
        bound = ArrheniusInput(500, None, None, upper_bound_95=factor * at_500)
        fit = fit_arrhenius([*points, bound], quantity=quantity)
        assert sum("exceeds the 95 % upper bound" in flag for flag in fit.flags) == expected


def test_scatter_beyond_the_errors_is_flagged() -> None:
    points = [ArrheniusInput(t, d * (3 if i % 2 else 1), 0.05 * d) for i, (t, d, _) in enumerate(GARNET)]
    fit = fit_arrhenius(points, quantity="diffusivity_cm2_s")
    assert fit.reduced_chi_squared > 2
    assert any("scatter more than their errors" in flag for flag in fit.flags)


def test_falling_diffusivity_is_flagged_and_not_extrapolated() -> None:
    points = [ArrheniusInput(600, 2e-6, 1e-7), ArrheniusInput(900, 1e-6, 1e-7)]
    fit = fit_arrhenius(points, quantity="diffusivity_cm2_s")
    assert any("not positive" in flag for flag in fit.flags)
    assert any("Nothing is extrapolated to 300 K" in flag for flag in fit.flags)
    assert fit.activation_energy_ev < 0
    assert fit.extrapolated_value is fit.extrapolated_interval_68 is fit.extrapolated_interval_95 is None
    between = fit_arrhenius(points, quantity="diffusivity_cm2_s", extrapolation_temperature_k=700)
    assert 1e-6 < between.extrapolated_value < 2e-6


@given(st.lists(st.floats(1e-8, 1e-3), min_size=2, max_size=5))
def test_what_is_extrapolated_to_the_cold_is_slower_than_at_the_coldest_point_of_the_line(values: list[float]) -> None:
    points = [ArrheniusInput(600 + 100 * i, value, 0.2 * value) for i, value in enumerate(values)]
    fit = fit_arrhenius(points, quantity="diffusivity_cm2_s")
    if fit.extrapolated_value is None:
        assert fit.activation_energy_ev <= 0
    else:
        coldest = fit_arrhenius(points, quantity="diffusivity_cm2_s", extrapolation_temperature_k=600)
        assert fit.activation_energy_ev > 0
        assert fit.extrapolated_value < coldest.extrapolated_value * (1 + 1e-9)


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (ArrheniusInput(-1, 1e-6, 1e-7), "temperature"),
        (ArrheniusInput(600, -1e-6, 1e-7), "value"),
        (ArrheniusInput(600, 1e-6, 0), "standard error"),
        (ArrheniusInput(600, 1e-6, None), "standard error"),
        (ArrheniusInput(600, math.nan, 1e-7), "value"),
        (ArrheniusInput(600, 1e-6, 1e-7, degrees_of_freedom=0), "degrees of freedom"),
        (ArrheniusInput(600, 1e-6, 1e-7, counting_share=1.5), "counting share"),
    ],
)
def test_nonsense_is_one_clear_sentence(point: ArrheniusInput, words: str) -> None:
    with pytest.raises(AnalysisError, match=words) as caught:
        fit_arrhenius([point, *garnet_points()], quantity="diffusivity_cm2_s")
    assert "\n" not in str(caught.value)


def test_no_points_and_no_target_temperature() -> None:
    with pytest.raises(AnalysisError, match="at least one temperature"):
        fit_arrhenius([], quantity="diffusivity_cm2_s")
    with pytest.raises(AnalysisError, match="extrapolation temperature"):
        fit_arrhenius(garnet_points(), quantity="diffusivity_cm2_s", extrapolation_temperature_k=0)


def interval_coverage(temperatures: list[float], dof: list[float], n_draws: int, seed: int) -> tuple[float, float]:
    """Fraction of synthetic σ(300 K) whose truth lies in the 68 % and the 95 % interval; one not claimed is a miss."""
    generator = np.random.default_rng(seed)
    barrier, prefactor = 0.25, 1e6
    truth = prefactor * math.exp(-barrier / (BOLTZMANN_EV_PER_K * 300)) / 300
    hits = np.zeros(2)
    for _ in range(n_draws):
        points = []
        for t, nu in zip(temperatures, dof, strict=True):
            value = prefactor * math.exp(-barrier / (BOLTZMANN_EV_PER_K * t)) / t * generator.chisquare(nu) / nu
            points.append(ArrheniusInput(t, value, value * math.sqrt(2 / nu), degrees_of_freedom=nu))
        fit = fit_arrhenius(points, quantity="nernst_einstein_ms_cm")
        if fit.extrapolated_value is None:
            continue
        for i, interval in enumerate((fit.extrapolated_interval_68, fit.extrapolated_interval_95)):
            hits[i] += interval[0] <= truth <= interval[1]
    return tuple(hits / n_draws)


def test_counted_events_do_not_pull_the_line_up() -> None:
    """Poisson counts, whose observed relative error is large where the count is low by chance."""
    generator = np.random.default_rng(8)
    temperatures, expected = np.array([600.0, 750.0, 900.0, 1100.0]), np.array([12.0, 25.0, 50.0, 100.0])
    slope, log_prefactor = np.polyfit(-1 / (BOLTZMANN_EV_PER_K * temperatures), np.log(expected), 1)
    expected = np.exp(log_prefactor - slope / (BOLTZMANN_EV_PER_K * temperatures))
    truth = log_prefactor - slope / (BOLTZMANN_EV_PER_K * 300)
    deviations: dict[float, list[float]] = {0.0: [], 1.0: []}
    hits = np.zeros(2)
    draws = np.maximum(generator.poisson(expected, (1500, 4)), 3)
    for counts in draws:
        for share, found in deviations.items():
            points = [
                ArrheniusInput(float(t), float(n), math.sqrt(n), degrees_of_freedom=2.0 * n, counting_share=share)
                for t, n in zip(temperatures, counts, strict=True)
            ]
            fit = fit_arrhenius(points, quantity="diffusivity_cm2_s")
            low, high = np.log(fit.extrapolated_interval_68)
            found.append((math.log(fit.extrapolated_value) - truth) / (0.5 * (high - low)))
            if share == 1.0:
                hits[0] += low <= truth <= high
                hits[1] += fit.extrapolated_interval_95[0] <= math.exp(truth) <= fit.extrapolated_interval_95[1]
    assert abs(np.mean(deviations[1.0])) < 0.12 < np.mean(deviations[0.0])
    assert 0.64 <= hits[0] / len(draws) <= 0.72
    assert 0.93 <= hits[1] / len(draws) <= 0.97


@pytest.mark.parametrize(
    ("temperatures", "dof"),
    [
        ([600, 800, 1000], [8, 20, 40]),
        ([600, 800, 1000], [4, 4, 4]),
        ([700, 1000], [6, 30]),
        ([600, 700, 800, 900, 1000, 1200], [5, 10, 20, 40, 80, 160]),
        ([600, 800, 1000, 1200], [200, 200, 200, 200]),
    ],
)
def test_intervals_of_the_extrapolation_are_calibrated(temperatures: list[float], dof: list[float]) -> None:
    in_68, in_95 = interval_coverage(temperatures, dof, n_draws=1000, seed=20)
    assert 0.64 <= in_68 <= 0.72
    assert 0.93 <= in_95 <= 0.97
