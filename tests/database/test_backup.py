"""Everything a store keeps, in one file, and back into a store of either kind."""

from __future__ import annotations

import json
import time
import zipfile
from datetime import datetime

import pytest
from pymatgen.core import Lattice, Structure
from superion.database import backup as backup_module
from superion.database.backup import back_up, restore, unfinished_restore
from superion.database.campaigns import CampaignCollections
from superion.database.check import check_store
from superion.database.documents import CampaignRecord, OrderingSummary, StageDoc, StageSummary
from superion.database.properties import PropertyEstimate
from superion.database.provenance import collect_provenance
from superion.database.spool import SPOOL_VARIABLE
from superion.errors import StoreError
from superion.structures.fingerprint import structure_fingerprint
from support.candidate_rows import make_row
from support.mongo_server import database_on

LIF = Structure(Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
KINDS = ["embedded", pytest.param("mongo", marks=pytest.mark.services)]


@pytest.fixture(autouse=True)
def own_spool(tmp_path, monkeypatch):
    monkeypatch.setenv(SPOOL_VARIABLE, str(tmp_path / "spool"))


@pytest.fixture
def location_of(request, tmp_path):
    """(kind, name) -> location of an empty store."""
    opened = []

    def locate(kind, name):
        if kind == "embedded":
            (tmp_path / name).mkdir(exist_ok=True)
            return str(tmp_path / name / "results.db")
        context = database_on(request.getfixturevalue("mongo_server"))
        opened.append(context)
        return context.__enter__()

    yield locate
    for context in opened:
        context.__exit__(None, None, None)


def fill(location, n_candidates=3):
    """A campaign with structures, stage documents, and jobs with bulk data."""
    fingerprint = structure_fingerprint(LIF)
    with CampaignCollections.open(location) as collections:
        collections.save_campaign(CampaignRecord(campaign_id="c", file_text="name: c\n"))
        rows = [
            make_row(
                number,
                properties={"sigma_300k_ms_cm": PropertyEstimate(value=1.5, interval_95=(0.5, float("inf")))},
                stages={"probe": StageSummary(state="passed", stage_keys=[f"{number:064x}"])},
                orderings=[OrderingSummary(fingerprint=fingerprint, structure=LIF.as_dict())],
            )
            for number in range(n_candidates)
        ]
        collections.update_rows(rows)
        for number in range(n_candidates):
            document = StageDoc(
                formula="LiF",
                label="rock salt",
                provenance=collect_provenance(job_uuid=f"job-{number}"),
                stage="probe",
                stage_key=f"{number:064x}",
                state="completed",
                details={"looks": [1, 2.5, None, True], "odd": {"$date": "yesterday"}},
            )
            stored = {
                "uuid": f"job-{number}",
                "index": 1,
                "output": document.model_dump(),
                "completed_at": datetime(2026, 11, 22, 1, 2, 3, 456000),
                "frames": [[float(number), 0.1 + 0.2]] * 2000,
            }
            collections.jobs.update(stored, save={"data": ["frames"]})


def contents(location):
    """Everything that can be asked for, without the stores' own ids."""
    with CampaignCollections.open(location) as collections:
        rows = [row.model_dump() for row in collections.iter_rows("c", with_structures=True)]
        jobs = {}
        for entry in collections.jobs.query({}, load=True):
            entry.pop("_id")
            jobs[entry["uuid"], entry["index"]] = entry
        (record,) = collections.list_campaigns()
        documents = {key: doc.model_dump() for key, doc in collections.latest_stage_docs([f"{0:064x}"]).items()}
        assert check_store(collections).problems == ()
        return rows, jobs, record.model_dump(), documents


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_what_comes_back_is_what_was_there(source, target, location_of, tmp_path):
    origin, copy = location_of(source, "origin"), location_of(target, "copy")
    fill(origin)
    with CampaignCollections.open(origin) as collections:
        written = back_up(collections, tmp_path / "backup.zip")
    assert written.n_documents["jobs"] == written.n_documents["candidates"] == written.n_bulk == 3
    with CampaignCollections.open(copy) as collections:
        put = restore(collections, tmp_path / "backup.zip")
    assert (put.n_documents, put.n_bulk) == (written.n_documents, written.n_bulk)
    assert contents(copy) == contents(origin)


def test_ids_are_kept(location_of, tmp_path):
    """What was stored since a moment is asked for by id."""
    origin, copy = location_of("embedded", "a"), location_of("embedded", "b")
    fill(origin)
    ids = []
    with CampaignCollections.open(origin) as collections:
        back_up(collections, tmp_path / "b.zip")
        ids.append({entry["uuid"]: entry["_id"] for entry in collections.jobs.docs_store.query({})})
    with CampaignCollections.open(copy) as collections:
        restore(collections, tmp_path / "b.zip")
        ids.append({entry["uuid"]: entry["_id"] for entry in collections.jobs.docs_store.query({})})
    assert ids[0] == ids[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_holds_anything_is_refused_unless_told(kind, location_of, tmp_path):
    origin, other = location_of("embedded", "origin"), location_of(kind, "other")
    fill(origin, n_candidates=2)
    fill(other, n_candidates=3)
    with CampaignCollections.open(origin) as collections:
        back_up(collections, tmp_path / "b.zip")
    with CampaignCollections.open(other) as collections:
        with pytest.raises(StoreError, match=r"holds jobs already.*--overwrite"):
            restore(collections, tmp_path / "b.zip")
        restore(collections, tmp_path / "b.zip", overwrite=True)
    rows, jobs, _, _ = contents(other)
    assert len(rows) == len(jobs) == 3
    assert contents(origin)[1].items() <= jobs.items()


def interrupt_restore(location, path, monkeypatch):
    """End a restore when it comes to the candidates."""
    whole = backup_module._fill

    def die_at_candidates(part, reader):
        if part.member.startswith("candidates"):
            raise KeyboardInterrupt
        return whole(part, reader)

    with monkeypatch.context() as patch, CampaignCollections.open(location) as collections:
        patch.setattr(backup_module, "_fill", die_at_candidates)
        with pytest.raises(KeyboardInterrupt):
            restore(collections, path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("work", ["job", "campaign"])
def test_a_store_that_was_worked_with_is_not_restored_over(kind, work, location_of, tmp_path, monkeypatch):
    origin, copy = location_of("embedded", "origin"), location_of(kind, "copy")
    fill(origin)
    with CampaignCollections.open(origin) as collections:
        back_up(collections, tmp_path / "b.zip")
    interrupt_restore(copy, tmp_path / "b.zip", monkeypatch)
    time.sleep(2.1)
    with CampaignCollections.open(copy) as collections:
        if work == "job":
            collections.jobs.update({"uuid": "new", "index": 1, "output": 1})
        else:
            collections.save_campaign(CampaignRecord(campaign_id="c", file_text="name: c\n", paused=True))
        with pytest.raises(StoreError, match=r"was worked with since the restore of b.zip .*--overwrite"):
            restore(collections, tmp_path / "b.zip")
        restore(collections, tmp_path / "b.zip", overwrite=True)
        assert unfinished_restore(collections) is None
        assert collections.jobs.count() == (4 if work == "job" else 3)


@pytest.mark.parametrize(("kind", "target"), [("mongo", "mongo"), ("mongo", "embedded")])
@pytest.mark.services
def test_of_documents_with_one_key_the_newest_is_kept(kind, target, location_of, tmp_path):
    """Stores that were filled before the key was unique hold such."""
    origin, copy = location_of(kind, "origin"), location_of(target, "copy")
    with CampaignCollections.open(origin) as collections:
        raw = collections.jobs.docs_store._collection
        raw.drop_index("uuid_1_index_1")
        for uuid, times in (("a", ["2026-01-02", "2026-01-03", "2026-01-01"]), ("b", [None, None, None])):
            for number, completed_at in enumerate(times):
                raw.insert_one({"uuid": uuid, "index": 1, "output": number, "completed_at": completed_at})
        raw.insert_one({"uuid": "a", "index": 2, "output": 7})
        assert back_up(collections, tmp_path / "b.zip").n_documents["jobs"] == 3
    with CampaignCollections.open(copy) as collections:
        restore(collections, tmp_path / "b.zip")
        found = {(entry["uuid"], entry["index"]): entry["output"] for entry in collections.jobs.query({})}
    assert found == {("a", 1): 1, ("b", 1): 2, ("a", 2): 7}


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_restore_is_repeated(kind, location_of, tmp_path, monkeypatch):
    origin, copy = location_of("embedded", "origin"), location_of(kind, "copy")
    fill(origin)
    with CampaignCollections.open(origin) as collections:
        back_up(collections, tmp_path / "b.zip")
    interrupt_restore(copy, tmp_path / "b.zip", monkeypatch)
    with CampaignCollections.open(copy) as collections:
        assert unfinished_restore(collections) == "b.zip"
        assert any("did not end" in problem for problem in check_store(collections).problems)
        restore(collections, tmp_path / "b.zip")
        assert unfinished_restore(collections) is None
    assert contents(copy) == contents(origin)


@pytest.mark.services
def test_what_a_server_cannot_keep_is_refused_before_anything_is_written(location_of, tmp_path):
    origin, copy = location_of("embedded", "origin"), location_of("mongo", "copy")
    fill(origin)
    with CampaignCollections.open(origin) as collections:
        collections.jobs.docs_store.update({"uuid": "big", "index": 2, "output": "x" * 17_000_000}, ["uuid", "index"])
        back_up(collections, tmp_path / "b.zip")
    with CampaignCollections.open(copy) as collections:
        with pytest.raises(StoreError, match=r"job \(big, index 2\) takes 16.2 MiB") as caught:
            restore(collections, tmp_path / "b.zip")
        assert len(str(caught.value)) < 400
        assert collections.jobs.count() == collections.candidates.count() == 0
        assert unfinished_restore(collections) is None


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_bulk_data_does_not_hold_up_the_rest(kind, location_of, tmp_path):
    origin, copy = location_of(kind, "origin"), location_of("embedded", "copy")
    fill(origin)
    with CampaignCollections.open(origin) as collections:
        bulk = collections.jobs.additional_stores["data"]
        if kind == "embedded":
            sorted(bulk.blobs.root.rglob("*.zlib"))[1].write_bytes(b"x")
        else:
            entry = sorted(bulk._files_collection.find({}), key=lambda entry: str(entry["_id"]))[1]
            bulk._chunks_collection.delete_many({"files_id": entry["_id"]})
        written = back_up(collections, tmp_path / "b.zip")
    assert (written.n_documents["jobs"], written.n_bulk, len(written.missing)) == (3, 2, 1)
    assert "is missing in the backup" in written.missing[0]
    with CampaignCollections.open(copy) as collections:
        assert restore(collections, tmp_path / "b.zip").n_bulk == 2


def test_files_are_whole_private_and_not_replaced(location_of, tmp_path):
    origin = location_of("embedded", "origin")
    fill(origin)
    with CampaignCollections.open(origin) as collections:
        (tmp_path / "backups").mkdir()
        first = back_up(collections, tmp_path / "backups")
        assert first.path.parent == tmp_path / "backups"
        assert first.path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(StoreError, match="is there already"):
            back_up(collections, first.path)
        back_up(collections, first.path, overwrite=True)
        with pytest.raises(StoreError, match="cannot be written"):
            back_up(collections, tmp_path / "nowhere" / "b.zip")
        collections.jobs.docs_store.update({"uuid": "odd"}, key="uuid")
        with pytest.raises(StoreError, match="has no index"):
            back_up(collections, tmp_path / "backups" / "c.zip")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [first.path.name], "nothing half-written stays"


@pytest.mark.parametrize("damage", ["flipped", "cut", "member", "text", "newer", "stranger"])
def test_a_damaged_backup_adds_nothing(damage, location_of, tmp_path):
    origin, copy = location_of("embedded", "origin"), location_of("embedded", "copy")
    fill(origin)
    path, bad = tmp_path / "b.zip", tmp_path / "bad.zip"
    with CampaignCollections.open(origin) as collections:
        back_up(collections, path)
    data = path.read_bytes()
    if damage == "flipped":
        middle = data.index(b"candidates.jsonl") + 60
        bad.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    elif damage == "cut":
        bad.write_bytes(data[: len(data) // 2])
    elif damage == "text":
        bad.write_text("no archive")
    else:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(bad, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if damage == "member" and name == "candidates.jsonl":
                    content = content.replace(b"material 0", b"material 9")
                if damage == "newer" and name == "manifest.json":
                    content = json.dumps(json.loads(content) | {"format_version": 99}).encode()
                if damage == "stranger" and name == "manifest.json":
                    manifest = json.loads(content)
                    manifest["members"]["bulk/films.jsonl"] = manifest["members"]["jobs.jsonl"]
                    content = json.dumps(manifest).encode()
                new.writestr(name, content)
    with CampaignCollections.open(copy) as collections:
        with pytest.raises(StoreError) as caught:
            restore(collections, bad)
        assert "\n" not in str(caught.value)
        assert collections.jobs.count() == collections.candidates.count() == 0
        assert unfinished_restore(collections) is None
        with pytest.raises(StoreError, match="cannot be read"):
            restore(collections, tmp_path / "none.zip")


@pytest.mark.services
def test_the_check_of_a_server(location_of):
    """Indexes that are missing and doubles show; the probes leave nothing behind."""
    location = location_of("mongo", "x")
    fill(location)
    with CampaignCollections.open(location) as collections:
        assert check_store(collections).problems == ()
        raw = collections.jobs.docs_store._collection
        assert raw.database["superion_probes"].count_documents({}) == 0
        assert collections.jobs.additional_stores["data"].count() == 3
        raw.drop_index("output.stage_key_1")
        raw.drop_index("uuid_1_index_1")
        raw.database["outputs_data.files"].drop_index("metadata.blob_uuid_1")
        problems = check_store(collections).problems
        assert any("output.stage_key" in problem and "not indexed" in problem for problem in problems)
        assert any("twice" in problem for problem in problems)
        assert any(
            "metadata.blob_uuid of the additional store 'data' is not indexed" in problem for problem in problems
        )
    with CampaignCollections.open(location) as collections:
        assert check_store(collections).problems == (), "opening makes what is missing"
