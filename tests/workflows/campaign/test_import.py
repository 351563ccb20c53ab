"""Exports from strangers: whatever is in them, one sentence, no object is built, and nothing is stored."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.database.campaigns import CampaignCollections
from superion.database.documents.campaign_record import CampaignRecord
from superion.database.documents.candidate_summary import (
    CandidateOrigin,
    CandidateSummary,
    OrderingSummary,
    StageSummary,
)
from superion.database.documents.stage import StageDoc
from superion.database.properties import PropertyEstimate
from superion.database.provenance import collect_provenance
from superion.errors import SuperionError
from superion.structures.fingerprint import structure_fingerprint
from superion.structures.plain_structure import structure_from_plain
from superion.workflows.campaign import archive
from superion.workflows.campaign.archive import CANDIDATES, DOCUMENTS, MANIFEST, MEMBERS, RECORD
from superion.workflows.campaign.export import export_campaign
from superion.workflows.campaign.import_campaign import import_campaign

NACL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.1), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
KEY = "ab" * 32


def stage_doc(state="completed", value=1.0):
    """A stage document with an unbounded interval."""
    found = {"sigma_300k_ms_cm": PropertyEstimate(value=value, interval_95=(0.1, float("inf")))}
    return StageDoc(
        formula="LiCl",
        label="LiCl",
        provenance=collect_provenance(job_uuid="x"),
        stage="probe",
        stage_key=KEY,
        state=state,
        properties=found if state == "completed" else {},
        reason=None if state == "completed" else "its process died",
        structure=NACL.as_dict(),
        details={"n_steps": 3},
    )


def row():
    """A row with its structure."""
    return CandidateSummary(
        key="theirs/one",
        campaign_id="theirs",
        candidate_id="one",
        label="LiCl",
        formula="LiCl",
        elements=["Cl", "Li"],
        n_elements=2,
        origins=[CandidateOrigin(source="files", identifier="LiCl.cif")],
        status="done",
        stages={"probe": StageSummary(state="passed", stage_keys=[KEY])},
        orderings=[OrderingSummary(fingerprint=structure_fingerprint(NACL), structure=NACL.as_dict())],
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def stored(document, uuid="00000000-0000-0000-0000-000000000001"):
    """As a job would store it."""
    return {"uuid": uuid, "index": 1, "name": "probe", "output": document.model_dump()}


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """The members of a good export."""
    folder = tmp_path_factory.mktemp("theirs")
    with CampaignCollections.open(folder / "store.db") as collections:
        record = CampaignRecord(campaign_id="theirs", file_text="name: theirs", base_folder="/home/me/secret")
        collections.save_campaign(record)
        collections.register_candidates([row()])
        collections.jobs.update(stored(stage_doc()), key=["uuid", "index"])
        export_campaign(record, collections, folder / "good.zip")
    with zipfile.ZipFile(folder / "good.zip") as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def pack(path: Path, members: dict[str, bytes], compression=zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(path, "w", compression) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def changed(members, member, change):
    """Change the first line of a member as plain data."""
    data = json.loads(members[member])
    change(data)
    return members | {member: json.dumps(data).encode()}


def contents(collections):
    """Everything in a store."""
    stores = (collections.campaigns, collections.candidates, collections.structures, collections.jobs.docs_store)
    return [entry for store in stores for entry in store.query({})]


def test_a_good_export_comes_in(members, tmp_path):
    assert b"secret" not in b"".join(members.values())
    path = pack(tmp_path / "good.zip", members)
    with CampaignCollections.open(tmp_path / "store.db") as collections:
        assert import_campaign(path, collections).n_candidates == 1
        mine = collections.get_row("theirs/one")
        assert [ordering.fingerprint for ordering in mine.orderings] == [structure_fingerprint(NACL)]
        assert structure_from_plain(mine.orderings[0].structure) == NACL
        assert collections.load_campaign("theirs").base_folder is None
        document = collections.latest_stage_docs([KEY])[KEY]
        assert document.properties["sigma_300k_ms_cm"].interval_95 == (0.1, float("inf"))
        assert document.extra == {"imported_from": "good.zip"}
        before = contents(collections)
        assert import_campaign(path, collections).n_documents == 0
        assert contents(collections) == before
        assert import_campaign(path, collections, name="mine").n_candidates == 1
        assert collections.get_row("mine/one").campaign_id == "mine"


@pytest.mark.parametrize("state", ["completed", "rejected", "failed"])
def test_what_is_settled_here_stays(members, tmp_path, state):
    """One document per unit: ours, unless it is a failure."""
    path = pack(tmp_path / "good.zip", members)
    with CampaignCollections.open(tmp_path / "store.db") as collections:
        collections.jobs.update(stored(stage_doc(state, value=7.0)), key=["uuid", "index"])
        report = import_campaign(path, collections)
        document = collections.latest_stage_docs([KEY])[KEY]
        assert report.n_documents == (state == "failed")
        assert document.state == ("completed" if state == "failed" else state)
        if state == "completed":
            assert document.properties["sigma_300k_ms_cm"].value == 7.0


@pytest.mark.parametrize("is_computed", [False, True])
def test_a_crystal_that_is_here_in_another_cell(members, tmp_path, is_computed):
    """One candidate where theirs has no results; else both, each with its own, and a note. Twice changes nothing."""
    theirs = json.loads(members[CANDIDATES])
    if is_computed:
        theirs["properties"] = {"sigma_300k_ms_cm": {"value": 1.0}}
    path = pack(tmp_path / "good.zip", members | {CANDIDATES: json.dumps(theirs).encode()})
    primitive = NACL.get_primitive_structure()
    other = NACL.copy()
    other.scale_lattice(2.0 * NACL.volume)
    with CampaignCollections.open(tmp_path / "store.db") as collections:
        for name, structure in (("mine", primitive), ("swollen", other)):
            ordering = OrderingSummary(fingerprint=structure_fingerprint(structure), structure=structure.as_dict())
            changes = {"key": f"theirs/{name}", "candidate_id": name, "orderings": [ordering], "stages": {}}
            origins = [CandidateOrigin(source="files", identifier=f"{name}.cif")]
            collections.register_candidates([row().model_copy(update={**changes, "origins": origins})])
        report = import_campaign(path, collections)
        found = {row.candidate_id: row for row in collections.iter_rows("theirs")}
        assert (report.n_candidates, report.n_known_candidates) == ((1, 0) if is_computed else (0, 1))
        assert report.n_equivalent_candidates == int(is_computed)
        if is_computed:
            assert found["one"].notes == ["equivalent to the candidate mine (LiCl)"]
            assert found["mine"].notes == ["equivalent to the candidate one (LiCl)"]
            assert found["one"].properties["sigma_300k_ms_cm"].value == 1.0
        else:
            assert [origin.identifier for origin in found["mine"].origins] == ["mine.cif", "LiCl.cif"]
        assert [ordering.fingerprint for ordering in found["mine"].orderings] == [structure_fingerprint(primitive)]
        assert found["swollen"].notes == []
        assert len(found) == 2 + is_computed
        before = contents(collections)
        assert import_campaign(path, collections).n_candidates == 0
        assert contents(collections) == before


def _object(data):
    data["details"] = {"deep": [{"@module": "os", "@class": "system", "command": "touch owned"}]}


def _site_property(data):
    data["structure"]["sites"][0]["properties"] = {"x": {"@module": "pathlib", "@class": "Path", "args": ["."]}}


def _operator(data):
    data["extra"] = {"$where": "sleep(1000)"}


def _nested(data):
    deep = []
    for _ in range(60):
        deep = [deep]
    data["details"] = {"deep": deep}


def _no_key(data):
    data["stage_key"] = "../../../../etc"


def _no_sites(data):
    data["structure"]["sites"] = "many"


def _nan(data):
    data["properties"]["sigma_300k_ms_cm"]["value"] = "NaN"


def _unknown_field(data):
    data["surprise"] = 1


HOSTILE_DOCUMENTS = [_object, _operator, _nested, _no_key, _no_sites, _nan, _unknown_field]


def refused(path, folder):
    """The sentence by which an archive is refused; the store must stay empty."""
    with CampaignCollections.open(folder / "store.db") as collections:
        with pytest.raises(SuperionError) as caught:
            import_campaign(path, collections)
        assert contents(collections) == []
    assert not (folder / "owned").exists()
    sentence = str(caught.value)
    assert sentence.count("\n") == 0
    assert len(sentence) < 500
    return sentence


@pytest.mark.parametrize("change", HOSTILE_DOCUMENTS, ids=lambda change: change.__name__)
def test_hostile_documents(members, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    path = pack(tmp_path / "bad.zip", changed(members, DOCUMENTS, change))
    sentence = refused(path, tmp_path)
    assert "bad.zip cannot be imported: stage_documents.jsonl, line 1:" in sentence
    if change is _object:
        assert "names an object to build (@class 'system')" in sentence or "@module 'os'" in sentence


def test_site_properties_are_left_behind(members, tmp_path):
    """pymatgen would build whatever site properties name: they are not read at all."""
    path = pack(tmp_path / "odd.zip", changed(members, DOCUMENTS, _site_property))
    with CampaignCollections.open(tmp_path / "store.db") as collections:
        import_campaign(path, collections)
        stored_text = json.dumps(contents(collections), default=str)
    assert "pathlib" not in stored_text


def _escape(data):
    data["candidate_id"] = "../../outside"


def _other_structure(data):
    data["orderings"][0]["structure"]["sites"][0]["abc"] = [0.1, 0.1, 0.1]


def _huge_cell(data):
    data["orderings"][0]["structure"]["sites"] *= 30_000


@pytest.mark.parametrize("change", [_escape, _other_structure, _huge_cell, _unknown_field], ids=lambda c: c.__name__)
def test_hostile_candidates(members, tmp_path, change):
    path = pack(tmp_path / "bad.zip", changed(members, CANDIDATES, change))
    assert "candidates.jsonl, line 1:" in refused(path, tmp_path)


@pytest.mark.parametrize("name", ["../outside", "", "a/b", ".hidden", "x" * 200])
def test_hostile_names(members, tmp_path, name):
    path = pack(tmp_path / "bad.zip", changed(members, RECORD, lambda data: data.update(campaign_id=name)))
    refused(path, tmp_path)


@pytest.mark.parametrize("name", ["my name", "../outside", "", "x" * 200])
def test_a_name_that_is_not_allowed_is_no_fault_of_the_file(members, tmp_path, name):
    path = pack(tmp_path / "good.zip", members)
    with CampaignCollections.open(tmp_path / "store.db") as collections:
        with pytest.raises(SuperionError, match=f"cannot be called '{name[:10]}.*: give a name of") as caught:
            import_campaign(path, collections, name=name)
        assert "good.zip" not in str(caught.value)
        assert contents(collections) == []


def test_not_an_export(members, tmp_path):
    (tmp_path / "text.zip").write_text("hello")
    assert "it is no export" in refused(tmp_path / "text.zip", tmp_path)
    assert "There is no file" in refused(tmp_path / "none.zip", tmp_path)
    extra = pack(tmp_path / "extra.zip", members | {"../../evil.py": b"x"})
    assert "nothing else" in refused(extra, tmp_path)
    missing = pack(tmp_path / "missing.zip", {MANIFEST: members[MANIFEST]})
    assert "nothing else" in refused(missing, tmp_path)
    newer = changed(members, MANIFEST, lambda data: data.update(format_version=99))
    assert "update superion" in refused(pack(tmp_path / "newer.zip", newer), tmp_path)


def test_a_bomb_is_not_unpacked(members, tmp_path, monkeypatch):
    """Neither one endless line nor more than the whole may hold."""
    monkeypatch.setattr(archive, "MAXIMUM_LINE_BYTES", 100_000)
    bomb = pack(tmp_path / "bomb.zip", members | {DOCUMENTS: b'"' + b"a" * 3_000_000 + b'"'})
    assert bomb.stat().st_size < 20_000
    assert "it is larger than allowed" in refused(bomb, tmp_path)
    monkeypatch.setattr(archive, "MAXIMUM_BYTES", 2_000_000)
    assert "it holds more than" in refused(bomb, tmp_path)


def test_nothing_is_exported_that_no_import_takes(tmp_path, monkeypatch):
    """What one line, or the whole, may hold is the same on both sides; a refusal leaves no file."""
    target = tmp_path / "large.zip"
    with CampaignCollections.open(tmp_path / "store.db") as collections:
        record = collections.save_campaign(CampaignRecord(campaign_id="theirs", file_text="name: theirs"))
        collections.register_candidates([row()])
        collections.jobs.update(stored(stage_doc()), key=["uuid", "index"])
        export_campaign(record, collections, target)
        with zipfile.ZipFile(target) as opened:
            lines = [line for name in MEMBERS for line in opened.read(name).splitlines(keepends=True)]
        longest, total = max(len(line) for line in lines), sum(len(line) for line in lines)
        target.unlink()
        for name, limit, sentence in (
            ("MAXIMUM_LINE_BYTES", longest, "What is known of LiCl takes"),
            ("MAXIMUM_BYTES", total, "The export would hold more than"),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(archive, name, limit - 1)
                with pytest.raises(SuperionError, match=sentence):
                    export_campaign(record, collections, target)
                assert [path.name for path in tmp_path.iterdir() if "large" in path.name] == []
                patch.setattr(archive, name, limit)
                export_campaign(record, collections, target)
                import_campaign(target, collections, name=f"other-{limit}")
                target.unlink()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for all mutations."""
    folder = tmp_path_factory.mktemp("mutated")
    with CampaignCollections.open(folder / "store.db") as collections:
        yield folder, collections


@settings(max_examples=100)
@given(data=st.data())
def test_mutated_archives_never_end_in_a_traceback(members, store, data):
    """Bytes of an export changed at random: it comes in, or is refused in one sentence and leaves nothing."""
    folder, collections = store
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(MEMBERS))
        content = bytearray(members[name])
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = pack(folder / "odd.zip", members | {name: bytes(content)})
    else:
        content = bytearray(pack(folder / "odd.zip", members).read_bytes())
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = folder / "odd.zip"
        path.write_bytes(bytes(content))
    before = contents(collections)
    sentence = None
    try:
        import_campaign(path, collections)
    except SuperionError as error:
        sentence = str(error)
    if sentence is not None:
        assert "\n" not in sentence
        assert contents(collections) == before
