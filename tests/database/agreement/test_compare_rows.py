"""From rows to a comparison: which rows count, which are listed, and what is said of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from superion.database.agreement import agreement_in_words, compare_rows
from superion.database.properties import PropertyEstimate
from superion.errors import SettingsError
from support.candidate_rows import make_row

SIGMA, GREATEST, PROBE = "sigma_300k_ms_cm", "greatest_sigma_300k_ms_cm", "probe_diffusivity_cm2_s"
DENSITY, BARRIER, CHANGE = "mobile_ion_density_per_angstrom3", "percolation_barrier_1d_ev", "volume_change_percent"


def value(number, factor=None):
    interval = None if factor is None else (number / factor, number * factor)
    return PropertyEstimate(value=number, interval_68=interval)


def below(limit):
    return PropertyEstimate(bound="upper", limit=limit)


def table(n=15, seed=3, noise=0.7, factor=None):
    """Rows with σ that follows the measured one, a barrier that falls with it and a density that knows nothing."""
    generator = np.random.default_rng(seed)
    measured = generator.normal(-2.0, 2.0, n)
    computed = measured + noise * generator.normal(size=n)
    return [
        make_row(
            number,
            status="done",
            measured={SIGMA: value(10.0 ** measured[number])},
            properties={
                SIGMA: value(10.0 ** computed[number], factor),
                BARRIER: value(0.5 - 0.1 * measured[number] + 0.3 * generator.normal()),
                DENSITY: value(generator.random()),
            },
        )
        for number in range(n)
    ]


def numbers(rows, name, where="properties"):
    return [getattr(row, where)[name].value for row in rows]


def quick(rows, *names, **options):
    return compare_rows(rows, *names, **{"n_bootstrap": 200, "n_permutations": 200, **options})


def test_without_bounds_every_coefficient_is_scipys():
    rows = table()
    report = quick(rows, baselines=[BARRIER, DENSITY])
    truth = numbers(rows, SIGMA, "measured")
    agreements = [report.agreement, *(entry.agreement for entry in report.baselines)]
    for agreement, sign in zip(agreements, (1, -1, 1), strict=True):
        ours = numbers(rows, agreement.property)
        assert agreement.direction == sign
        assert agreement.spearman_rho.value == pytest.approx(sign * stats.spearmanr(ours, truth).statistic)
        assert agreement.kendall_tau.value == pytest.approx(sign * stats.kendalltau(ours, truth).statistic)
        assert (agreement.n, agreement.pairs.n_decided) == (15, 105)
    for entry, agreement in zip(report.baselines, agreements[1:], strict=True):
        assert entry.n_common == 15
        assert entry.common_rho == agreement.spearman_rho.value
        expected = agreements[0].spearman_rho.value - agreement.spearman_rho.value
        assert entry.rho_difference.value == pytest.approx(expected)
    assert report.errors.n == 15
    assert not report.missing
    assert not report.notes


@settings(max_examples=10)
@given(st.permutations(table(n=8)))
def test_the_order_of_rows_does_not_matter(rows):
    assert quick(rows) == quick(sorted(rows, key=lambda row: row.key))


def test_the_seed_decides_and_nothing_else():
    rows = table()
    assert quick(rows, seed=1) == quick(rows, seed=1)
    one, other = quick(rows, seed=1), quick(rows, seed=2)
    assert one.agreement.spearman_rho.interval_95 != other.agreement.spearman_rho.interval_95
    assert one.agreement.spearman_rho.value == other.agreement.spearman_rho.value


def test_each_row_is_compared_or_listed_with_its_reason():
    rows = table(n=12)
    changes = [
        {"properties": {}, "status": "rejected", "stage": "probe", "reason": "D is at most 1e-6 cm2/s"},
        {"properties": {PROBE: below(1e-6)}, "status": "rejected", "stage": "probe", "reason": "too slow"},
        {"properties": {SIGMA: value(math.inf)}},
        {"properties": {}, "status": "running", "stage": "relax"},
        {"properties": {}, "status": "done"},
        {"measured": {}},
        {"measured": {SIGMA: below(1e-6)}},
        {"properties": {SIGMA: below(1e-3)}, "status": "rejected", "stage": "conductivity", "reason": "too slow"},
    ]
    rows[: len(changes)] = [row.model_copy(update=change) for row, change in zip(rows, changes, strict=False)]
    report = quick(rows, baselines=[])
    assert (report.n_rows, report.n_measured, report.agreement.n) == (12, 11, 6)
    assert (report.agreement.n_bounds, report.agreement.n_measured_bounds) == (1, 1)
    assert [row.reason for row in report.missing] == [
        "rejected at probe: D is at most 1e-6 cm2/s",
        "rejected at probe: too slow",
        "its computed value is not finite",
        "running at relax",
        "went through all stages without it",
    ]
    assert report.agreement.n + len(report.missing) == report.n_measured
    assert any("with n = 6" in note for note in report.notes)
    assert any("still to be computed: 1 row;" in note for note in report.notes)
    assert any("without a computed value: 2 rows;" in note for note in report.notes)
    probed = quick(rows, PROBE, baselines=[])
    assert (probed.agreement.n, probed.agreement.n_bounds, probed.errors) == (1, 1, None)


def test_a_bound_of_the_probe_may_stand_in():
    rows = table(n=12)
    rows[0] = rows[0].model_copy(update={"properties": {GREATEST: below(1e-9)}, "status": "rejected"})
    rows[1].properties[GREATEST] = below(1e4)
    assert quick(rows).agreement.n == 11
    report = quick(rows, stand_in=GREATEST)
    assert (report.agreement.n, report.agreement.n_bounds, report.n_stand_ins) == (12, 1, 1)
    assert report.agreement.pairs.n_decided == 66
    assert not report.missing
    with pytest.raises(SettingsError, match=r"cannot stand in for sigma_300k_ms_cm, which is in mS/cm"):
        quick(rows, stand_in=PROBE)


def test_a_baseline_has_its_own_rows_and_is_compared_over_the_common_ones():
    rows = table(n=14)
    for row in rows[:4]:
        del row.properties[SIGMA]
    del rows[13].properties[BARRIER]
    report = quick(rows, baselines=[BARRIER])
    (entry,) = report.baselines
    assert (report.agreement.n, entry.agreement.n, entry.n_common) == (10, 13, 9)
    common = rows[4:13]
    truth = numbers(common, SIGMA, "measured")
    assert entry.common_computed_rho == pytest.approx(stats.spearmanr(numbers(common, SIGMA), truth).statistic)
    assert entry.common_rho == pytest.approx(-stats.spearmanr(numbers(common, BARRIER), truth).statistic)


def test_a_property_against_itself_differs_by_nothing():
    """Both must see the same samples; else the interval of the difference would not be zero."""
    for redraw in (False, True):
        rows = table(factor=3.0)
        (entry,) = quick(rows, baselines=[SIGMA], redraw_errors=redraw).baselines
        assert entry.rho_difference.interval_95 == (0.0, 0.0)
        assert entry.tau_difference.interval_95 == (0.0, 0.0)


def test_redrawn_errors_widen_the_intervals_and_leave_the_coefficients():
    rows = table(n=30, noise=0.1, factor=30.0)
    plain, redrawn = quick(rows), quick(rows, redraw_errors=True)
    assert plain.agreement.spearman_rho.value == redrawn.agreement.spearman_rho.value
    narrow, wide = (report.agreement.spearman_rho.interval_95 for report in (plain, redrawn))
    assert wide[1] - wide[0] > narrow[1] - narrow[0]
    assert wide[0] < narrow[0]
    without = table(n=30, noise=0.1)
    assert quick(without, redraw_errors=True) == replace(quick(without), with_errors_redrawn=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"computed": "sgima"}, "There is no property 'sgima'"),
        ({"measured": "nothing"}, "There is no property 'nothing'"),
        ({"baselines": ["nothing"]}, "There is no property 'nothing'"),
        ({"baselines": [CHANGE]}, "Neither end of 'volume_change_percent' is better"),
        ({"stand_in": "nothing"}, "There is no property 'nothing'"),
        ({"n_bootstrap": 99}, "99 bootstrap samples say nothing"),
        ({"n_permutations": 0}, "0 permutations say nothing"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, message):
    with pytest.raises(SettingsError, match=message):
        compare_rows(table(n=4), **options)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_rows_have_no_correlation(n):
    report = quick(table(n=n))
    assert report.agreement.spearman_rho.value is None
    assert all(entry.rho_difference.value is None for entry in report.baselines)
    assert agreement_in_words(report).startswith(f"With n = {n} of {n} measured rows there is nothing to correlate")


def test_bounds_that_decide_nothing_leave_nothing_to_say():
    rows = [row.model_copy(update={"properties": {SIGMA: below(1e6)}}) for row in table(n=5)]
    report = quick(rows, baselines=[])
    assert report.agreement.pairs.n_decided == 0
    assert report.agreement.kendall_tau.value is None
    assert "leave no order to compare over the n = 5 rows" in agreement_in_words(report)


def test_words_follow_the_numbers():
    good = quick(table(n=40), baselines=[BARRIER, DENSITY])
    said = agreement_in_words(good)
    assert "Over n = 40 of 40 measured materials" in said
    assert "The order agrees better than by chance" in said
    assert "gives a better order than density of mobile ions" in said
    assert "better than a constant" in said
    rows = table(n=40)
    for row, other in zip(rows, table(n=40, seed=4), strict=True):
        row.properties[SIGMA] = value(other.properties[SIGMA].value)
    said = agreement_in_words(quick(rows, baselines=[BARRIER]))
    assert "No agreement in order is shown, and none is ruled out" in said
    assert "gives a worse order than 1D bond-valence barrier" in said
    assert "worse than a constant" in said
    for row in rows:
        row.properties[SIGMA] = value(1.0 / row.measured[SIGMA].value)
    assert "The order is opposite to what was expected" in agreement_in_words(quick(rows, baselines=[]))
