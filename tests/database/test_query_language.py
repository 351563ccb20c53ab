"""The query language: what it means, what it refuses, and that nothing gets through it."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.database.candidate_rows import order_value, row_to_document
from superion.database.mongo_criteria import compile_criteria
from superion.database.properties import PropertyEstimate
from superion.database.query_language import QueryError, parse_query, query_criteria, write_query
from superion.database.query_language.columns import Column, ColumnKind, columns
from superion.database.query_language.tree import (
    And,
    Comparison,
    Contains,
    HasAnyElement,
    HasElements,
    IsKnown,
    Judged,
    Not,
    OneOf,
    OnlyElements,
    Or,
)
from support.candidate_rows import make_row

SYMBOLS = ("Cl", "Li", "P", "S")
NUMBERS = st.one_of(st.sampled_from([0.0, 0.1, 1.0, 2.0, -1.0]), st.floats(-1e6, 1e6))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


# -- trees and rows ----------------------------------------------------------------------------------------------


def of_kind(*kinds: ColumnKind) -> st.SearchStrategy[Column]:
    return st.sampled_from([column for column in columns().values() if column.kind in kinds])


def texts_of(column: Column) -> st.SearchStrategy[str]:
    return st.sampled_from(column.choices) if column.choices else TEXTS


def estimates_only(order_only: bool) -> st.SearchStrategy:
    signs = ["<", "<=", ">", ">="] if order_only else ["<", "<=", ">", ">=", "=", "!="]
    column = of_kind(ColumnKind.ESTIMATE)
    if order_only:
        column = column.filter(lambda c: not c.is_measured)
    return st.builds(Comparison, column, st.sampled_from(signs), NUMBERS)


SYMBOL_SETS = st.sets(st.sampled_from(SYMBOLS), min_size=1).map(lambda symbols: tuple(sorted(symbols)))
TEXT_COLUMNS = of_kind(ColumnKind.TEXT)
LEAVES = st.one_of(
    estimates_only(order_only=False),
    st.builds(Comparison, of_kind(ColumnKind.NUMBER), st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), NUMBERS),
    TEXT_COLUMNS.flatmap(lambda c: st.builds(Comparison, st.just(c), st.sampled_from(["=", "!="]), texts_of(c))),
    TEXT_COLUMNS.flatmap(
        lambda c: st.builds(OneOf, st.just(c), st.lists(texts_of(c), min_size=1, max_size=3, unique=True).map(tuple))
    ),
    st.builds(Contains, TEXT_COLUMNS, TEXTS),
    st.builds(Comparison, of_kind(ColumnKind.FLAG), st.sampled_from(["=", "!="]), st.booleans()),
    st.builds(IsKnown, of_kind(ColumnKind.ESTIMATE, ColumnKind.TEXT)),
    st.builds(HasElements, SYMBOL_SETS),
    st.builds(HasAnyElement, SYMBOL_SETS),
    st.builds(OnlyElements, SYMBOL_SETS),
)


def grown(leaves: st.SearchStrategy) -> st.SearchStrategy:
    def grow(inner: st.SearchStrategy) -> st.SearchStrategy:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(Not, inner), st.builds(And, several), st.builds(Or, several))

    return st.recursive(leaves, grow, max_leaves=6)


JUDGED = st.builds(Judged, st.sampled_from(["surely", "possibly"]), grown(estimates_only(order_only=True)))
TREES = grown(st.one_of(LEAVES, JUDGED))


@st.composite
def estimates(draw) -> PropertyEstimate:
    number = draw(NUMBERS)
    kind = draw(st.sampled_from(["value", "interval", "upper", "lower"]))
    if kind in ("upper", "lower"):
        return PropertyEstimate(bound=kind, limit=number)
    width = draw(st.sampled_from([0.5, 1.0, math.inf]))
    return PropertyEstimate(value=number, interval_95=(number - width, number + width) if kind == "interval" else None)


NAMES = ["sigma_300k_ms_cm", "energy_above_hull_ev_per_atom", "activation_energy_ev"]
ROWS = st.builds(
    make_row,
    st.integers(0, 99),
    elements=SYMBOL_SETS.map(list),
    status=st.sampled_from(["waiting", "done", "rejected"]),
    stage=st.sampled_from([None, "relax"]),
    label=TEXTS,
    mobile_ion=st.sampled_from([None, "Li"]),
    was_disordered=st.booleans(),
    properties=st.dictionaries(st.sampled_from(NAMES), estimates(), max_size=3),
    measured=st.dictionaries(st.sampled_from(NAMES[:1]), estimates(), max_size=1),
).map(lambda row: row.model_copy(update={"n_elements": len(row.elements)}))


# -- what a query means, once more and otherwise ---------------------------------------------------------------------


def compare(left, sign, right) -> bool:
    return {
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
        "=": lambda: left == right,
        "!=": lambda: left != right,
    }[sign]()


def truth(node, row, certainty=None) -> bool | None:
    """Three-valued: None where nobody knows.  Judged comparisons are known wherever anything is known at all."""
    match node:
        case Not(inside):
            opposite = {"surely": "possibly", "possibly": "surely", None: None}[certainty]
            known = truth(inside, row, opposite)
            return None if known is None else not known
        case And(parts):
            found = [truth(part, row, certainty) for part in parts]
            return False if False in found else None if None in found else True
        case Or(parts):
            found = [truth(part, row, certainty) for part in parts]
            return True if True in found else None if None in found else False
        case Judged(inner, inside):
            return truth(inside, row, inner)
        case HasElements(symbols):
            return set(symbols) <= set(row.elements)
        case HasAnyElement(symbols):
            return bool(set(symbols) & set(row.elements))
        case OnlyElements(symbols):
            return set(row.elements) <= set(symbols)
    column = node.column
    if column.kind is ColumnKind.ESTIMATE:
        estimate = (row.measured if column.is_measured else row.properties).get(column.property_name)
        if isinstance(node, IsKnown):
            return estimate is not None and order_value(estimate) is not None
        if estimate is None:
            return None
        return of_estimate(estimate, node.operator, node.value, certainty)
    value = getattr(row, column.path)
    if isinstance(node, IsKnown):
        return value is not None
    if value is None:
        return None
    if isinstance(node, OneOf):
        return value in node.texts
    if isinstance(node, Contains):
        return re.search(re.escape(node.text), value, re.IGNORECASE) is not None
    return compare(value, node.operator, node.value)


def of_estimate(estimate, sign, number, certainty) -> bool | None:
    if certainty:
        low, high = estimate.range_95
        least, most = (low, high) if sign in (">", ">=") else (high, low)
        # infinite ends: nothing is sure, and everything possible
        end = least if certainty == "surely" else most
        if math.isinf(end):
            return certainty == "possibly"
        return compare(end, sign, number)
    if estimate.bound is None:
        return compare(estimate.value, sign, number)
    low, high = (-math.inf, estimate.limit) if estimate.bound == "upper" else (estimate.limit, math.inf)
    if sign in ("=", "!="):
        apart = number > high or number < low
        return (sign == "!=") if apart else None
    proven = {"<": high < number, "<=": high <= number, ">": low > number, ">=": low >= number}
    refuted = {"<": low >= number, "<=": low > number, ">": high <= number, ">=": high < number}
    return True if proven[sign] else False if refuted[sign] else None


@settings(max_examples=150)
@given(TREES, st.lists(ROWS, min_size=1, max_size=4))
def test_criteria_mean_what_the_query_says(tree, rows):
    matches = compile_criteria(query_criteria(tree))
    for row in rows:
        assert matches(row_to_document(row)) == (truth(tree, row) is True)


@settings(max_examples=100)
@given(TREES, ROWS)
def test_a_query_and_its_negation_never_both_match(tree, row):
    document = row_to_document(row)
    both = [compile_criteria(query_criteria(node))(document) for node in (tree, Not(tree))]
    if not any(isinstance(part, Judged) for part in walk(tree)):
        assert both != [True, True]


def walk(node):
    yield node
    for inside in getattr(node, "parts", ()) or ([node.inside] if hasattr(node, "inside") else []):
        yield from walk(inside)


@settings(max_examples=100)
@given(TREES)
def test_what_is_written_is_read_again(tree):
    text = write_query(tree)
    again = parse_query(text)
    assert write_query(again) == text
    assert query_criteria(again) == query_criteria(tree)


# -- what gets through -------------------------------------------------------------------------------------------


WORDS = st.sampled_from(
    [
        *list(columns())[:12],
        *("sigma_300k", "and", "or", "not", "(", ")", "<", ">=", "!=", "0.1 mS/cm", "30 meV", "1e999"),
        *("'", '"x"', "$where", "$gt", ".", "elements has Li", "within", "surely", "is known", ",", "1/0", "{}"),
    ]
)


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=10).map(" ".join)))
def test_any_text_is_read_or_refused(text):
    refused: QueryError | None = None
    try:
        criteria = query_criteria(parse_query(text))
    except QueryError as error:
        refused = error
    if refused is None:
        assert_only_ours(criteria)
    else:
        assert 1 <= refused.column <= len(text) + 1
        assert f"at column {refused.column}:" in str(refused)


@given(TREES)
def test_every_key_is_ours_and_every_value_plain(tree):
    assert_only_ours(query_criteria(tree))


OPERATORS = {
    *("$and", "$or", "$gt", "$gte", "$lt", "$lte", "$ne", "$in", "$nin", "$all", "$not", "$elemMatch"),
    *("$regex", "$options"),
}
PATHS = {
    *(column.path for column in columns().values()),
    *(f"{part}.{c.property_name}.bound" for c in columns().values() for part in ("properties", "measured")),
    *(f"search.{end}.{c.property_name}" for c in columns().values() for end in ("low", "high")),
    *(f"properties.{c.property_name}" for c in columns().values()),
    "search.chemical_system",
}


def assert_only_ours(condition) -> None:
    """What a user wrote may stand as a value only, never as a key."""
    if isinstance(condition, dict):
        for key, inside in condition.items():
            assert key in OPERATORS or key in PATHS
            assert_only_ours(inside)
    elif isinstance(condition, list):
        for inside in condition:
            assert_only_ours(inside)
    else:
        assert condition is None or isinstance(condition, str | float | bool)


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("label = '$where'", {"label": "$where"}),
        ('label = "a\'b""c"', {"label": "a'b\"c"}),
        ("label contains '.*'", {"label": {"$regex": r"\.\*", "$options": "i"}}),
        ("status in (done, 'failed')", {"status": {"$in": ["done", "failed"]}}),
        ("SIGMA_300K > 1e-4 S cm^-1", None),
        ("sigma_300k_ms_cm > 0.1", None),
        ("sigma_300k > 0.01 S/m", None),
        ("sigma_300k > 0.1mS cm⁻¹", None),
    ],
)
def test_values_stay_values(text, criteria):
    expected = criteria or {
        "search.order.sigma_300k_ms_cm": {"$gt": 0.1},
        "properties.sigma_300k_ms_cm.bound": {"$ne": "upper"},
    }
    assert query_criteria(parse_query(text)) == expected


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("sgima_300k > 1 mS/cm", 1, ["sgima_300k", "sigma_300k"]),
        ("elements has Li and energy_above_hul < 1 eV", 21, ["energy_above_hull"]),
        ("sigma_300k > 0.1", 14, ["wants a unit", "mS/cm"]),
        ("sigma_300k > 0.1 eV", 14, ["eV", "mS/cm"]),
        ("n_elements > 3 eV", 14, ["pure number"]),
        ("sigma_300k > 1e999 mS/cm", 14, ["too large"]),
        ("status = don", 10, ["done"]),
        ("status < done", 8, ["="]),
        ("elements has Xy", 14, ["Xy"]),
        ("elements = Li", 10, ["has"]),
        ("label = 'x", 9, ["quote"]),
        ("label.x = 'x'", 6, ["'.'"]),
        ("$where = 1", 1, ["'$'"]),
        ("(label = x", 11, ["')'"]),
        ("label = x label", 11, ["and"]),
        ("", 1, ["column"]),
        ("possibly (sigma_300k = 1 mS/cm)", 22, ["<"]),
        ("surely (measured_sigma_300k > 1 mS/cm)", 9, ["measured"]),
        ("not " * 60 + "label = x", 201, ["nested"]),
        ("(" * 1000, 51, ["nested"]),
        ("x" * 10_001, 10_001, ["longer"]),
        ("label = 'a\x00'", 9, ["NUL"]),
        ("was_disordered = 1", 18, ["true"]),
    ],
    ids=lambda value: str(value)[:24],
)
def test_mistakes_are_named(text, column, words):
    with pytest.raises(QueryError) as caught:
        query_criteria(parse_query(text))
    assert caught.value.column == column
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_example_of_the_documentation():
    query = "sigma_300k > 0.1 mS/cm and elements has Li and not (energy_above_hull > 30 meV)"
    matches = compile_criteria(query_criteria(parse_query(query)))

    def found(**properties) -> bool:
        return matches(row_to_document(make_row(1, elements=["Li", "S"], properties=properties)))

    good = {"energy_above_hull_ev_per_atom": PropertyEstimate(value=0.02)}
    assert found(sigma_300k_ms_cm=PropertyEstimate(value=0.2), **good)
    assert not found(sigma_300k_ms_cm=PropertyEstimate(bound="upper", limit=0.05), **good)
    assert not found(sigma_300k_ms_cm=PropertyEstimate(bound="upper", limit=5.0), **good)
    assert found(sigma_300k_ms_cm=PropertyEstimate(bound="lower", limit=0.5), **good)
    assert not found(sigma_300k_ms_cm=PropertyEstimate(value=0.2))
    lower = {"energy_above_hull_ev_per_atom": PropertyEstimate(bound="lower", limit=0.01)}
    assert not found(sigma_300k_ms_cm=PropertyEstimate(value=0.2), **lower)
