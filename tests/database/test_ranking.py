"""Ranking: the same whatever order rows come in, better for better rows, and nothing is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.database.element_costs import element_cost, element_prices
from superion.database.properties import PropertyEstimate
from superion.database.ranking import (
    pareto_front,
    rank_by_property,
    rank_by_weighted_score,
    top_k_probabilities,
)
from superion.errors import SettingsError
from support.candidate_rows import make_row

SIGMA, EA, HULL = "sigma_300k_ms_cm", "activation_energy_ev", "energy_above_hull_ev_per_atom"
POSITIVE = st.one_of(st.sampled_from([0.1, 1.0, 10.0]), st.floats(1e-6, 1e3))


@st.composite
def estimates(draw):
    number = draw(POSITIVE)
    kind = draw(st.sampled_from(["value", "interval", "upper", "lower"]))
    if kind in ("upper", "lower"):
        return PropertyEstimate(bound=kind, limit=number)
    return PropertyEstimate(value=number, interval_68=(number / 2, number * 2) if kind == "interval" else None)


PROPERTIES = st.dictionaries(st.sampled_from([SIGMA, EA, HULL]), estimates(), max_size=3)
TABLES = st.lists(PROPERTIES, min_size=1, max_size=7).map(
    lambda tables: [make_row(number, properties=properties) for number, properties in enumerate(tables)]
)
RANKINGS = {
    "property": lambda rows: rank_by_property(rows, SIGMA),
    "lower": lambda rows: rank_by_property(rows, EA),
    "probability": lambda rows: top_k_probabilities(rows, SIGMA, 2, n_samples=50),
    "score": lambda rows: rank_by_weighted_score(rows, {SIGMA: 2.0, EA: 1.0}, n_samples=20),
    "pareto": lambda rows: pareto_front(rows, [SIGMA, EA, HULL]),
}


@pytest.mark.parametrize("name", RANKINGS)
@settings(max_examples=40)
@given(data=st.data(), rows=TABLES)
def test_the_order_of_rows_does_not_matter(name, data, rows):
    assert RANKINGS[name](rows) == RANKINGS[name](data.draw(st.permutations(rows)))


@pytest.mark.parametrize("name", RANKINGS)
@settings(max_examples=25)
@given(rows=TABLES)
def test_nothing_is_dropped(name, rows):
    ranking = RANKINGS[name](rows)
    ranked = [entry.row.key for entry in (ranking.rows if name == "pareto" else ranking.ranked)]
    apart = [entry.row.key for entry in ranking.unranked]
    assert sorted([*ranked, *apart]) == [row.key for row in rows]
    for entry in ranking.unranked:
        assert entry.missing
        assert not set(entry.missing) & set(entry.row.properties)


def shifted(estimate: PropertyEstimate, factor: float) -> PropertyEstimate:
    """The same estimate, better by a factor."""
    interval = estimate.interval_68
    return PropertyEstimate(
        value=None if estimate.value is None else estimate.value * factor,
        interval_68=None if interval is None else (interval[0] * factor, interval[1] * factor),
        bound=estimate.bound,
        limit=None if estimate.limit is None else estimate.limit * factor,
    )


@settings(max_examples=60)
@given(TABLES, st.floats(1.0, 100.0))
def test_a_better_row_never_ranks_lower(rows, factor):
    first = rows[0]
    if SIGMA not in first.properties or EA not in first.properties:
        return
    better = first.model_copy(
        update={"properties": {**first.properties, SIGMA: shifted(first.properties[SIGMA], factor)}}
    )
    for rank in (RANKINGS["property"], RANKINGS["probability"], RANKINGS["score"]):
        before, after = (
            next(entry for entry in rank([row, *rows[1:]]).ranked if entry.row.key == first.key)
            for row in (first, better)
        )
        assert after.rank <= before.rank
        assert after.score >= before.score or rank is RANKINGS["property"]
    if HULL in first.properties:
        before, after = (
            next(entry for entry in RANKINGS["pareto"]([row, *rows[1:]]).rows if entry.row.key == first.key)
            for row in (first, better)
        )
        assert after.is_on_front or not before.is_on_front


def row_of(number, **properties):
    return make_row(number, properties=properties)


@settings(max_examples=60)
@given(TABLES)
def test_nobody_stands_above_a_value_for_a_bound_that_proves_nothing(rows):
    for name, proves_nothing in ((SIGMA, "upper"), (EA, "lower")):
        ranked = rank_by_property(rows, name).ranked
        is_open = [entry.row.properties[name].bound == proves_nothing for entry in ranked]
        assert is_open == sorted(is_open)
        scores = rank_by_weighted_score([entry.row for entry in ranked], {name: 1.0}).ranked
        worst = min(
            (entry.score for entry in scores if entry.row.properties[name].bound != proves_nothing), default=1.0
        )
        assert all(entry.score <= worst for entry in scores if entry.row.properties[name].bound == proves_nothing)


def test_ties_share_a_rank_and_bounds_are_marked():
    rows = [
        row_of(0, **{SIGMA: PropertyEstimate(value=1.0)}),
        row_of(1, **{SIGMA: PropertyEstimate(bound="upper", limit=1.0)}),
        row_of(2, **{SIGMA: PropertyEstimate(value=3.0, interval_95=(1.0, 9.0))}),
        row_of(3),
        row_of(4, **{SIGMA: PropertyEstimate(value=1.0)}),
        row_of(5, **{SIGMA: PropertyEstimate(bound="upper", limit=200.0)}),
        row_of(6, **{SIGMA: PropertyEstimate(bound="lower", limit=2.0)}),
    ]
    ranking = rank_by_property(rows, SIGMA)
    assert [(entry.row.candidate_id, entry.rank, entry.is_bound) for entry in ranking.ranked] == [
        ("0002", 1, False),
        ("0006", 2, True),
        ("0000", 3, False),
        ("0004", 3, False),
        ("0005", 5, True),
        ("0001", 6, True),
    ]
    assert ranking.ranked[0].interval_95 == (1.0, 9.0)
    assert [entry.missing for entry in ranking.unranked] == [(SIGMA,)]


def test_probabilities_have_a_known_answer():
    """Two rows whose logarithms differ by one standard deviation of the difference: Φ(1)."""
    width = 2.0**0.5
    rows = [
        row_of(0, **{SIGMA: PropertyEstimate(value=1.0, interval_68=(1 / width, width))}),
        row_of(1, **{SIGMA: PropertyEstimate(value=width ** (2**0.5), interval_68=(width**0.414214, width**2.414214))}),
    ]
    ranking = top_k_probabilities(rows, SIGMA, 1, n_samples=20_000)
    assert ranking.ranked[0].row.candidate_id == "0001"
    assert ranking.ranked[0].score == pytest.approx(0.8413, abs=0.01)
    assert sum(entry.score for entry in ranking.ranked) == pytest.approx(1.0)
    again = top_k_probabilities(rows, SIGMA, 1, n_samples=20_000)
    assert again == ranking
    assert top_k_probabilities(rows, SIGMA, 1, n_samples=20_000, seed=1) != ranking


def test_an_upper_bound_never_beats_what_is_above_it():
    rows = [
        row_of(0, **{SIGMA: PropertyEstimate(value=1.0)}),
        row_of(1, **{SIGMA: PropertyEstimate(bound="upper", limit=0.9)}),
        row_of(2, **{SIGMA: PropertyEstimate(bound="lower", limit=1.1)}),
    ]
    scores = {entry.row.candidate_id: entry.score for entry in top_k_probabilities(rows, SIGMA, 1).ranked}
    assert scores == {"0000": 0.0, "0001": 0.0, "0002": 1.0}


def test_scores_lie_between_the_worst_and_the_best():
    rows = [
        row_of(0, **{SIGMA: PropertyEstimate(value=10.0), EA: PropertyEstimate(value=0.2)}),
        row_of(1, **{SIGMA: PropertyEstimate(value=1.0), EA: PropertyEstimate(value=0.2)}),
        row_of(2, **{SIGMA: PropertyEstimate(value=0.1), EA: PropertyEstimate(value=0.4)}),
    ]
    ranking = rank_by_weighted_score(rows, {SIGMA: 1.0, EA: 1.0})
    assert [(entry.row.candidate_id, entry.score) for entry in ranking.ranked] == [
        ("0000", 1.0),
        ("0001", pytest.approx(0.75)),
        ("0002", 0.0),
    ]


def test_the_front_of_bounds_is_no_guess():
    good, bad = PropertyEstimate(value=1.0), PropertyEstimate(value=0.1)
    rows = [
        row_of(0, **{SIGMA: good, EA: PropertyEstimate(value=0.3)}),
        row_of(1, **{SIGMA: bad, EA: PropertyEstimate(value=0.4)}),
        row_of(2, **{SIGMA: PropertyEstimate(bound="upper", limit=5.0), EA: PropertyEstimate(value=0.3)}),
        row_of(3, **{SIGMA: PropertyEstimate(bound="upper", limit=0.5), EA: PropertyEstimate(value=0.3)}),
    ]
    found = pareto_front(rows, [SIGMA, EA])
    assert [row.candidate_id for row in found.front] == ["0000", "0002"]
    assert found.rows[1].dominated_by == rows[0].key
    assert found.rows[2].is_bound


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: rank_by_property([], "sigma"),
        lambda: rank_by_property([], "volume_change_percent"),
        lambda: top_k_probabilities([], SIGMA, 0),
        lambda: rank_by_weighted_score([], {}),
        lambda: rank_by_weighted_score([], {SIGMA: -1.0}),
        lambda: pareto_front([], []),
        lambda: pareto_front([], [SIGMA, SIGMA]),
    ],
    ids=["no_property", "no_better_end", "k", "no_weights", "negative_weight", "no_properties", "twice"],
)
def test_mistakes_are_sentences(mistake):
    with pytest.raises(SettingsError, match=r"\.$|\?$"):
        mistake()


def test_the_price_of_elements():
    assert len(element_prices()) > 80
    prices = element_prices()
    salt = element_cost("NaCl")
    share = 22.98977 / (22.98977 + 35.453)
    assert salt.value == pytest.approx(share * prices["Na"].price + (1 - share) * prices["Cl"].price, rel=1e-3)
    assert element_cost("Pm") is None
    partly = element_cost("NaPm")
    assert (partly.bound, partly.value) == ("lower", None)
    assert "Pm" in partly.note


def test_a_ranking_as_a_table():
    known = PropertyEstimate(value=2.0, interval_68=(1.5, 3.0))
    estimates = [{}, {SIGMA: known}, {SIGMA: PropertyEstimate(bound="lower", limit=5.0)}]
    rows = [make_row(number, properties=properties) for number, properties in enumerate(estimates)]
    frame = rank_by_property(rows, SIGMA).to_dataframe()
    assert frame["rank"].tolist()[:2] == [1, 2]
    assert frame["rank"].isna().tolist() == [False, False, True]
    assert frame["candidate_id"].tolist() == ["0002", "0001", "0000"]
    assert frame["score"].fillna(-1.0).tolist() == [5.0, 2.0, -1.0]
    assert frame["high_68"].fillna(-1.0).tolist() == [-1.0, 3.0, -1.0]
    assert frame["is_bound"].tolist() == [True, False, False]
    assert frame["missing"].tolist() == ["", "", SIGMA]
    assert rank_by_property([], SIGMA).to_dataframe().empty
