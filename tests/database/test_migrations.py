"""Documents that an older superion wrote are brought to the newest layouts."""

from __future__ import annotations

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.check import check_store
from superion.database.documents import CampaignRecord, CandidateSummary, StageDoc
from superion.database.migrations import Migration, migrate, register_migration
from superion.database.migrations.registry import MIGRATIONS
from superion.errors import StoreError
from support.candidate_rows import make_row


@pytest.fixture(params=["embedded", pytest.param("mongo", marks=pytest.mark.services)])
def collections(request, tmp_path):
    location = tmp_path / "results.db" if request.param == "embedded" else request.getfixturevalue("database")
    with CampaignCollections.open(location) as opened:
        opened.save_campaign(CampaignRecord(campaign_id="c", file_text="x"))
        opened.update_rows(make_row(number) for number in range(3))
        yield opened


@pytest.fixture
def two_steps(monkeypatch):
    """Layouts 2 and 3 of rows, and 2 of stage documents, that exist in this test only."""
    monkeypatch.setattr(CandidateSummary.model_fields["schema_version"], "default", 3)
    monkeypatch.setattr(StageDoc.model_fields["schema_version"], "default", 2)
    for place, migration in {
        ("candidate_summary", 1): lambda d: {**d, "label": d["label"].upper()},
        ("candidate_summary", 2): lambda d: {**d, "label": d["label"] + "!"},
        ("stage", 1): lambda d: {**d, "reason": "migrated"},
    }.items():
        monkeypatch.setitem(
            MIGRATIONS,
            place,
            Migration(kind=place[0], from_version=place[1], description=f"step {place[1]}", upgrade=migration),
        )


@pytest.mark.usefixtures("two_steps")
def test_steps_are_applied_in_order_and_once(collections):
    stage = {"doc_type": "stage", "schema_version": 1, "stage_key": "k"}
    collections.jobs.docs_store.update({"uuid": "u", "index": 1, "output": stage}, key=["uuid", "index"])
    planned = migrate(collections, dry_run=True)
    assert [(c.kind, c.from_version, c.to_version, c.n_documents) for c in planned] == [
        ("candidate_summary", 1, 3, 3),
        ("stage", 1, 2, 1),
    ]
    assert planned[0].descriptions == ("step 1", "step 2")
    assert collections.candidates.query_one({})["schema_version"] == 1
    assert migrate(collections) == planned
    labels = {entry["label"] for entry in collections.candidates.query({"schema_version": 3})}
    assert labels == {"MATERIAL 0!", "MATERIAL 1!", "MATERIAL 2!"}
    assert collections.jobs.docs_store.query_one({"uuid": "u"})["output"]["reason"] == "migrated"
    assert migrate(collections) == []


def test_a_missing_step_stops_before_anything_is_changed(collections, monkeypatch):
    monkeypatch.setattr(CandidateSummary.model_fields["schema_version"], "default", 2)
    with pytest.raises(StoreError, match="No migration leads candidate_summary"):
        migrate(collections)
    assert collections.candidates.count({"schema_version": 1}) == 3


def test_a_newer_store_is_refused(collections):
    row = collections.candidates.query_one({"key": "c/0001"})
    collections.candidates.update({**row, "schema_version": 7})
    with pytest.raises(StoreError, match="update superion"):
        migrate(collections)


def test_fields_to_search_by_are_renewed(collections):
    row = collections.candidates.query_one({"key": "c/0001"})
    collections.candidates.update({**row, "search": {}})
    (count,) = migrate(collections)
    assert (count.kind, count.n_documents) == ("candidate_summary", 1)
    assert collections.candidates.query_one({"key": "c/0001"})["search"] == row["search"]
    assert migrate(collections) == []


def test_a_step_is_registered_once():
    step = Migration(kind="nothing", from_version=1, description="x", upgrade=dict)
    try:
        assert register_migration(step) is register_migration(step)
        with pytest.raises(StoreError, match="already"):
            register_migration(Migration(kind="nothing", from_version=1, description="y", upgrade=dict))
    finally:
        MIGRATIONS.pop(("nothing", 1), None)


def test_problems_of_a_store_are_named(collections):
    assert check_store(collections).problems == ()
    collections.update_rows([make_row(1, campaign_id="lost")])
    broken = collections.candidates.query_one({"key": "c/0002"})
    collections.candidates.update({**broken, "status": "nonsense"})
    report = check_store(collections)
    assert report.n_candidates == 4
    assert any("lost" in problem for problem in report.problems)
    assert any("c/0002" in problem for problem in report.problems)
