"""Decisions are a pure function: of no order, of no history, and no threshold asks for a computation twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.database.properties import PropertyEstimate
from superion.workflows.campaign.decisions import CampaignState, CandidateEntry, StageOutcome, StageStep
from superion.workflows.selection.best import BestRule
from superion.workflows.selection.threshold import ThresholdRule

HULL, BARRIER, SIGMA = "energy_above_hull_ev_per_atom", "percolation_barrier_3d_ev", "sigma_300k_ms_cm"
FINDS = {"relax": HULL, "percolation": BARRIER, "conductivity": SIGMA}


def make_steps(rules):
    """Three stages with the given rules."""
    return [StageStep(name, tuple(rules.get(name, ())), lambda f, name=name: f"{name}({f})") for name in FINDS]


def compute(unit, steps):
    """What a stage finds: a pure function of the key, with every kind of end."""
    name = steps[unit.stage_index].name
    dice = hashlib.sha256(unit.stage_key.encode()).digest()
    if dice[0] < 20:
        return StageOutcome(unit.stage_key, "failed" if dice[0] < 10 else "rejected", f"by chance {dice[0]}")
    value = dice[1] / 255.0
    estimate = PropertyEstimate(value=value, interval_95=(value - dice[2] / 2550.0, value + dice[2] / 2550.0))
    if dice[3] < 30:
        estimate = PropertyEstimate(bound="upper" if dice[3] < 15 else "lower", limit=value)
    found = {} if dice[4] < 20 else {FINDS[name]: estimate}
    return StageOutcome(unit.stage_key, "completed", None, found, f"{unit.fingerprint}'" if name == "relax" else None)


def run(state, steps, pick=lambda units: 0, limit=None):
    """Compute unit after unit, chosen by `pick`; give the keys computed."""
    computed = []
    state.refresh()
    waiting = list(state.next_units())
    while waiting and (limit is None or len(computed) < limit):
        unit = waiting.pop(pick(waiting))
        state.add_outcome(compute(unit, steps))
        computed.append(unit.stage_key)
        state.refresh()
        waiting += state.next_units()
    return computed


def decisions(state):
    """All decisions by candidate."""
    return {name: state.decision(name) for name in state.candidate_ids}


candidates = st.lists(
    st.builds(
        lambda name, n, rejected: CandidateEntry(
            name, () if rejected else tuple(f"{name}{i}" for i in range(n)), "unreadable" if rejected else None
        ),
        st.text("abcdefgh", min_size=2, max_size=3),
        st.integers(1, 3),
        st.integers(0, 9).map(lambda x: x == 0),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda entry: entry.candidate_id,
)
thresholds = st.integers(0, 20).map(lambda x: x / 20.0)
rule_sets = st.fixed_dictionaries(
    {},
    optional={
        "relax": thresholds.map(lambda x: [ThresholdRule(property=HULL, at_most=x)]),
        "percolation": st.one_of(
            st.integers(1, 5).map(lambda n: [BestRule(keep_best=n, by=BARRIER)]),
            st.tuples(thresholds, thresholds).map(
                lambda pair: [
                    ThresholdRule(property=BARRIER, at_most=pair[0]),
                    BestRule(keep_fraction=max(pair[1], 0.05), by=HULL),
                ]
            ),
        ),
        "conductivity": thresholds.map(
            lambda x: [BestRule(keep_best=2, by=SIGMA), ThresholdRule(property=SIGMA, at_least=x)]
        ),
    },
)


def without_properties(found):
    return {candidate_id: replace(decision, properties={}) for candidate_id, decision in found.items()}


@settings(max_examples=60)
@given(candidates, rule_sets, st.randoms(use_true_random=False))
def test_neither_order_nor_history_matters(entries, rules, dice):
    """Candidates and outcomes in any order, one by one or at once, give the same decisions."""
    steps = make_steps(rules)
    one = CampaignState(steps)
    one.add_candidates(entries)
    computed = run(one, steps)
    assert len(computed) == len(set(computed))

    other = CampaignState(steps)
    shuffled = list(entries)
    dice.shuffle(shuffled)
    other.add_candidates(shuffled[: len(shuffled) // 2])
    also = run(other, steps, pick=lambda units: dice.randrange(len(units)))
    other.add_candidates(shuffled[len(shuffled) // 2 :])
    also += run(other, steps, pick=lambda units: dice.randrange(len(units)))
    # Fewer rivals may have let more through at first: what was found then stays known, and decides nothing.
    assert without_properties(decisions(other)) == without_properties(decisions(one))
    assert set(computed) <= set(also)
    assert len(also) == len(set(also))

    at_once = CampaignState(steps)
    for key in sorted(also):
        found = other.outcome(key)
        assert found is not None
        at_once.add_outcome(found)
    at_once.add_candidates(entries)
    at_once.refresh()
    assert decisions(at_once) == decisions(other)
    assert not list(at_once.next_units())
    assert not at_once.refresh()


@settings(max_examples=60)
@given(candidates, rule_sets, rule_sets)
def test_changed_rules_never_compute_what_is_there(entries, before, after):
    """Other thresholds judge the same outcomes; only candidates let through anew need anything."""
    first = CampaignState(make_steps(before))
    first.add_candidates(entries)
    done = set(run(first, first.steps))
    second = CampaignState(make_steps(after))
    second.add_candidates(entries)
    for key in done:
        second.add_outcome(first.outcome(key))
    new = run(second, second.steps)
    assert not done & set(new)
    fresh = CampaignState(make_steps(after))
    fresh.add_candidates(entries)
    run(fresh, fresh.steps)
    for name, decision in decisions(fresh).items():
        found = second.decision(name)
        assert (found.status, found.stage, found.reason, found.stages) == (
            decision.status,
            decision.stage,
            decision.reason,
            decision.stages,
        )
        # Numbers from stages that it no longer reaches stay known.
        assert decision.properties.items() <= found.properties.items()


@settings(max_examples=40)
@given(candidates, rule_sets, st.integers(0, 12))
def test_every_moment_is_consistent(entries, rules, limit):
    """At any moment a candidate has one status, units are wanted exactly once, and no one is lost."""
    steps = make_steps(rules)
    state = CampaignState(steps)
    state.add_candidates(entries)
    computed = run(state, steps, limit=limit)
    wanted = set()
    for entry in entries:
        found = state.decision(entry.candidate_id)
        wanted |= {unit.stage_key for unit in found.missing}
        assert bool(found.missing) == (found.status == "waiting")
        assert (found.reason is None) == (found.status in ("waiting", "done"))
        assert len(found.kept) == len(entry.fingerprints)
    assert wanted == {unit.stage_key for unit in state.wanted_units()}
    assert not wanted & set(computed)


def test_comparison_waits_for_everyone_who_may_still_come():
    steps = make_steps({"percolation": [BestRule(keep_best=1, by=BARRIER)]})
    state = CampaignState(steps)
    state.add_candidates([CandidateEntry("a", ("a",)), CandidateEntry("b", ("b",)), CandidateEntry("c", (), "bad")])
    state.refresh()
    for name, value in {"a": 0.2, "b": 0.4}.items():
        state.add_outcome(StageOutcome(f"relax({name})", "completed"))
        found = {BARRIER: PropertyEstimate(value=value)}
        state.add_outcome(StageOutcome(f"percolation({name})", "completed", None, found))
        state.refresh()
        if name == "a":
            assert state.decision("a").status == "held"
            assert "on hold until all candidates have completed percolation" in state.decision("a").reason
    assert state.decision("a").status == "waiting"
    assert state.decision("b").status == "rejected"
    assert [unit.stage_key for unit in state.next_units()] == ["conductivity(a)"]
    # One more candidate: everyone waits for it again, what is known stays known.
    state.add_outcome(StageOutcome("conductivity(a)", "completed", None, {SIGMA: PropertyEstimate(value=3.0)}))
    state.refresh()
    assert state.decision("a").status == "done"
    state.add_candidates([CandidateEntry("d", ("d",))])
    assert state.refresh() == {"a", "b", "d"}
    assert state.decision("a").status == "held"
    assert state.decision("a").properties[SIGMA].value == 3.0
    state.add_outcome(StageOutcome("relax(d)", "failed", "its process died"))
    assert state.refresh() == {"a", "b", "d"}
    assert [state.decision(name).status for name in "abd"] == ["done", "rejected", "failed"]
    # Retried.
    state.forget_outcome("relax(d)")
    state.refresh()
    assert [unit.stage_key for unit in state.next_units()] == ["relax(d)"]


def test_candidates_with_one_structure_share_its_units():
    steps = make_steps({})
    state = CampaignState(steps)
    state.add_candidates([CandidateEntry("a", ("same",)), CandidateEntry("b", ("same",))])
    assert run(state, steps) == ["relax(same)", "percolation(same')", "conductivity(same')"]
    assert state.decision("a").properties == state.decision("b").properties


def test_orderings_are_averaged_and_a_lost_one_is_told():
    steps = make_steps({})[:1]
    state = CampaignState(steps)
    state.add_candidates([CandidateEntry("a", ("1", "2", "3"))])
    state.refresh()
    for name, value in {"1": 0.1, "2": 0.3}.items():
        state.add_outcome(StageOutcome(f"relax({name})", "completed", None, {SIGMA: PropertyEstimate(value=value)}))
    state.set_running("relax(3)", True)
    state.refresh()
    assert state.decision("a").status == "running"
    state.add_outcome(StageOutcome("relax(3)", "rejected", "it collapsed"))
    state.refresh()
    found = state.decision("a")
    assert found.status == "done"
    assert found.kept == (True, True, False)
    assert found.properties[SIGMA].value == pytest.approx((0.1 * 0.3) ** 0.5)
    assert found.stages["relax"].notes == ["left out an ordering that was rejected: it collapsed"]


def test_only_what_changed_is_judged_again():
    """Ten thousand candidates: one more outcome costs one judgement, not ten thousand."""
    steps = make_steps({})
    state = CampaignState(steps)
    state.add_candidates(CandidateEntry(f"{i:05d}", (f"{i}",)) for i in range(10_000))
    assert len(state.refresh()) == 10_000
    walked = []
    original = state._walk
    state._walk = lambda entry: walked.append(entry.candidate_id) or original(entry)
    state.add_outcome(StageOutcome("relax(77)", "completed"))
    assert state.refresh() == {"00077"}
    assert walked == ["00077"]
