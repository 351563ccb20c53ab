from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from superion.workflows.report.numbers import (
    format_bound,
    format_duration,
    format_interval,
    format_list,
    format_number,
    format_with_error,
    power_of_ten,
)

_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read_back(text: str) -> float:
    mantissa, _, power = text.partition(" × 10")
    return float(mantissa) * 10.0 ** (int(power.translate(_RAISED)) if power else 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1.00"),
        (9.999, "10.0"),
        (0.00012345, "1.23 × 10⁻⁴"),
        (0.0012345, "0.00123"),
        (9999.0, "1.00 × 10⁴"),
        (-5.5e-7, "-5.50 × 10⁻⁷"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
    ],
)
def test_a_number_keeps_three_digits(value, text):
    assert format_number(value) == text


@given(st.floats(1e-30, 1e30), st.integers(2, 6))
def test_what_is_written_can_be_read_back(value, digits):
    assert read_back(format_number(value, digits)) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.25814, 0.01683, "0.258 ± 0.017"),
        (1.34567e-5, 1.2e-6, "(1.35 ± 0.12) × 10⁻⁵"),
        (1.0e-6, 3.0e-6, "(1.0 ± 3.0) × 10⁻⁶"),
        (123.4, 56.0, "123 ± 56"),
        (0.1, 0.0999, "0.10 ± 0.10"),
        (2.0e-5, None, "2.00 × 10⁻⁵"),
        (None, 1.0, "–"),
    ],
)
def test_value_and_error_end_at_the_same_digit(value, error, text):
    assert format_with_error(value, error) == text


@given(st.floats(1e-12, 1e12), st.floats(0.001, 3.0))
def test_value_and_error_have_the_same_decimals(value, relative):
    text = format_with_error(value, relative * value)
    left, right = re.sub(r"[()]| × .*", "", text).split(" ± ")
    decimals = [len(part.partition(".")[2]) for part in (left, right)]
    assert decimals[0] == decimals[1]


def test_an_interval_shares_its_power_of_ten():
    assert format_interval((0.687, 1.699)) == "[0.687, 1.70]"
    assert format_interval((6.2e-9, 1.71e-8)) == "[0.620, 1.71] × 10⁻⁸"
    assert format_interval((0.0, 2.0e-8)) == "[0, 2.00] × 10⁻⁸"
    assert format_interval((1.0, math.inf)) == "[1.00, ∞]"
    assert format_interval(None) == "–"
    assert format_list((1.7e-5, 1.9e-5, 2.1e-5), 2) == "(1.7, 1.9, 2.1) × 10⁻⁵"


def test_bounds_powers_and_durations():
    assert format_bound(1.23e-7) == "< 1.2 × 10⁻⁷"
    assert format_bound(None) == "–"
    assert power_of_ten(-12) == "10⁻¹²"
    assert [format_duration(s) for s in (0.4, 75, 3900, 200000, None)] == [
        "0 s",
        "1 min 15 s",
        "1 h 05 min",
        "2 d 07 h",
        "–",
    ]
