"""Errors of values, bounds apart, beside a constant that never saw what it predicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from superion.database.agreement import value_errors
from superion.database.properties import PROPERTIES, PropertyEstimate

SIGMA, BARRIER = PROPERTIES["sigma_300k_ms_cm"], PROPERTIES["activation_energy_ev"]


def value(number):
    return PropertyEstimate(value=number)


def bound(side, limit):
    return PropertyEstimate(bound=side, limit=limit)


def test_errors_are_in_decades_and_the_constant_leaves_one_out():
    generator = np.random.default_rng(1)
    measured = generator.normal(-2.0, 2.0, 30)
    computed = measured + generator.normal(0.4, 0.5, 30)
    found = value_errors([value(10.0**x) for x in computed], [value(10.0**y) for y in measured], SIGMA)
    errors = computed - measured
    assert (found.unit, found.n) == ("log10", 30)
    assert found.root_mean_square.value == pytest.approx(math.sqrt(np.mean(errors**2)))
    assert found.median_absolute.value == pytest.approx(np.median(np.abs(errors)))
    assert found.mean.value == pytest.approx(errors.mean())
    constant = [np.delete(measured, row).mean() - measured[row] for row in range(30)]
    assert found.constant_root_mean_square == pytest.approx(math.sqrt(np.mean(np.square(constant))))
    assert found.constant_median_absolute == pytest.approx(np.median(np.abs(constant)))
    for number in (found.root_mean_square, found.median_absolute, found.mean, found.root_mean_square_difference):
        assert number.interval_95[0] < number.value < number.interval_95[1]
    assert found.root_mean_square_difference.interval_95[1] < 0.0


def test_bounds_are_kept_or_violated_and_no_part_of_the_errors():
    values = [value(1.0), value(10.0), value(0.1)]
    pairs = [
        (value(1e-3), bound("upper", 1e-2)),  # kept
        (value(1.0), bound("upper", 1e-2)),  # violated by two decades
        (bound("upper", 1e-4), value(1e-1)),  # violated by three
        (bound("upper", 1.0), bound("upper", 1e-9)),  # nothing to violate
        (bound("lower", 1.0), bound("upper", 0.5)),  # violated by 0.3
        (value(0.0), value(1.0)),  # has no logarithm
    ]
    alone = value_errors(values, values[::-1], SIGMA)
    found = value_errors([*values, *(x for x, _ in pairs)], [*values[::-1], *(y for _, y in pairs)], SIGMA)
    assert (found.n, found.n_bounds, found.n_bounds_violated, found.n_without_logarithm) == (3, 5, 3, 1)
    assert found.greatest_violation == pytest.approx(3.0)
    assert found.root_mean_square == alone.root_mean_square
    assert found.constant_root_mean_square == alone.constant_root_mean_square


def test_a_linear_property_keeps_its_unit():
    found = value_errors([value(0.2), value(0.3), value(-0.1)], [value(0.25), value(0.25), value(0.0)], BARRIER)
    assert (found.unit, found.n) == ("eV", 3)
    assert found.mean.value == pytest.approx(-0.1 / 3)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_values_have_no_interval_and_no_constant(n):
    found = value_errors([value(2.0)] * n, [value(1.0)] * n, SIGMA)
    assert found.n == n
    assert found.root_mean_square.interval_95 is None
    assert found.constant_root_mean_square is None
    assert found.root_mean_square_difference.value is None
    assert (found.root_mean_square.value is None) == (n == 0)


def test_the_constant_wins_where_computed_values_are_noise():
    generator = np.random.default_rng(2)
    measured, computed = generator.normal(size=(2, 40))
    found = value_errors([value(10.0**x) for x in 3 * computed], [value(10.0**y) for y in measured], SIGMA)
    assert found.root_mean_square_difference.interval_95[0] > 0.0
