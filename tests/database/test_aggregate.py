"""From orderings to the candidate."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from superion.database.aggregate import aggregate_estimates, aggregate_properties
from superion.database.properties import PropertyEstimate

SIGMA, EA, ENERGY, HULL = (
    "sigma_300k_ms_cm",
    "activation_energy_ev",
    "energy_ev_per_atom",
    "energy_above_hull_ev_per_atom",
)


def plain(number, factor=None):
    return PropertyEstimate(value=number, interval_68=(number / factor, number * factor) if factor else None)


def upper(limit):
    return PropertyEstimate(bound="upper", limit=limit)


def lower(limit):
    return PropertyEstimate(bound="lower", limit=limit)


def test_one_ordering_stays_as_it_is():
    assert aggregate_estimates(SIGMA, [plain(3.0, 2.0)]) == plain(3.0, 2.0)


def test_the_spread_adds_in_full_and_the_noise_by_its_root():
    alike = aggregate_estimates(SIGMA, [plain(1.0, 2.0)] * 4)
    assert math.log(alike.interval_68[1]) == pytest.approx(math.log(2.0) / 2)
    apart = aggregate_estimates(SIGMA, [plain(1.0), plain(math.e**2)])
    assert apart.value == pytest.approx(math.e)
    assert math.log(apart.interval_68[1]) - 1 == pytest.approx(math.sqrt(2))
    # noise of 1 explains half of a variance of 2
    both = aggregate_estimates(SIGMA, [plain(1.0, math.e), plain(math.e**2, math.e)])
    assert math.log(both.interval_68[1]) - 1 == pytest.approx(math.sqrt(1 / 2 + 1))


@pytest.mark.parametrize(
    ("name", "estimates", "expected"),
    [
        (SIGMA, [upper(1.0), upper(100.0)], upper(10.0)),
        (SIGMA, [plain(1.0), upper(100.0)], upper(10.0)),
        (SIGMA, [lower(1.0), plain(100.0)], lower(10.0)),
        (SIGMA, [lower(1.0), upper(100.0)], None),
        (SIGMA, [plain(0.0), plain(1.0)], None),
        (EA, [upper(0.2), plain(0.4)], upper(0.3)),
        (ENERGY, [plain(-1.0), plain(-2.0)], plain(-2.0)),
        (HULL, [lower(0.1), lower(0.05)], lower(0.05)),
        (HULL, [lower(0.1), plain(0.05)], plain(0.05)),
        (HULL, [lower(0.01), plain(0.05)], lower(0.01)),
        (HULL, [upper(0.1), plain(0.05)], upper(0.05)),
    ],
    ids=str,
)
def test_bounds_stay_bounds(name, estimates, expected):
    for order in (estimates, estimates[::-1]):
        found = aggregate_estimates(name, order)
        if expected is None:
            assert found is None
            continue
        assert found.bound == expected.bound
        for got, wanted in ((found.value, expected.value), (found.limit, expected.limit)):
            assert (got is None) == (wanted is None)
            assert got is None or got == pytest.approx(wanted)


NUMBERS = st.floats(1e-6, 1e3)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from(["value", "upper", "lower"])), min_size=1, max_size=5))
def test_what_is_claimed_is_never_wrong(drawn):
    """Whatever the orderings' truths are within their bounds, their log-mean lies within what is claimed."""
    estimates = [
        {"value": plain, "upper": upper, "lower": lower}[kind](truth if kind == "value" else limit)
        for truth, limit, kind in drawn
    ]
    truths = [
        truth if kind == "value" else min(truth, limit) if kind == "upper" else max(truth, limit)
        for truth, limit, kind in drawn
    ]
    found = aggregate_estimates(SIGMA, estimates)
    mean = math.exp(math.fsum(map(math.log, truths)) / len(truths))
    if found is not None and found.bound == "upper":
        assert mean <= found.limit * (1 + 1e-9)
    elif found is not None and found.bound == "lower":
        assert mean >= found.limit * (1 - 1e-9)
    elif found is not None:
        assert found.value == pytest.approx(mean)


def test_gaps_are_said():
    found = aggregate_properties([{SIGMA: lower(1.0), ENERGY: plain(-1.0)}, {SIGMA: upper(2.0)}])
    assert set(found.properties) == {ENERGY}
    assert found.properties[ENERGY].value == -1.0
    assert any(SIGMA in note for note in found.notes)
    assert any("1 of 2" in note for note in found.notes)
