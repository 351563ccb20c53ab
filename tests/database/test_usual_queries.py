"""Each usual query has an index that answers it, in the embedded store and on a server."""

from __future__ import annotations

import json
import random
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from superion.database.campaigns import CampaignCollections
from superion.database.candidate_rows import row_to_document
from superion.database.check_access import check_access
from superion.database.mongo_criteria import compile_criteria
from superion.database.properties import PropertyEstimate
from superion.database.property_names import indexed_names
from superion.database.query import ScanWarning, query_candidates
from superion.database.sqlite_store import SqliteStore
from superion.database.usual_queries import (
    has_index,
    query_hint,
    usual_indexes,
    usual_queries,
)
from superion.scripts.cli import main
from support.candidate_rows import make_row
from support.wire_server import WireServer

N_ROWS = 300


def some_rows() -> list:
    """Rows over three campaigns, σ known of half of them."""
    draw = random.Random(1)
    rows = []
    for number in range(N_ROWS):
        elements = sorted({"Li", *draw.sample(["P", "S", "O", "Cl", "Zr"], 2)})
        properties = {"mean_atomic_mass_amu": PropertyEstimate(value=draw.uniform(10, 90))}
        if number % 2:
            sigma = draw.lognormvariate(0, 3)
            properties["sigma_300k_ms_cm"] = PropertyEstimate(value=sigma, interval_95=(sigma / 2, 2 * sigma))
            properties["energy_above_hull_ev_per_atom"] = PropertyEstimate(value=draw.expovariate(20))
        changes = {"campaign_id": f"campaign-{number % 3}", "status": draw.choice(["done", "rejected"])}
        rows.append(make_row(number, elements=elements, properties=properties, stage="relax", **changes))
    return rows


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mongo", marks=pytest.mark.services)])
def collections(request, tmp_path_factory):
    location = str(tmp_path_factory.mktemp("usual") / "results.db")
    if request.param == "mongo":
        location = request.getfixturevalue("mongo_uri")
    with CampaignCollections.open(location) as opened:
        opened.candidates.remove_docs({})
        opened.update_rows(some_rows())
        if isinstance(opened.candidates, SqliteStore):
            opened.candidates._collection.database.connection().execute("ANALYZE")
        yield opened


def stages_of(plan) -> set[str]:
    """The names of all stages in a server's plan."""
    found = set()
    if isinstance(plan, dict):
        found = {plan["stage"]} if isinstance(plan.get("stage"), str) else set()
        for inside in plan.values():
            found |= stages_of(inside)
    elif isinstance(plan, list):
        for inside in plan:
            found |= stages_of(inside)
    return found


@pytest.mark.parametrize("query", usual_queries(), ids=lambda query: query.name)
def test_an_index_answers(collections, query, monkeypatch):
    # in a small collection every element is rare, and rows would be sorted after they were found
    monkeypatch.setattr("superion.database.sqlite_items.RARE_UP_TO", 0)
    store = collections.candidates
    hint = query_hint(store, query.criteria, query.sort)
    assert_an_index_answers(store, dict(query.criteria), dict(query.sort), **hint)


def assert_an_index_answers(store, criteria, sort, hint=None, *, in_order=True) -> None:
    """See in the plan of either store that no row is looked at for nothing."""
    if isinstance(store, SqliteStore):
        plan = store.explain(criteria, sort)
        assert not any(("TEMP B-TREE" in line and in_order) or "PYTHON" in line for line in plan), plan
        assert any("USING" in line and "INDEX" in line for line in plan if "documents_candidates" in line), plan
        return
    # the test server looks through everything as soon as a condition is left over, unless it is told the index
    cursor = store._collection.find(criteria).sort(list(sort.items()) or [("key", 1)]).hint(list(hint.items()))
    plan = cursor.explain()["queryPlanner"]["winningPlan"]
    assert "IXSCAN" in stages_of(plan), json.dumps(plan, default=str)
    assert "COLLSCAN" not in stages_of(plan)


