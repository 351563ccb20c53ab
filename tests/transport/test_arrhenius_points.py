"""From analysed runs to Arrhenius points, with real results of synthetic walks."""

import numpy as np
import pytest
from superion.transport.analysis import analyze_diffusion
from superion.transport.arrhenius import fit_arrhenius
from superion.transport.arrhenius_points import arrhenius_inputs
from superion.transport.results import DiffusionResult
from superion.transport.synthetic import gaussian_walk


@pytest.fixture(scope="module")
def results() -> list[DiffusionResult]:
    generator = np.random.default_rng(9)
    found = []
    for temperature in (600.0, 800.0, 1000.0):
        diffusivity = 1e-3 * np.exp(-0.25 / (8.617333262e-5 * temperature))
        walk = gaussian_walk(generator, n_ions=24, n_frames=3000, diffusivity_cm2_s=diffusivity)
        run = walk.as_run(temperature_k=temperature)
        found.append(analyze_diffusion([run], mobile_ion="Li", ion_charge=1.0))
    return found


def test_points_carry_value_error_and_degrees_of_freedom(results: list[DiffusionResult]) -> None:
    for point, result in zip(arrhenius_inputs(results, "diffusivity_cm2_s"), results, strict=True):
        assert point.value == result.tracer.value_cm2_s
        assert point.standard_error == pytest.approx(result.tracer.standard_error_cm2_s)
        assert point.degrees_of_freedom == result.tracer.degrees_of_freedom
        assert point.exclusion_reason is None


def test_diffusivity_and_conductivity_are_the_same_line(results: list[DiffusionResult]) -> None:
    one = fit_arrhenius(arrhenius_inputs(results, "diffusivity_cm2_s"), quantity="diffusivity_cm2_s")
    two = fit_arrhenius(arrhenius_inputs(results, "nernst_einstein_ms_cm"), quantity="nernst_einstein_ms_cm")
    assert two.activation_energy_ev == pytest.approx(one.activation_energy_ev)
    assert two.activation_energy_error_ev == pytest.approx(one.activation_energy_error_ev)
    assert abs(one.activation_energy_ev - 0.25) < 4 * one.activation_energy_error_ev


def test_collective_points_come_from_the_charge_diffusivity(results: list[DiffusionResult]) -> None:
    for point, result in zip(arrhenius_inputs(results, "collective_ms_cm"), results, strict=True):
        assert point.value == result.collective.value_ms_cm
        assert point.degrees_of_freedom == result.charge.degrees_of_freedom
        assert point.upper_bound_95 == result.collective.upper_bound_95_ms_cm


def test_withheld_and_unusable_temperatures_keep_reason_and_bound(results: list[DiffusionResult]) -> None:
    generator = np.random.default_rng(3)
    frozen = gaussian_walk(generator, n_ions=24, n_frames=400, diffusivity_cm2_s=1e-9).as_run(temperature_k=400.0)
    cold = analyze_diffusion([frozen], mobile_ion="Li", ion_charge=1.0)
    assert cold.nernst_einstein.value_ms_cm is None
    melted = results[2].model_copy(update={"usable": False, "exclusion_reason": "the framework melted"})
    points = arrhenius_inputs([cold, *results[:2], melted], "nernst_einstein_ms_cm")
    assert points[0].exclusion_reason
    assert points[0].upper_bound_95 == cold.nernst_einstein.upper_bound_95_ms_cm
    assert points[3].exclusion_reason == "the framework melted"
    fit = fit_arrhenius(points, quantity="nernst_einstein_ms_cm")
    assert [point.used for point in fit.points] == [False, True, True, False]
