"""Rules cut only what is certain, and do not care about order."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from superion.database.properties import PropertyEstimate
from superion.workflows.campaign.file.rule_entry import RuleEntry
from superion.workflows.selection.best import BestRule
from superion.workflows.selection.certain_range import certain_range
from superion.workflows.selection.rule import JudgedCandidate
from superion.workflows.selection.threshold import ThresholdRule

numbers = st.floats(-10.0, 10.0).map(lambda x: round(x, 2))


@st.composite
def estimates(draw):
    """A value with an interval or without, or a bound."""
    low, value, high = sorted([draw(numbers), draw(numbers), draw(numbers)])
    kind = draw(st.sampled_from(["exact", "interval", "upper", "lower", "unknown"]))
    if kind == "unknown":
        return None
    if kind in ("upper", "lower"):
        return PropertyEstimate(bound=kind, limit=value)
    return PropertyEstimate(value=value, interval_95=(low, high) if kind == "interval" else None)


class Rules(BaseModel):
    rules: list[RuleEntry]


def judged(rule, pool):
    """Let a rule compare candidates of which it knows one property, or none."""
    return rule.judge(
        {name: JudgedCandidate({} if estimate is None else {rule.by: estimate}) for name, estimate in pool.items()}
    )


@pytest.mark.parametrize(
    ("estimate", "kept", "is_certain"),
    [
        pytest.param(PropertyEstimate(value=0.04), True, True, id="exact-inside"),
        pytest.param(PropertyEstimate(value=0.05), True, True, id="exact-at-threshold"),
        pytest.param(PropertyEstimate(value=0.06), False, None, id="exact-outside"),
        pytest.param(PropertyEstimate(value=0.06, interval_95=(0.04, 0.08)), True, False, id="straddles"),
        pytest.param(PropertyEstimate(value=0.08, interval_95=(0.06, 0.1)), False, None, id="surely-outside"),
        pytest.param(PropertyEstimate(bound="lower", limit=0.06), False, None, id="lower-bound-outside"),
        pytest.param(PropertyEstimate(bound="lower", limit=0.0), True, False, id="lower-bound-is-never-proof"),
        pytest.param(PropertyEstimate(value=0.0, bound="lower", limit=0.0), True, False, id="value-beside-bound"),
        pytest.param(PropertyEstimate(bound="upper", limit=0.01), True, True, id="upper-bound-inside"),
        pytest.param(None, True, False, id="unknown"),
    ],
)
def test_threshold(estimate, kept, is_certain):
    rule = ThresholdRule(property="energy_above_hull_ev_per_atom", at_most=0.05)
    verdict = rule.verdict_on(estimate)
    assert verdict.kept == kept
    if kept:
        assert (verdict.note is None) == is_certain
    else:
        assert "0.05 eV/atom" in verdict.reason


@given(estimates(), numbers)
def test_a_threshold_and_its_opposite_never_cut_both(estimate, limit):
    """What is certainly on one side is kept by one of the two rules; what straddles by both."""
    above = ThresholdRule(property="percolation_barrier_3d_ev", at_least=limit).verdict_on(estimate)
    below = ThresholdRule(property="percolation_barrier_3d_ev", at_most=limit).verdict_on(estimate)
    assert above.kept or below.kept
    low, high = certain_range(estimate)
    assert (above.kept and below.kept) == (low <= limit <= high)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), estimates(), min_size=1, max_size=12), st.data())
def test_best_keeps_whoever_may_be_among_the_best(pool, data):
    n = data.draw(st.integers(1, 12))
    rule = BestRule(keep_best=n, by="sigma_300k_ms_cm")
    verdicts = judged(rule, pool)
    shuffled = data.draw(st.permutations(sorted(pool)))
    assert judged(rule, {name: pool[name] for name in shuffled}) == verdicts
    assert sum(verdict.kept for verdict in verdicts.values()) >= min(n, len(pool))
    for name, verdict in verdicts.items():
        best = certain_range(pool[name])[1]
        surely_better = sum(certain_range(other)[0] > best for other in pool.values())
        assert verdict.kept == (surely_better < n)


def test_lower_is_better_where_it_is():
    pool = {name: PropertyEstimate(value=value) for name, value in {"a": 0.2, "b": 0.3, "c": 0.9}.items()}
    found = judged(BestRule(keep_best=2, by="percolation_barrier_3d_ev"), pool)
    assert [name for name, verdict in found.items() if verdict.kept] == ["a", "b"]
    assert found["c"].reason == (
        "not among the best 2 of 3: 3D bond-valence barrier is 0.9 eV, and 2 others reach 0.3 eV or better"
    )


@pytest.mark.parametrize(("fraction", "n", "kept"), [(0.5, 3, 2), (0.07, 100, 7), (1.0, 4, 4), (0.01, 3, 1)])
def test_fraction_is_rounded_up(fraction, n, kept):
    pool = {f"{i}": PropertyEstimate(value=float(i)) for i in range(n)}
    verdicts = judged(BestRule(keep_fraction=fraction, by="sigma_300k_ms_cm"), pool)
    assert sum(verdict.kept for verdict in verdicts.values()) == kept


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"property": "sigma_300k", "at_least": 1.0}, "did you mean 'sigma_300k_ms_cm'?"),
        ({"property": "sigma_300k_ms_cm"}, "exactly one of at_least and at_most"),
        ({"property": "sigma_300k_ms_cm", "at_least": 1.0, "at_most": 2.0}, "exactly one of at_least and at_most"),
        ({"property": "sigma_300k_ms_cm", "at_least": math.inf}, "finite number"),
        ({"keep_best": 3, "by": "volume_change_percent"}, "neither end"),
        ({"keep_best": 3, "keep_fraction": 0.5, "by": "sigma_300k_ms_cm"}, "exactly one of keep_best"),
        ({"keep_fraction": 1.5, "by": "sigma_300k_ms_cm"}, "less than or equal to 1"),
        ({"keep_best": 0, "by": "sigma_300k_ms_cm"}, "greater than 0"),
        ({"keep_best": 3, "by": "sigma_300k_ms_cm", "at_least": 1.0}, "Extra inputs are not permitted"),
        ({"rule": "best", "property": "sigma_300k_ms_cm", "keep_best": 1, "by": "sigma_300k_ms_cm"}, "Extra inputs"),
        ({"rule": "bets", "by": "sigma_300k_ms_cm", "keep_best": 3}, "there is no selection rule 'bets': did you mean"),
        ({"keep": 3}, "each rule needs 'rule: NAME', and this one has none: there are best, threshold"),
    ],
    ids=lambda value: value[:20].replace(" ", "-") if isinstance(value, str) else "-".join(value),
)
def test_mistakes_are_told(rule, sentence):
    with pytest.raises(ValidationError, match=None) as caught:
        Rules.model_validate({"rules": [rule]})
    assert sentence in str(caught.value)
    assert caught.value.error_count() == 1
