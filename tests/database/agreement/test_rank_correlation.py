"""Rank correlations: scipy's without bounds; with bounds, what the order of pairs allows and no more."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from superion.database.agreement import count_pairs, order_scores, pair_signs, rank_correlations
from superion.database.agreement.bootstrap import bootstrap_weights

NUMBERS = st.one_of(st.sampled_from([-1.0, 0.0, 1.0, 2.0]), st.floats(-1e3, 1e3).map(lambda x: round(x, 6)))


@st.composite
def tables(draw, least: int = 2, most: int = 12):
    """Lower and upper ends of two quantities for the same rows: values, bounds, or ranges."""
    n = draw(st.integers(least, most))
    found = []
    for _ in range(2):
        ends = []
        for _ in range(n):
            number = draw(NUMBERS)
            kind = draw(st.sampled_from(["value", "value", "upper", "lower", "range"]))
            width = draw(st.floats(0.0, 10.0)) if kind == "range" else 0.0
            low = -np.inf if kind == "upper" else number
            high = np.inf if kind == "lower" else number + width
            ends.append((low, high))
        found.append(np.array(ends).T)
    return found


def signs_of(table):
    return [pair_signs(low, high) for low, high in table]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=20))
def test_without_bounds_it_is_scipy(pairs):
    x, y = np.array(pairs).T
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    found = rank_correlations(pair_signs(x, x), pair_signs(y, y))
    assert float(found.spearman_rho) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert float(found.kendall_tau) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    ranks = stats.rankdata(x)
    assert order_scores(pair_signs(x, x)) == pytest.approx(2.0 * ranks - len(x) - 1)


def test_a_weight_is_a_row_repeated():
    """The bootstrap multiplies matrices; it must give what scipy gives for the drawn rows."""
    generator = np.random.default_rng(5)
    x, y = generator.normal(size=(2, 15))
    y[3] = y[7]
    weights = bootstrap_weights(15, 50, generator)
    assert np.all(weights.sum(axis=1) == 15)
    found = rank_correlations(pair_signs(x, x), pair_signs(y, y), weights)
    for number, weight in enumerate(weights):
        rows = np.repeat(np.arange(15), weight.astype(int))
        assert found.spearman_rho[number] == pytest.approx(stats.spearmanr(x[rows], y[rows]).statistic, abs=1e-12)
        assert found.kendall_tau[number] == pytest.approx(stats.kendalltau(x[rows], y[rows]).statistic, abs=1e-12)


def test_many_orders_at_once_are_each_by_itself():
    generator = np.random.default_rng(6)
    low = generator.normal(size=(7, 9))
    high = low + generator.integers(0, 2, size=(7, 9)) * generator.random((7, 9))
    y = generator.normal(size=9)
    weights = bootstrap_weights(9, 7, generator)
    together = rank_correlations(pair_signs(low, high), pair_signs(y, y), weights)
    for number in range(7):
        alone = rank_correlations(pair_signs(low[number], high[number]), pair_signs(y, y), weights[number])
        assert together.spearman_rho[number] == pytest.approx(float(alone.spearman_rho), abs=1e-12)
        assert together.kendall_tau[number] == pytest.approx(float(alone.kendall_tau), abs=1e-12)


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, chance):
    order = list(range(table[0].shape[1]))
    chance.shuffle(order)
    first, second = signs_of(table)
    before = rank_correlations(first, second)
    after = rank_correlations(*signs_of([ends[:, order] for ends in table]))
    assert after.spearman_rho == pytest.approx(before.spearman_rho, nan_ok=True, abs=1e-12)
    assert after.kendall_tau == pytest.approx(before.kendall_tau, nan_ok=True, abs=1e-12)


@given(tables())
def test_they_lie_between_minus_one_and_one_and_turn_over_with_the_sign(table):
    first, second = signs_of(table)
    found, turned = rank_correlations(first, second), rank_correlations((-first).astype(np.int8), second)
    for value, opposite in ((found.spearman_rho, turned.spearman_rho), (found.kendall_tau, turned.kendall_tau)):
        assert np.isnan(value) or -1.0 <= float(value) <= 1.0
        assert opposite == pytest.approx(-value, nan_ok=True)
    assert np.isnan(found.spearman_rho) == (not first.any() or not second.any())
    itself = rank_correlations(first, first)
    assert np.isnan(itself.kendall_tau) or (float(itself.spearman_rho), float(itself.kendall_tau)) == (1.0, 1.0)


@given(tables())
def test_a_monotone_scale_changes_nothing(table):
    first, second = signs_of(table)
    # exactly monotone in floating point: halving does not round
    low, high = table[0]
    assert np.array_equal(pair_signs(low / 2.0, high / 2.0), first)
    whole = [np.searchsorted(np.unique(table[1]), ends).astype(float) ** 3 for ends in table[1]]
    assert np.array_equal(pair_signs(*whole), second)


@given(tables(), st.data())
def test_a_wider_bound_never_decides_more(table, data):
    first, second = signs_of(table)
    row = data.draw(st.integers(0, table[0].shape[1] - 1))
    wider = table[0].copy()
    wider[:, row] = wider[0, row] - data.draw(st.floats(0.0, 1e4)), wider[1, row] + data.draw(st.floats(0.0, 1e4))
    signs = pair_signs(*wider)
    assert np.all(np.abs(signs) <= np.abs(first))
    assert np.all(signs[signs != 0] == first[signs != 0])
    before, after = count_pairs(first, second), count_pairs(signs, second)
    assert after.n_decided <= before.n_decided
    assert after.n_decided_computed <= before.n_decided_computed
    assert after.n_decided_measured == before.n_decided_measured


@given(tables(most=5))
def test_scores_are_the_middle_of_the_ranks_that_a_row_can_have(table):
    """By trying all orders of the rows that the ranges allow."""
    low, high = table[0]
    signs = pair_signs(low, high)
    n = len(low)
    allowed = []
    for order in itertools.permutations(range(n)):
        place = {row: rank for rank, row in enumerate(order, start=1)}
        if all(place[i] > place[j] for i in range(n) for j in range(n) if signs[i, j] > 0):
            allowed.append([place[row] for row in range(n)])
    places = np.array(allowed)
    assert (order_scores(signs) + n + 1) / 2.0 == pytest.approx((places.min(axis=0) + places.max(axis=0)) / 2.0)


def test_bounds_by_hand():
    """Five rows; the last is measured below 1 and computed as 0.5, the fourth computed below 2."""
    computed = np.array([[5.0, 3.0, 1.0, -np.inf, 0.5], [5.0, 3.0, 1.0, 2.0, 0.5]])
    measured = np.array([[4.0, 9.0, 2.0, 3.0, -np.inf], [4.0, 9.0, 2.0, 3.0, 1.0]])
    first, second = signs_of([computed, measured])
    counts = count_pairs(first, second)
    # open: the fourth against the third and the fifth, by the computed values only
    assert (counts.n_pairs, counts.n_decided_computed, counts.n_decided_measured) == (10, 8, 10)
    assert (counts.n_decided, counts.n_concordant) == (8, 7)
    found = rank_correlations(first, second)
    assert float(found.kendall_tau) == pytest.approx((7 - 1) / np.sqrt(8 * 10))
    assert (order_scores(first) + 6) / 2 == pytest.approx([5.0, 4.0, 2.5, 2.0, 1.5])
    by_hand = np.corrcoef([5.0, 4.0, 2.5, 2.0, 1.5], [4.0, 5.0, 2.0, 3.0, 1.0])[0, 1]
    assert float(found.spearman_rho) == pytest.approx(by_hand)


def test_two_values_at_a_shared_bound_are_left_open():
    low, high = np.array([1.0, -np.inf, 1.0, 2.0]), np.array([1.0, 1.0, np.inf, 2.0])
    assert pair_signs(low, high).tolist() == [[0, 0, 0, -1], [0, 0, 0, -1], [0, 0, 0, 0], [1, 1, 0, 0]]


@pytest.mark.parametrize(
    ("low", "high"), [([1.0, 2.0], [1.0, 1.5]), ([np.nan, 1.0], [np.nan, 1.0]), ([1.0], [1.0, 2.0])]
)
def test_ranges_that_are_none(low, high):
    with pytest.raises(ValueError, match=r"lower end"):
        pair_signs(np.array(low), np.array(high))
