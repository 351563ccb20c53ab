"""The Python predicates against MongoDB's documented meaning of lists, null, kinds and operators."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from bson.objectid import ObjectId
from bson.regex import Regex
from superion.database.mongo_criteria import compile_criteria
from superion.database.mongo_order import order_key
from superion.errors import StoreError
from support.stable_id import stable_id

NAN = float("nan")
INF = float("inf")

# Null and missing fields: MongoDB manual, "Query for Null or Missing Fields", and its own test of null semantics.
NULL_DOCUMENTS = {
    "none": {},
    "null": {"a": None},
    "number": {"a": 4},
    "empty_object": {"a": {}},
    "b_null": {"a": {"b": None}},
    "b_number": {"a": {"b": 4}},
    "empty_list": {"a": []},
    "list_of_nulls": {"a": [None, None]},
    "list_of_texts": {"a": ["x", "y"]},
    "objects_with_b": {"a": [{"b": 1}, {"b": 2}]},
    "objects_some_b_null": {"a": [{"b": None}, {"b": 3}]},
    "objects_some_b_missing": {"a": [{"b": 3}, {}]},
    "nested_list": {"a": [[]]},
}


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"a": None}, {"none", "null", "list_of_nulls"}),
        ({"a": {"$in": [None]}}, {"none", "null", "list_of_nulls"}),
        ({"a": {"$exists": False}}, {"none"}),
        ({"a": {"$type": "null"}}, {"null", "list_of_nulls"}),
        ({"a": {"$gte": None}}, {"none", "null", "list_of_nulls"}),
        ({"a": {"$gt": None}}, set()),
        (
            {"a.b": None},
            {"none", "null", "number", "empty_object", "b_null", "objects_some_b_null", "objects_some_b_missing"},
        ),
        (
            {"a.b": {"$exists": True}},
            {"b_null", "b_number", "objects_with_b", "objects_some_b_null", "objects_some_b_missing"},
        ),
        ({"a": {"$elemMatch": {"b": None}}}, {"objects_some_b_null", "objects_some_b_missing", "nested_list"}),
        ({"a": []}, {"empty_list", "nested_list"}),
        ({"a": {"$size": 0}}, {"empty_list"}),
        ({"a": {}}, {"empty_object", "objects_some_b_missing"}),
    ],
    ids=stable_id,
)
def test_null_and_missing(criteria, expected):
    matches = compile_criteria(criteria)
    assert {name for name, document in NULL_DOCUMENTS.items() if matches(document)} == expected
    opposite = compile_criteria({"$nor": [criteria]})
    assert {name for name, document in NULL_DOCUMENTS.items() if opposite(document)} == set(NULL_DOCUMENTS) - expected


@pytest.mark.parametrize(
    ("document", "criteria", "expected"),
    [
        # kinds are not mixed: 1 is 1.0 but neither True nor "1"
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, {"a": {"$ne": True}}, True),
        ({"a": "5"}, {"a": {"$gt": 3}}, False),
        ({"a": True}, {"a": {"$gt": False}}, True),
        ({"a": [1, "x"]}, {"a": {"$gt": 0}}, True),
        # non-finite numbers
        ({"a": NAN}, {"a": NAN}, True),
        ({"a": NAN}, {"a": {"$lt": 5}}, False),
        ({"a": NAN}, {"a": {"$gte": NAN}}, True),
        ({"a": 5}, {"a": {"$gt": NAN}}, False),
        ({"a": INF}, {"a": {"$gt": 1e308}}, True),
        ({"a": -INF}, {"a": {"$lt": 0}}, True),
        # dictionaries are equal with the same keys in the same order
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1.0, "y": 2}}, True),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, False),
        ({"a": {"x": 1, "y": 2}}, {"a": {"$gt": {"x": 1, "y": 1}}}, True),
        # a range on a list may be met by different elements, $elemMatch by one
        ({"a": [1, 9]}, {"a": {"$gt": 4, "$lt": 6}}, True),
        ({"a": [1, 9]}, {"a": {"$elemMatch": {"$gt": 4, "$lt": 6}}}, False),
        ({"a": [1, 5]}, {"a": {"$elemMatch": {"$gt": 4, "$lt": 6}}}, True),
        ({"a": [1, 5]}, {"a": {"$not": {"$gt": 4}}}, False),
        ({"a": [1, 5]}, {"a": {"$ne": 5}}, False),
        ({"a": [[1, 2], 3]}, {"a": [1, 2]}, True),
        ({"a": [[1, 2], 3]}, {"a": 1}, False),
        ({"a": [[1, 2], 3]}, {"a": {"$elemMatch": {"$eq": 1}}}, False),
        ({"a": [[1, 2], 3]}, {"a": {"$size": 2}}, True),
        ({"a": [1, 2]}, {"a": {"$gte": [1, 2]}}, True),
        ({"a": [1, 2]}, {"a": {"$all": [[1, 2]]}}, True),
        ({"a": 1}, {"a": {"$all": [1]}}, True),
        ({"a": [1]}, {"a": {"$all": []}}, False),
        ({"a": [{"b": 1, "c": 2}, {"b": 3}]}, {"a": {"$all": [{"$elemMatch": {"b": 3}}]}}, True),
        # indices
        ({"a": [1, 2]}, {"a.1": 2}, True),
        ({"a": [1, 2]}, {"a.0": 2}, False),
        ({"a": [[1]]}, {"a.0": 1}, False),
        ({"a": [[1]]}, {"a.0.0": 1}, True),
        ({"a": [{"b": 1}]}, {"a.0.b": 1}, True),
        ({"a": {"0": 1}}, {"a.0": 1}, True),
        # lists of dictionaries
        ({"a": [{"b": [1, 2]}, {"b": 3}]}, {"a.b": 2}, True),
        ({"a": [{"b": 1, "c": 2}, {"b": 2, "c": 1}]}, {"a.b": 1, "a.c": 1}, True),
        ({"a": [{"b": 1, "c": 2}, {"b": 2, "c": 1}]}, {"a": {"$elemMatch": {"b": 1, "c": 1}}}, False),
        ({"a": [{"b": 1}]}, {"a": {"$elemMatch": {"$or": [{"b": 1}, {"b": 2}]}}}, True),
        # $in with regular expressions, $nin, $not with one
        ({"a": "abc"}, {"a": {"$in": [re.compile("^a"), 5]}}, True),
        ({"a": ["x", "abc"]}, {"a": {"$nin": [re.compile("^a")]}}, False),
        ({"a": "abc"}, {"a": {"$not": re.compile("^a")}}, False),
        ({"b": 1}, {"a": {"$not": re.compile("^a")}}, True),
        ({"a": "x\nABC"}, {"a": Regex("^abc", "im")}, True),
        ({"a": 5}, {"a": {"$regex": "5"}}, False),
        # numbers
        ({"a": -7}, {"a": {"$mod": [4, -3]}}, True),
        ({"a": 2**60 + 1}, {"a": {"$mod": [2, 1]}}, True),
        ({"a": True}, {"a": {"$mod": [1, 0]}}, False),
        ({"a": 5}, {"a": {"$type": "int"}}, True),
        ({"a": 2**40}, {"a": {"$type": "int"}}, False),
        ({"a": 2**40}, {"a": {"$type": ["long", "string"]}}, True),
        ({"a": 5.0}, {"a": {"$type": 1}}, True),
        # times and ids
        ({"a": datetime(2026, 1, 1, 12)}, {"a": datetime(2026, 1, 1, 12, tzinfo=UTC)}, True),
        ({"a": datetime(2026, 1, 1)}, {"a": {"$gt": "2025"}}, False),
        ({"a": ObjectId("0" * 24)}, {"a": {"$lt": ObjectId("1" * 24)}}, True),
        ({"a": b"ab"}, {"a": {"$gt": b"z"}}, True),
        ({"a": 1}, {"$comment": "why", "a": 1}, True),
    ],
    ids=stable_id,
)
def test_meaning(document, criteria, expected):
    assert compile_criteria(criteria)(document) is expected


@pytest.mark.parametrize(
    ("criteria", "words"),
    [
        ({"a": {"$near": 1}}, r"\$near is not supported"),
        ({"$where": "true"}, r"\$where is not supported"),
        ({"$or": []}, "at least one"),
        ({"a": {"$in": 3}}, r"\$in and \$nin take a list"),
        ({"a": {"$not": 3}}, r"\$not takes"),
        ({"a": {"$gt": 3, "b": 4}}, "mix operators"),
        ({"a": {"$regex": "("}}, "not valid"),
        ({"a": {"$regex": "a", "$options": "q"}}, r"\$options takes"),
        ({"a": {"$options": "i"}}, r"needs a \$regex"),
        ({"a": {"$size": -1}}, r"\$size takes"),
        ({"a": {"$type": "quark"}}, r"\$type takes one of"),
        ({"a": {"$mod": [0, 1]}}, r"\$mod takes"),
        ({"a": {"$elemMatch": 3}}, r"\$elemMatch takes"),
        ({"a": object()}, "cannot be compared"),
        ([("a", 1)], "are a dictionary"),
    ],
    ids=stable_id,
)
def test_refusals_are_one_sentence(criteria, words):
    with pytest.raises(StoreError, match=words) as caught:
        compile_criteria(criteria)({"a": [1]})
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_order_of_kinds():
    ordered = [None, NAN, -INF, -1, 0.5, 2, INF, "", "B", "a", {}, {"a": 1}, [], [1], b"", b"a", ObjectId("0" * 24)]
    ordered += [False, True, datetime(1969, 1, 1), datetime(2026, 1, 1)]
    keys = [order_key(value) for value in ordered]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
