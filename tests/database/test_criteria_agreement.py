"""Random documents and random criteria: what SQL narrows, what Python decides, what the others answer."""

from __future__ import annotations

import os
import random
import tempfile
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

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0.0, 1.0, 1.5, 0.1, 0.1 + 0.2, -2.5, 1e300, float("inf"), float("-inf"), float("nan")]),
    st.floats(allow_nan=False),
    st.sampled_from(["", "a", "b", "ab", "B", "1", "σ", '{"$date":"2026-01-01T00:00:00.000Z"}', "\x00", "x\x00y", "𝛔"]),
    st.sampled_from(DAYS),
    st.sampled_from([ObjectId("0" * 24), ObjectId("f" * 24)]),
    st.sampled_from([b"", b"\x00\xff"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
        st.dictionaries(st.sampled_from(["$date", "$oid", "$literal", "$number", "a b", 'q"', "é"]), inner, max_size=2),
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
    fields = st.dictionaries(paths, st.one_of(plain_values, operators(values, scalars)), min_size=1, max_size=2)
    return st.recursive(
        fields,
        lambda inner: st.dictionaries(
            st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=2
        ),
        max_leaves=3,
    )


criteria = criteria_of(paths, values, scalars)
sorts = st.dictionaries(paths.filter(lambda path: ".." not in path), st.sampled_from([1, -1]), max_size=2)


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


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.lists(documents, min_size=1, max_size=6),
    criteria=criteria,
    sort=sorts,
    skip=st.integers(0, 2),
    limit=st.integers(0, 3),
)
def test_sql_never_changes_the_answer(sqlite_pair, documents, criteria, sort, skip, limit):
    numbered = [{"n": n, **document} for n, document in enumerate(documents)]
    matches = compile_criteria(criteria)
    expected = [document for document in numbered if matches(document)]
    for path, direction in reversed(sort.items()):
        parts = split_path(path)
        expected.sort(key=lambda d: sort_key_at(d, parts, descending=direction < 0), reverse=direction < 0)
    ids = [document["n"] for document in expected]
    for store in sqlite_pair:
        store.remove_docs({})
        store.update(numbered)
        page = ids[skip : skip + limit] if limit else ids[skip:]
        assert [d["n"] for d in store.query(criteria, sort=sort, skip=skip, limit=limit)] == page
        assert store.count(criteria) == len(ids)
        # What came back is what went in, and removing takes exactly what matches.
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


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def random_document(generator: random.Random, number: int) -> dict[str, Any]:
    """A document of the kinds that a MongoDB server is asked about below."""

    def value(depth: int) -> Any:
        kind = generator.random()
        if depth == 0 or kind < 0.6:
            return generator.choice([None, True, False, 0, 1, 2, -3, 1.0, 1.5, "", "a", "b", "ab", *DAYS, 10**12])
        if kind < 0.8:
            return [value(depth - 1) for _ in range(generator.randrange(4))]
        return {field: value(depth - 1) for field in generator.sample(FIELDS, generator.randrange(3))}

    return {"n": number, **{field: value(3) for field in generator.sample(FIELDS, generator.randrange(4))}}


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
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
