"""Random documents and random criteria: what SQL narrows, what Python decides, what the others answer."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bson.objectid import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maggma.stores import MemoryStore
from superion.database.mongo_criteria import compile_criteria
from superion.database.mongo_paths import sort_key_at, split_path
from superion.database.mongo_projection import compile_projection
from superion.database.sqlite_store import SqliteStore

DAYS = [datetime(2026, 1, 1), datetime(2026, 1, 2, 3, 4, 5, 678000)]
FIELDS = "abc"
INDEXED_PATHS = ("a", "b", "a.a", "a.b", "b.c", "c.a.b")

COMMON = [None, True, False, 0, 1, 2, -3, 1.0, 1.5, 0.1, "", "a", "b", "ab", "1", *DAYS, 10**12]
RARE = [
    *(0.1 + 0.2, 1e300, -(2**63), 2**63 - 1, 2**53 + 1, float("inf"), float("-inf"), float("nan")),
    *("B", "σ", "𝛔", "\x00", "x\x00y", '{"$date":"2026-01-01T00:00:00.000Z"}', b"", b"\x00\xff"),
    *(ObjectId("0" * 24), ObjectId("f" * 24)),
]
TAGGED = ["$date", "$oid", "$literal", "$number", "a b", 'q"', "é"]

# Few values make for many matches.
scalars = st.one_of(st.sampled_from(COMMON), st.sampled_from(COMMON), st.sampled_from(RARE), st.floats(allow_nan=False))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
        st.dictionaries(st.sampled_from(TAGGED), inner, max_size=2),
    ),
    max_leaves=6,
)
documents = st.dictionaries(st.sampled_from(FIELDS), values, max_size=3)
paths = st.one_of(
    st.sampled_from(FIELDS),
    st.lists(st.sampled_from(FIELDS), min_size=2, max_size=3).map(".".join),
    st.sampled_from(["a.0", "b.1.a", "a.$date", "a.a b", 'b.q"', "c.é", "a..b"]),
)


def operators(values: st.SearchStrategy, scalars: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    """One or two operators beside a field."""
    plain = st.one_of(
        *[st.fixed_dictionaries({name: values}) for name in ("$eq", "$ne")],
        *[st.fixed_dictionaries({name: scalars}) for name in ("$gt", "$gte", "$lt", "$lte")],
        *[st.fixed_dictionaries({name: st.lists(values, max_size=3)}) for name in ("$in", "$nin")],
        st.fixed_dictionaries({"$gte": scalars, "$lt": scalars}),
        st.fixed_dictionaries({"$exists": st.booleans()}),
        st.fixed_dictionaries({"$size": st.integers(0, 3)}),
        st.fixed_dictionaries({"$all": st.lists(scalars, max_size=2)}),
        st.fixed_dictionaries(
            {"$type": st.sampled_from(["number", "string", "bool", "array", "object", "null", "date"])}
        ),
        st.fixed_dictionaries({"$regex": st.sampled_from(["^a", "b$", "a", "^$", "x"])}),
        st.fixed_dictionaries({"$mod": st.tuples(st.integers(1, 3), st.integers(-1, 2)).map(list)}),
        st.fixed_dictionaries({"$elemMatch": st.fixed_dictionaries({"$gt": scalars})}),
        st.fixed_dictionaries(
            {"$elemMatch": st.dictionaries(st.sampled_from(FIELDS), scalars, min_size=1, max_size=2)}
        ),
    )
    return st.one_of(plain, st.fixed_dictionaries({"$not": plain}))


def criteria_of(paths: st.SearchStrategy, values: st.SearchStrategy, scalars: st.SearchStrategy) -> st.SearchStrategy:
    """Whole criteria, nested."""
    # A dictionary to be equal to may look like an operator; only its first key decides.
    plain_values = values.filter(lambda value: not (isinstance(value, dict) and any(k.startswith("$") for k in value)))
    conditions = st.one_of(plain_values, operators(values, scalars), operators(values, scalars))
    fields = st.dictionaries(paths, conditions, min_size=1, max_size=2)
    # What one condition gets wrong, others beside it often hide: most criteria have one only.
    single = st.tuples(paths, conditions).map(lambda pair: dict([pair]))
    return (
        single
        | single
        | st.recursive(
            fields,
            lambda inner: st.dictionaries(
                st.sampled_from(["$and", "$or", "$nor"]),
                st.lists(inner, min_size=1, max_size=2),
                min_size=1,
                max_size=2,
            ),
            max_leaves=3,
        )
    )


criteria = criteria_of(paths, values, scalars)
sorts = st.dictionaries(paths.filter(lambda path: ".." not in path), st.sampled_from([1, -1]), max_size=2)


def random_document(generator: random.Random, number: int, *, tame: bool = False, rare: bool = False) -> dict[str, Any]:
    """A document of few different values; a tame one holds what SQL alone can judge, below dictionaries."""

    def value(depth: int) -> Any:
        kind = generator.random()
        if depth == 0 or kind < (0.85 if tame else 0.6):
            return generator.choice(RARE if rare and generator.random() < 0.1 else COMMON)
        if kind < 0.8 and not tame:
            return [value(depth - 1) for _ in range(generator.randrange(4))]
        fields = TAGGED if rare and generator.random() < 0.1 else FIELDS
        return {field: value(depth - 1) for field in generator.sample(fields, generator.randrange(3))}

    if tame:
        # One kind of value for each field, so that indexes on "a" and "b.c" serve; "c" is mixed.
        fields = {"a": generator.choice(COMMON), "b": {"c": generator.choice(COMMON)}, "c": value(2)}
        return {"n": number, **{f: fields[f] for f in generator.sample(FIELDS, generator.randrange(1, 4))}}
    return {"n": number, **{field: value(3) for field in generator.sample(FIELDS, generator.randrange(4))}}


@pytest.fixture(scope="module")
def memory_folder():
    """A folder in memory where the system has one: thousands of commits wait for no disk there."""
    if not os.access("/dev/shm", os.W_OK):
        yield None
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def sqlite_pair(memory_folder, tmp_path_factory):
    """Two stores of ours, without and with indexes."""
    folder = memory_folder or tmp_path_factory.mktemp("agreement")
    pair = SqliteStore(folder / "plain.db", key="n"), SqliteStore(folder / "indexed.db", key="n")
    for store in pair:
        store.connect()
    for path in INDEXED_PATHS:
        assert pair[1].ensure_index(path)
    yield pair
    for store in pair:
        store.close()


@pytest.fixture(scope="module", params=["wild", "tame"])
def read_only(request, memory_folder, tmp_path_factory):
    """100 documents, and stores of them without and with indexes."""
    generator = random.Random(request.param)
    numbered = [random_document(generator, n, tame=request.param == "tame", rare=True) for n in range(100)]
    folder = (memory_folder or tmp_path_factory.mktemp("agreement")) / request.param
    folder.mkdir()
    stores = SqliteStore(folder / "plain.db", key="n"), SqliteStore(folder / "indexed.db", key="n")
    for store in stores:
        store.connect()
        store.update(numbered)
    for path in INDEXED_PATHS:
        assert stores[1].ensure_index(path)
    yield numbered, stores
    for store in stores:
        store.close()


def answer(documents: list[dict[str, Any]], criteria: dict[str, Any], sort: dict[str, int]) -> list[int]:
    """What Python alone makes of criteria and order."""
    matches = compile_criteria(criteria)
    found = [document for document in documents if matches(document)]
    if sort and list(sort.values())[-1] < 0:
        found.reverse()  # so ties come out in the reverse of the order of insertion
    for path, direction in reversed(sort.items()):
        parts = split_path(path)
        found.sort(key=lambda d: sort_key_at(d, parts, descending=direction < 0), reverse=direction < 0)
    return [document["n"] for document in found]


def every_single_condition() -> Iterator[Any]:
    """Each operator with each value; what one condition gets wrong, others beside it would often hide."""
    for value in [*COMMON, *RARE, [], ["a"], [1, 2], {}, {"c": 1}]:
        yield value
        for operator in ("$ne", "$gt", "$gte", "$lt", "$lte"):
            yield {operator: value}
        yield {"$in": [value, "b"]}
        yield {"$nin": [value, 2]}
        yield {"$not": {"$lte": value}}
    for flag in (True, False):
        yield {"$exists": flag}
        yield {"$not": {"$exists": flag}}
    yield from ({"$size": 1}, {"$regex": "^a"}, {"$not": {"$regex": "a"}}, {"$all": ["a"]}, {"$all": []}, {"$in": []})
    yield from ({"$gte": 0, "$lt": 2}, {"$gt": "", "$lte": "b"}, {"$gte": DAYS[0], "$lt": DAYS[1]}, {"$mod": [2, 0]})
    yield from ({"$type": kind} for kind in ("number", "string", "bool", "object", "array", "null", "date"))


@pytest.mark.parametrize("path", ["a", "b.c", "c"])
def test_sql_never_changes_the_answer_to_one_condition(read_only, path):
    numbered, stores = read_only
    plain, indexed = stores
    for n, condition in enumerate(every_single_condition()):
        criteria = {path: condition} if n % 3 else {"$nor": [{path: condition}]}
        ids = answer(numbered, criteria, {})
        assert [d["n"] for d in indexed.query(criteria, properties=["n"])] == ids, criteria
        assert indexed.count(criteria) == len(ids), criteria
        if n % 2:
            assert [d["n"] for d in plain.query(criteria, properties=["n"])] == ids, criteria


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(criteria=criteria, sort=sorts, skip=st.integers(0, 20), limit=st.integers(0, 20))
def test_sql_never_changes_the_answer(read_only, criteria, sort, skip, limit):
    numbered, stores = read_only
    ids = answer(numbered, criteria, sort)
    page = ids[skip : skip + limit] if limit else ids[skip:]
    for store in stores:
        assert [d["n"] for d in store.query(criteria, sort=sort, skip=skip, limit=limit)] == page
        assert store.count(criteria) == len(ids)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(documents, min_size=1, max_size=6), criteria=criteria)
def test_what_is_written_comes_back_and_what_matches_is_removed(sqlite_pair, documents, criteria):
    numbered = [{"n": n, **document} for n, document in enumerate(documents)]
    ids = answer(numbered, criteria, {})
    for store in sqlite_pair:
        store.remove_docs({})
        store.update(numbered)
        assert repr([store.query_one({"n": n}, {"_id": 0}) for n in range(len(numbered))]) == repr(numbered)
        store.remove_docs(criteria)
        assert [d["n"] for d in store.query({})] == [d["n"] for d in numbered if d["n"] not in ids]


# mongomock differs where test_store_contract says; the fragment below leaves those parts out.
faithful_scalars = st.one_of(
    st.integers(-3, 3), st.sampled_from([1.5, -0.5, "a", "b", "ab", ""]), st.sampled_from(DAYS)
)
faithful_documents = st.dictionaries(
    st.sampled_from(FIELDS),
    st.one_of(faithful_scalars, st.lists(faithful_scalars, min_size=1, max_size=3)),
    max_size=3,
)
faithful_criteria = st.recursive(
    st.dictionaries(
        st.sampled_from(FIELDS),
        st.one_of(
            faithful_scalars,
            *[st.fixed_dictionaries({o: faithful_scalars}) for o in ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")],
            *[st.fixed_dictionaries({o: st.lists(faithful_scalars, max_size=3)}) for o in ("$in", "$nin")],
            st.fixed_dictionaries({"$exists": st.booleans()}),
            st.fixed_dictionaries({"$not": st.fixed_dictionaries({"$gt": faithful_scalars})}),
            st.fixed_dictionaries({"$all": st.lists(faithful_scalars, min_size=1, max_size=2)}),
            st.fixed_dictionaries({"$regex": st.sampled_from(["^a", "b$"])}),
        ),
        min_size=1,
        max_size=2,
    ),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=1
    ),
    max_leaves=3,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(faithful_documents, min_size=1, max_size=6), criteria=faithful_criteria)
def test_agrees_with_maggmas_memory_store(sqlite_pair, documents, criteria):
    numbered = [{"n": n, **document} for n, document in enumerate(documents)]
    memory = MemoryStore("agreement", key="n")
    memory.connect()
    memory.update(numbered)
    expected = [document["n"] for document in memory.query(criteria, sort={"n": 1})]
    for store in sqlite_pair:
        store.remove_docs({})
        store.update(numbered)
        assert [document["n"] for document in store.query(criteria, sort={"n": 1})] == expected
        assert store.count(criteria) == memory.count(criteria)


server_scalars = st.one_of(
    st.booleans(), st.integers(-3, 3), st.sampled_from([1.0, 1.5, 10**12, "", "a", "b", "ab"]), st.sampled_from(DAYS)
)
server_values = st.one_of(
    server_scalars, st.lists(server_scalars, max_size=2), st.dictionaries(st.sampled_from(FIELDS), server_scalars)
)
server_paths = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3).map(".".join)


@pytest.fixture(scope="module")
def on_the_server(open_store, tmp_path_factory):
    """200 documents on the MongoDB-wire server and in a store of ours."""
    generator = random.Random(20261122)
    numbered = [random_document(generator, n) for n in range(200)]
    folder = tmp_path_factory.mktemp("server")
    server = open_store("mongo", folder)
    ours = SqliteStore(folder / "ours.db", key="n")
    ours.connect()
    for store in (server, ours):
        store.update(numbered, key="n")
    for path in INDEXED_PATHS:
        ours.ensure_index(path)
    yield server, ours
    server.close()
    ours.close()


@pytest.mark.services
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(criteria=criteria_of(server_paths, server_values, server_scalars))
def test_agrees_with_a_mongodb_wire_server(on_the_server, criteria):
    server, ours = on_the_server
    if not os.environ.get("MONGO_URI") and has_all_below_a_path(criteria):
        return  # the test server does not look into dictionaries in lists for $all
    expected = [document["n"] for document in server.query(criteria, sort={"n": 1})]
    assert [document["n"] for document in ours.query(criteria, sort={"n": 1})] == expected


def has_all_below_a_path(criteria: dict[str, Any]) -> bool:
    """Whether `$all` stands beside a dotted path anywhere."""
    for key, condition in criteria.items():
        if key.startswith("$"):
            if any(has_all_below_a_path(part) for part in condition):
                return True
        elif "." in key and "$all" in str(condition):
            return True
    return False


plain_paths = paths.filter(lambda path: "$" not in path)


@settings(max_examples=200)
@given(document=documents, fields=st.lists(plain_paths, min_size=1, max_size=2, unique=True))
def test_projections_split_a_document_in_two(document, fields):
    """What is included and what is excluded are parts of the document, for any fields."""
    nested = any(a != b and (a + ".").startswith(b + ".") for a in fields for b in fields)
    if nested:
        return
    kept = compile_projection({**dict.fromkeys(fields, 1), "_id": 0})(document)
    left = compile_projection(dict.fromkeys(fields, 0))(document)
    assert set(kept) <= set(document)
    assert set(left) <= set(document)
    top = {field for field in fields if "." not in field}
    assert all(repr(kept[field]) == repr(document[field]) for field in top & set(document))
    assert not top & set(left)
    untouched = set(document) - {field.partition(".")[0] for field in fields}
    assert all(repr(left[field]) == repr(document[field]) for field in untouched)
    assert not untouched & set(kept)