SIGMA_ABOVE, HULL_BELOW = {"thresholds": {"sigma_300k": "0.1 mS/cm"}}, {"thresholds": {"energy_above_hull": "30 meV"}}
SIGMA_ABOVE_HULL_BELOW = {"thresholds": SIGMA_ABOVE["thresholds"] | HULL_BELOW["thresholds"]}
USUAL_FLAGS = [
    {},
    {"campaign": "campaign-1"},
    {"campaign": "campaign-1", "status": "done"},
    {"campaign": "campaign-1", "status": "done"} | SIGMA_ABOVE,
    {"campaign": "campaign-1"} | SIGMA_ABOVE,
    *({"campaign": "campaign-1", "sort": f"-{name}"} for name in indexed_names(in_campaigns=True)),
    *({"sort": name} for name in indexed_names()),
    SIGMA_ABOVE,
    HULL_BELOW,
    SIGMA_ABOVE_HULL_BELOW,
    {"elements": "Li,P"},
    {"elements": "Li,P"} | SIGMA_ABOVE,
    {"elements": "Li,P"} | SIGMA_ABOVE_HULL_BELOW,
    {"elements": "Li,P", "campaign": "campaign-1", "status": "done"} | SIGMA_ABOVE_HULL_BELOW,
    {"where": "label = argyrodite"},
    {"where": "formula = Li6PS5Cl"},
    {"where": "formula = Li6PS5Cl and sigma_300k >= 0.1 mS/cm"},
    {"where": "surely (sigma_300k > 0.1 mS/cm)"},
    {"where": "surely (sigma_300k < 0.1 mS/cm)"},
    {"where": "surely (sigma_300k < 0.1 mS/cm)", "sort": "sigma_300k.high"},
    {"sort": "-sigma_300k.low"},
    {"sort": "-updated_at"},
]
"""What docs/query.md calls usual, by the flags of the command line."""


@pytest.mark.parametrize("limit", [20, 0], ids=["a page", "all"])
@pytest.mark.parametrize("flags", USUAL_FLAGS, ids=str)
def test_an_index_answers_what_the_flags_ask(collections, flags, limit, monkeypatch):
    monkeypatch.setattr("superion.database.sqlite_items.RARE_UP_TO", 0)
    monkeypatch.setattr("superion.database.query.SCAN_WARNING_ROWS", 1)
    store = collections.candidates
    asked, query = [], store.query

    def listen(criteria, **arguments):
        asked.append((criteria, arguments["sort"], arguments.get("hint")))
        return query(criteria, **arguments)

    monkeypatch.setattr(store, "query", listen)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScanWarning)
        query_candidates(collections, limit=limit, **flags)
    monkeypatch.undo()
    monkeypatch.setattr("superion.database.sqlite_items.RARE_UP_TO", 0)
    for criteria, sort, hint in asked:
        # few rows, those with one label and those that lack what is sorted by, may be found first and sorted then
        in_order = "label" not in criteria and sort != {"key": 1}
        assert_an_index_answers(store, criteria, sort, hint, in_order=in_order)


@pytest.mark.parametrize("query", usual_queries(), ids=lambda query: query.name)
def test_it_is_known_to_have_one(query):
    assert has_index(query.criteria, query.sort)


def test_other_queries_are_known_to_have_none():
    assert not has_index({"reason": "melted"})
    assert not has_index({"mobile_ion": "Li"}, {"updated_at": -1})
    assert not has_index({}, {"n_elements": 1})
    assert len(usual_indexes()) == len({index.paths for index in usual_indexes()})


@pytest.mark.parametrize("query", usual_queries(), ids=lambda query: query.name)
def test_the_answers_are_right(collections, query):
    found = list(collections.candidates.query(dict(query.criteria), sort=dict(query.sort)))
    everything = list(collections.candidates.query({}))
    matches = compile_criteria(dict(query.criteria))
    assert sorted(row["key"] for row in found) == sorted(row["key"] for row in everything if matches(row))
    for path, direction in query.sort.items():
        values = [value_at(row, path) for row in found]
        assert values == sorted(values, reverse=direction < 0)


def value_at(row, path):
    for part in path.split("."):
        row = row[part]
    return row


LISTS = st.one_of(
    st.none(),
    st.sampled_from(["Li", "S"]),
    st.lists(st.sampled_from(["Li", "S", "O", "P"]), max_size=4),
    st.lists(st.one_of(st.integers(0, 2), st.sampled_from(["Li", "a\x00b"]), st.just(["Li"])), max_size=3),
)
ITEMS = st.lists(st.sampled_from(["Li", "S", "O", "X", "a\x00b"]), min_size=1, max_size=3)
CONDITIONS = st.one_of(
    st.sampled_from(["Li", "X"]),
    st.fixed_dictionaries({}, optional={"$all": ITEMS, "$in": ITEMS, "$nin": ITEMS, "$ne": st.just("Li")}).filter(bool),
    st.just({"$size": 2}),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(LISTS, LISTS), max_size=8), CONDITIONS, st.sampled_from([{}, {"n": 1}, {"n": -1}]))
