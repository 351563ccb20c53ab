"""One test body for maggma's MemoryStore, our SqliteStore and a MongoStore on a MongoDB-wire server."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.objectid import ObjectId
from support.stable_id import stable_id

DAY = datetime(2026, 11, 22, 13, 10, 17, 123000)

DOCUMENTS: list[dict[str, Any]] = [
    {"task_id": 0, "name": "argyrodite", "t": 300, "elements": ["Li", "P", "S", "Cl"], "sigma": {"value": 2.5}},
    {"task_id": 1, "name": "garnet", "t": 600.0, "elements": ["Li", "La", "Zr", "O"], "sigma": {"value": 0.4}},
    {"task_id": 2, "name": "nasicon", "t": 900, "elements": ["Na", "Zr", "Si", "P", "O"], "sigma": None},
    {"task_id": 3, "name": "halide", "t": None, "elements": [], "sigma": {"value": 1}},
    {"task_id": 4, "name": "Perovskite", "elements": ["Li", "La", "Ti", "O"], "tags": [{"k": "a", "v": 1}]},
    {"task_id": 5, "name": "borohydride", "t": "hot", "ok": True, "tags": [{"k": "a", "v": 3}, {"k": "b", "v": 1}]},
    {"task_id": 6, "name": "oxide", "t": True, "ok": False, "tags": [{"k": "b"}], "last_updated": DAY},
    {"task_id": 7, "name": "sulfide", "t": -5, "ok": 1, "last_updated": DAY + timedelta(hours=1)},
]


INDEXED_PATHS = ("t", "name", "elements", "sigma.value", "tags", "tags.v", "last_updated")


@pytest.fixture
def filled(store):
    """A store to be changed."""
    store.update(DOCUMENTS)
    return store


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((kind, indexed), marks=[pytest.mark.services] if kind == "mongo" else [])
        for kind in ("memory", "sqlite", "mongo")
        for indexed in ("plain", "indexed")
    ],
    ids="-".join,
)
def readable(request, open_store, tmp_path_factory):
    """A store to be read only, without and with indexes on what is asked for."""
    kind, indexed = request.param
    made = open_store(kind, tmp_path_factory.mktemp(kind))
    made.update(DOCUMENTS)
    if indexed == "indexed":
        for path in INDEXED_PATHS:
            assert made.ensure_index(path)
    yield made
    made.close()


def ids(found) -> list[int]:
    return [document["task_id"] for document in found]


CRITERIA = [
    ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
    ({"name": "garnet"}, [1]),
    ({"t": 600}, [1]),
    ({"t": 300.0}, [0]),
    ({"t": None}, [3, 4]),
    ({"t": {"$gt": 300}}, [1, 2]),
    ({"t": {"$gte": 300, "$lt": 900}}, [0, 1]),
    ({"t": {"$lte": 300}}, [0, 7]),
    ({"t": {"$gt": "a"}}, [5]),
    ({"t": {"$gte": None}}, [3, 4]),
    ({"t": {"$ne": 300}}, [1, 2, 3, 4, 5, 6, 7]),
    ({"t": {"$ne": None}}, [0, 1, 2, 5, 6, 7]),
    ({"t": {"$in": [300, "hot", None]}}, [0, 3, 4, 5]),
    ({"t": {"$nin": [300, None]}}, [1, 2, 5, 6, 7]),
    ({"t": {"$exists": True}}, [0, 1, 2, 3, 5, 6, 7]),
    ({"t": {"$exists": False}}, [4]),
    ({"t": {"$not": {"$gt": 300}}}, [0, 3, 4, 5, 6, 7]),
    ({"t": {"$type": "number"}}, [0, 1, 2, 7]),
    ({"t": {"$type": "string"}}, [5]),
    ({"t": {"$type": ["bool", "string"]}}, [5, 6]),
    ({"t": {"$mod": [600, 300]}}, [0, 2]),
    ({"name": {"$regex": "^g"}}, [1]),
    ({"name": {"$regex": "^p", "$options": "i"}}, [4]),
    ({"name": re.compile("ide$")}, [3, 5, 6, 7]),
    ({"name": {"$in": ["oxide", "halide"]}}, [3, 6]),
    ({"elements": "Li"}, [0, 1, 4]),
    ({"elements": []}, [3]),
    ({"elements": ["Li", "P", "S", "Cl"]}, [0]),
    ({"elements": {"$all": ["Li", "La"]}}, [1, 4]),
    ({"elements": {"$size": 4}}, [0, 1, 4]),
    ({"elements": {"$in": ["Na", "Cl"]}}, [0, 2]),
    ({"elements": {"$nin": ["Li"]}}, [2, 3, 5, 6, 7]),
    ({"elements": {"$ne": "O"}}, [0, 3, 5, 6, 7]),
    ({"elements.0": "Na"}, [2]),
    ({"elements": {"$exists": True}}, [0, 1, 2, 3, 4]),
    ({"elements": {"$regex": "^L"}}, [0, 1, 4]),
    ({"sigma.value": {"$gte": 1}}, [0, 3]),
    ({"sigma.value": None}, [2, 4, 5, 6, 7]),
    ({"sigma": {"value": 1}}, [3]),
    ({"sigma": {"value": 1.0}}, [3]),
    ({"sigma.value": {"$exists": True}}, [0, 1, 3]),
    ({"tags.v": 1}, [4, 5]),
    ({"tags.v": {"$gt": 1}}, [5]),
    ({"tags": {"$elemMatch": {"k": "a", "v": {"$lt": 2}}}}, [4]),
    ({"tags": {"$elemMatch": {"k": "b", "v": {"$exists": True}}}}, [5]),
    ({"tags.k": {"$all": ["a", "b"]}}, [5]),
    ({"tags": {"k": "a", "v": 1}}, [4]),
    ({"$and": [{"t": {"$gt": 0}}, {"elements": "Li"}]}, [0, 1]),
    ({"$or": [{"t": 900}, {"name": "halide"}]}, [2, 3]),
    ({"$nor": [{"elements": "Li"}, {"t": {"$exists": True}}]}, []),
    ({"$nor": [{"elements": "Li"}, {"t": {"$type": "number"}}]}, [3, 5, 6]),
    ({"$or": [{"$and": [{"t": 300}, {"name": "x"}]}, {"$nor": [{"t": {"$exists": 1}}]}]}, [4]),
    ({"last_updated": DAY}, [6]),
    ({"last_updated": {"$gt": DAY}}, [7]),
    ({"last_updated": {"$gte": DAY.replace(tzinfo=UTC)}}, [6, 7]),
    ({"last_updated": {"$type": "date"}}, [6, 7]),
    ({"ok": True}, [5]),
    ({"ok": 1}, [7]),
    ({"t": {"$gt": False}}, [6]),
    ({"tags.v": None}, [0, 1, 2, 3, 6, 7]),
    ({"tags.v": {"$exists": False}}, [0, 1, 2, 3, 6, 7]),
    ({"name": {"$size": 1}}, []),
]

# Criteria that one of the others does not read as MongoDB does, and in what it differs.
DIFFERENCES = {
    "memory": {
        "{'t': {'$gte': None}}": "mongomock takes no missing field for null in comparisons",
        "{'t': {'$type': ['bool', 'string']}}": "mongomock takes one kind only",
        "{'t': {'$mod': [600, 300]}}": "mongomock lacks $mod",
        "{'sigma.value': None}": "mongomock does not look below null",
        "{'ok': True}": "mongomock takes 1 for True",
        "{'ok': 1}": "mongomock takes True for 1",
        "{'name': {'$size': 1}}": "mongomock takes a single value for a list of one",
        "{'elements': -1, 'task_id': 1}": "mongomock sorts lists by their first element",
    },
    "mongo": {
        "{'tags.k': {'$all': ['a', 'b']}}": "the test server does not look into dictionaries in lists for $all",
        "distinct": "the test server looks into no list of dictionaries for distinct",
    },
    "mongo-indexed": {
        "{'name': re.compile('ide$')}": "the test server mistakes regular expressions where an index serves",
    },
}


def expect_difference(request: pytest.FixtureRequest, case: object) -> None:
    """Mark a case that a store other than ours is known to answer otherwise than MongoDB."""
    kind, indexed = request.node.callspec.params["readable"]
    if kind == "mongo" and os.environ.get("MONGO_URI"):
        return
    known = {**DIFFERENCES.get(kind, {}), **DIFFERENCES.get(f"{kind}-{indexed}", {})}
    if reason := known.get(str(case)):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.mark.parametrize(("criteria", "expected"), CRITERIA, ids=lambda value: stable_id(value)[:60])
def test_criteria(readable, request, criteria, expected):
    expect_difference(request, criteria)
    assert ids(readable.query(criteria, sort={"task_id": 1})) == expected
    assert readable.count(criteria) == len(expected)


@pytest.mark.parametrize(
    "criteria",
    [{"t": {"$near": 1}}, {"$xor": []}, {"$or": []}, {"t": {"$in": 3}}, {"name": {"$not": 5}}],
    ids=stable_id,
)
def test_wrong_criteria_are_refused(readable, criteria):
    with pytest.raises(Exception, match=r".+"):
        list(readable.query(criteria))


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ({"task_id": -1}, [7, 6, 5, 4, 3, 2, 1, 0]),
        ({"name": 1}, [4, 0, 5, 1, 3, 2, 6, 7]),
        ({"t": 1, "task_id": 1}, [3, 4, 7, 0, 1, 2, 5, 6]),
        ({"t": -1, "task_id": 1}, [6, 5, 2, 1, 0, 7, 3, 4]),
        ({"elements": 1, "task_id": 1}, [3, 5, 6, 7, 0, 1, 4, 2]),
        ({"elements": -1, "task_id": 1}, [1, 2, 4, 0, 5, 6, 7, 3]),
        ({"sigma.value": 1, "task_id": 1}, [2, 4, 5, 6, 7, 1, 3, 0]),
        ({"sigma.value": -1, "task_id": -1}, [0, 3, 1, 7, 6, 5, 4, 2]),
        ({"last_updated": -1, "task_id": 1}, [7, 6, 0, 1, 2, 3, 4, 5]),
    ],
    ids=stable_id,
)
def test_sort(readable, request, sort, expected):
    expect_difference(request, sort)
    assert ids(readable.query({}, sort=sort)) == expected
    assert ids(readable.query({}, sort=sort, skip=2, limit=3)) == expected[2:5]
    assert ids(readable.query({}, sort=sort, skip=6)) == expected[6:]


def test_skip_and_limit(readable):
    assert ids(readable.query({"t": {"$exists": True}}, sort={"task_id": 1}, skip=1, limit=2)) == [1, 2]
    assert ids(readable.query({}, sort={"task_id": 1}, skip=20)) == []
    assert ids(readable.query({}, sort={"task_id": 1}, limit=100)) == list(range(8))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (["name"], {"name": "argyrodite"}),
        (["sigma.value"], {"sigma": {"value": 2.5}}),
        (["name", "nothing"], {"name": "argyrodite"}),
        ({"name": 1, "_id": 0}, {"name": "argyrodite"}),
        ({"name": True, "t": True}, {"name": "argyrodite", "t": 300}),
        ({"_id": 0, "elements": 0, "sigma": 0}, {"task_id": 0, "name": "argyrodite", "t": 300}),
        ({"elements": 0, "sigma.value": 0}, {"task_id": 0, "name": "argyrodite", "t": 300, "sigma": {}}),
    ],
    ids=stable_id,
)
def test_properties(readable, properties, expected):
    (found,) = readable.query({"task_id": 0}, properties=properties)
    has_id = isinstance(properties, list) or properties.get("_id", 1)
    assert ("_id" in found) == bool(has_id)
    found.pop("_id", None)
    assert found == expected


def test_properties_reach_into_lists(readable):
    (found,) = readable.query({"task_id": 5}, properties={"tags.k": 1, "_id": 0})
    assert found == {"tags": [{"k": "a"}, {"k": "b"}]}
    (found,) = readable.query({"task_id": 5}, properties={"tags.k": 0, "_id": 0, "name": 0, "t": 0, "ok": 0})
    assert found == {"task_id": 5, "tags": [{"v": 3}, {"v": 1}]}


def test_documents_come_back_as_they_went_in(store):
    document = {
        "task_id": 1,
        "text": 'σ ≈ 2 mS/cm "quoted" \\ \n \u0000 end',
        "numbers": [0, -1, 2**53 + 1, -(2**63), 2**63 - 1, 1.0, 0.1 + 0.2, 1e-300, 1.7976931348623157e308, -0.0],
        "infinite": [float("inf"), float("-inf")],
        "flags": [True, False, None],
        "nested": {"a": {"b": {"c": []}}, "empty": {}},
        "at": DAY,
        "id": ObjectId("6560f0a1b2c3d4e5f6a7b8c9"),
        "raw": b"\x00\xff",
        "@module": "pymatgen.core",
        "weird key!": 1,
    }
    store.update(document)
    found = store.query_one({"task_id": 1})
    found.pop("_id")
    assert found == document
    assert [isinstance(number, int) for number in found["numbers"]] == [True] * 5 + [False] * 5
    assert list(found) == list(document)


def test_times_lose_zone_and_microseconds(store):
    store.update({"task_id": 1, "at": datetime(2026, 1, 1, 12, 0, 0, 123999, tzinfo=UTC)})
    assert store.query_one({})["at"] == datetime(2026, 1, 1, 12, 0, 0, 123000)


def test_update_replaces_by_key(filled):
    filled.update({"task_id": 3, "name": "changed"})
    found = filled.query_one({"task_id": 3})
    object_id = found.pop("_id")
    assert found == {"task_id": 3, "name": "changed"}
    assert filled.count() == 8
    filled.update({"task_id": 3, "name": "again"})
    assert filled.query_one({"task_id": 3})["_id"] == object_id


def test_update_by_other_keys(filled):
    filled.update({"name": "garnet", "t": 600, "task_id": 100}, key=["name", "t"])
    filled.update({"name": "garnet", "t": 700, "task_id": 101}, key=["name", "t"])
    filled.update({"name": "halide", "task_id": 103}, key="name")
    assert ids(filled.query({}, sort={"task_id": 1})) == [0, 2, 4, 5, 6, 7, 100, 101, 103]


def test_update_keeps_the_last_of_equal_keys(store):
    store.update([{"task_id": 1, "v": 1}, {"task_id": 1, "v": 2}])
    assert [document["v"] for document in store.query()] == [2]


def test_update_without_the_key_is_refused(store):
    with pytest.raises(KeyError):
        store.update({"name": "no key"})
    assert store.count() == 0


def test_update_of_what_was_read_keeps_its_id(filled):
    document = filled.query_one({"task_id": 1})
    filled.update({**document, "name": "renamed"})
    assert filled.query_one({"task_id": 1}) == {**document, "name": "renamed"}


def test_remove(filled):
    filled.remove_docs({"elements": "Li"})
    assert ids(filled.query({}, sort={"task_id": 1})) == [2, 3, 5, 6, 7]
    filled.remove_docs({"task_id": 2})
    filled.remove_docs({"task_id": 2})
    assert filled.count() == 4
    filled.remove_docs({})
    assert filled.count() == 0


def test_distinct(readable):
    assert sorted(readable.distinct("elements")) == ["Cl", "La", "Li", "Na", "O", "P", "S", "Si", "Ti", "Zr"]
    assert sorted(readable.distinct("sigma.value")) == [0.4, 1, 2.5]
    assert sorted(readable.distinct("name", {"elements": "Li"})) == ["Perovskite", "argyrodite", "garnet"]
    assert readable.distinct("nothing") == []
    assert len(readable.distinct("t")) == 7


def test_distinct_in_lists_of_dictionaries(readable, request):
    expect_difference(request, "distinct")
    assert sorted(readable.distinct("tags.k")) == ["a", "b"]


def test_groupby(store):
    store.update([{"task_id": n, "kind": {"name": "ab"[n % 2]}, "state": n // 4, "v": n} for n in range(8)])
    groups = {
        key["kind"]["name"]: sorted(document["v"] for document in documents)
        for key, documents in store.groupby("kind.name", properties=["v"])
    }
    assert groups == {"a": [0, 2, 4, 6], "b": [1, 3, 5, 7]}
    groups = {
        (key["kind"]["name"], key["state"]): len(documents)
        for key, documents in store.groupby(["kind.name", "state"], criteria={"v": {"$gt": 0}})
    }
    assert groups == {("a", 0): 1, ("b", 0): 2, ("a", 1): 2, ("b", 1): 2}


def test_ensure_index(filled):
    assert filled.ensure_index("name")
    assert filled.ensure_index("name")
    assert filled.ensure_index("sigma.value")
    assert filled.ensure_index("task_id", unique=True)
    assert ids(filled.query({"name": "garnet"})) == [1]


def test_unique_index_on_what_is_not_unique(store):
    store.update([{"task_id": 1, "name": "a"}, {"task_id": 2, "name": "a"}])
    assert not store.ensure_index("name", unique=True)


def test_unique_index_is_kept(filled):
    assert filled.ensure_index("name", unique=True)
    # maggma's MemoryStore fails on an attribute that it lacks; it fails.
    with pytest.raises(Exception, match=r"(?i)unique|duplicate|safe_update"):
        filled.update({"task_id": 100, "name": "garnet"})
    assert ids(filled.query({"name": "garnet"})) == [1]


def test_last_updated_and_newer_in(store, tmp_path):
    from maggma.stores import MemoryStore

    store.update([{"task_id": n, "last_updated": DAY + timedelta(hours=n)} for n in range(4)])
    assert store.last_updated == DAY + timedelta(hours=3)
    other = MemoryStore("other")
    other.connect()
    other.update([{"task_id": n, "last_updated": DAY + timedelta(hours=n, minutes=30)} for n in range(2, 5)])
    assert sorted(store.newer_in(other)) == [3, 4]
    assert sorted(other.newer_in(store)) == []
    assert sorted(store.newer_in(other, exhaustive=True)) == [2, 3, 4]


def test_empty_store(store):
    assert store.count() == 0
    assert store.query_one({"a": 1}) is None
    assert store.last_updated == datetime.min
    assert store.distinct("a") == []
    assert list(store.groupby("a")) == []