def test_the_index_on_items_never_changes_the_answer(tmp_path_factory, lists, condition, sort):
    store = SqliteStore(tmp_path_factory.mktemp("items") / "items.db", "rows", key="n")
    store.connect()
    before = [{"n": n, **({} if old is None else {"elements": old})} for n, (old, _) in enumerate(lists)]
    store.update(before[::2])
    assert store.ensure_item_index("elements")
    assert store.ensure_item_index("elements")
    assert store.ensure_index("n")
    store.update(before)
    after = [{"n": n, **({} if new is None else {"elements": new})} for n, (_, new) in enumerate(lists)]
    store.update(after[1:])
    store.remove_docs({"n": 2})
    held = [row for row in [*before[:1], *after[1:]] if row["n"] != 2]
    matches = compile_criteria({"elements": condition})
    expected = [row["n"] for row in held if matches(row)]
    found = [row["n"] for row in store.query({"elements": condition}, sort=sort)]
    assert sorted(found) == expected
    assert store.count({"elements": condition}) == len(expected)
    if sort:
        assert found == sorted(found, reverse=sort["n"] < 0)
    store.close()


def test_rare_items_lead_and_common_ones_are_checked(tmp_path):
    store = SqliteStore(tmp_path / "items.db", "rows", key="n")
    store.connect()
    store.ensure_item_index("elements")
    store.ensure_index("n")
    store.update([{"n": n, "elements": ["Li", "Tm"] if n % 1000 == 0 else ["Li"]} for n in range(3000)])
    common, rare = (store.explain({"elements": item}, {"n": -1}) for item in ("Li", "Tm"))
    assert "rows:n:values" in " ".join(common)
    assert not any("TEMP B-TREE FOR ORDER" in line for line in common)
    assert "SEARCH documents_rows USING INTEGER PRIMARY KEY" in " ".join(rare)
    assert [row["n"] for row in store.query({"elements": "Tm"}, sort={"n": -1})] == [2000, 1000, 0]
    store.close()


@pytest.fixture(scope="module")
def guarded(mongo_server, tmp_path_factory):
    """Addresses on one server of a user who may write and of one who may only read; no candidate has an index yet."""
    server = WireServer(tmp_path_factory.mktemp("guarded"))
    server.start()
    try:
        with MongoClient(server.uri) as client:
            for name, role in (("writer", "readWrite"), ("reader", "read")):
                client.admin.command("createUser", name, pwd="pw", roles=[{"role": role, "db": "superion"}])
            client["superion"]["candidates"].insert_one({"key": "other"})
        server.stop()
        server.start("--auth")
        host = f"127.0.0.1:{server.port}/superion?authSource=admin"
        yield tuple(f"mongodb://{name}:pw@{host}" for name in ("writer", "reader"))
    finally:
        server.stop()


@pytest.mark.services
def test_who_may_only_read_can_ask_and_is_told_of_missing_indexes(guarded, capfd):
    writer, reader = guarded
    with MongoClient(writer) as client:
        client["superion"]["candidates"].delete_many({})
        client["superion"]["candidates"].insert_many([row_to_document(row) for row in some_rows()])
    with CampaignCollections.open(reader, create=False) as collections:
        assert collections.missing_indexes == frozenset(usual_indexes())
        assert (
            len(query_candidates(collections, thresholds={"sigma_300k": "0.1 mS/cm", "energy_above_hull": "30 meV"}))
            > 5
        )
        assert any("indexes of the usual queries of candidates are missing" in one for one in check_access(collections))
    assert main(["db", "index", "--store", reader]) == 0
    assert f"problem: {len(usual_indexes())} indexes are missing" in capfd.readouterr().err
    assert main(["db", "index", "--store", writer]) == 0
    assert "problem" not in capfd.readouterr().err
    # now they are there, and nobody needs to make them
    with CampaignCollections.open(reader, create=False) as collections:
        assert collections.missing_indexes == frozenset()
