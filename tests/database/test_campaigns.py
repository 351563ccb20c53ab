"""Records, rows and structures of campaigns in both kinds of store, and the builder that keeps rows current."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.documents import (
    CampaignRecord,
    CandidateOrigin,
    CandidateSummary,
    OrderingSummary,
    Provenance,
    StageDoc,
    StageSummary,
)
from superion.database.properties import PropertyEstimate
from superion.database.summary_builder import SummaryBuilder
from superion.errors import StoreError

EARLY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STRUCTURE = {
    "@module": "pymatgen.core.structure",
    "@class": "Structure",
    "sites": [{"label": "Li", "abc": [0, 0, 0.5]}],
}


@pytest.fixture(params=["sqlite", pytest.param("mongo", marks=pytest.mark.services)])
def collections(request, tmp_path):
    """Empty collections of both kinds."""
    location = str(tmp_path / "results.db")
    if request.param == "mongo":
        location = request.getfixturevalue("mongo_uri")
    with CampaignCollections.open(location) as opened:
        for store in (opened.jobs.docs_store, opened.campaigns, opened.candidates, opened.structures):
            store.remove_docs({})
        opened.stage_keys.remove_docs({})
        yield opened


def make_row(number: int, **changes) -> CandidateSummary:
    """A row with two orderings that share their second structure with all others."""
    fields = {
        "key": f"c/{number:04d}",
        "campaign_id": "c",
        "candidate_id": f"{number:04d}",
        "label": f"material {number}",
        "formula": "Li3N",
        "elements": ["Li", "N"],
        "n_elements": 2,
        "origins": [CandidateOrigin(source="files", identifier=f"{number}.cif", measured={"sigma (S/cm)": "<1E-10"})],
        "status": "waiting",
        "stages": {"relax": StageSummary(state="waiting", stage_keys=[f"relax-{number}-0", f"relax-{number}-1"])},
        "orderings": [
            OrderingSummary(fingerprint=f"{number:04d}", structure={**STRUCTURE, "charge": number}),
            OrderingSummary(fingerprint="shared", structure=STRUCTURE, kept=False),
        ],
        "updated_at": EARLY,
    }
    return CandidateSummary(**{**fields, **changes})


def make_document(key: str, state: str = "completed", created: datetime = EARLY, **properties: float) -> StageDoc:
    return StageDoc(
        label="m",
        formula="Li3N",
        stage=key.partition("-")[0],
        stage_key=key,
        state=state,
        reason=None if state == "completed" else f"it was {state}",
        properties={name: PropertyEstimate(value=value) for name, value in properties.items()},
        structure=STRUCTURE,
        details={"curve": [1, 2, 3]},
        provenance=Provenance(superion_version="0", created_at=created),
    )


def store_documents(collections: CampaignCollections, *documents: StageDoc) -> None:
    """Put documents where jobs put them."""
    start = collections.jobs.docs_store.count()
    collections.jobs.docs_store.update(
        [
            {"uuid": f"job-{start + n}", "index": 1, "name": "stage", "output": document.model_dump()}
            for n, document in enumerate(documents)
        ],
        key=["uuid", "index"],
    )


def test_a_record_comes_back(collections):
    first = collections.save_campaign(CampaignRecord(campaign_id="c", file_text="stages: []\n", created_at=EARLY))
    assert first.created_at == EARLY
    assert first.updated_at > EARLY
    second = collections.save_campaign(
        CampaignRecord(campaign_id="c", file_text="new", paused=True, counts={"done": 2})
    )
    assert second.created_at == EARLY
    assert collections.load_campaign("c") == second
    assert collections.load_campaign("other") is None
    collections.save_campaign(CampaignRecord(campaign_id="b", file_text=""))
    assert {record.campaign_id for record in collections.list_campaigns()} == {"b", "c"}


def test_rows_come_back_with_and_without_structures(collections):
    rows = [make_row(number) for number in range(3)]
    assert collections.register_candidates(rows) == 3
    assert list(collections.iter_rows("c", with_structures=True)) == rows
    for bare, row in zip(collections.iter_rows("c"), rows, strict=True):
        assert [o.structure for o in bare.orderings] == [None, None]
        assert bare.orderings[1].kept is False
        assert collections.add_structures([bare]) == [row]
    assert collections.get_row("c/0001") == rows[1]
    assert collections.get_row("c/9") is None
    assert list(collections.iter_rows("other")) == []
    assert [row.key for row in collections.iter_rows("c", criteria={"label": "material 2"})] == ["c/0002"]
    # one structure each, and one for all
    assert collections.structures.count() == 4


def test_doing_it_twice_changes_nothing(collections):
    rows = [make_row(number) for number in range(5)]
    collections.register_candidates(rows[:2])
    collections.update_rows([rows[0].model_copy(update={"status": "done"})])
    # one key twice in one go, one known, three new
    assert collections.register_candidates([*rows, rows[4]]) == 3
    assert collections.register_candidates(rows) == 0
    assert collections.count_by_status("c") == {"done": 1, "waiting": 4}
    assert collections.candidates.count() == 5
    assert collections.structures.count() == 6
    assert collections.stage_keys.count() == 10
    # a row that was read without structures does not lose them when it is written
    bare = next(iter(collections.iter_rows("c")))
    collections.update_rows([bare, bare])
    assert collections.get_row(bare.key).orderings[0].structure == rows[0].orderings[0].structure
    assert collections.candidates.count() == 5


def test_a_missing_structure_is_named(collections):
    collections.register_candidates([make_row(1)])
    collections.structures.remove_docs({"fingerprint": "shared"})
    with pytest.raises(StoreError, match=r"shared.* c/0001 is missing"):
        collections.get_row("c/0001")


def test_a_row_of_a_newer_superion_is_refused(collections):
    collections.register_candidates([make_row(1)])
    found = collections.candidates.query_one({"key": "c/0001"})
    collections.candidates.update({**found, "schema_version": 99})
    with pytest.raises(StoreError, match="update superion"):
        list(collections.iter_rows("c"))


def test_stage_documents_by_key(collections):
    settled = make_document("relax-1-0", created=EARLY, energy_ev_per_atom=-3.0)
    failed_later = make_document("relax-1-0", "failed", created=EARLY + timedelta(hours=1))
    old, new = (make_document("relax-1-1", created=EARLY + timedelta(hours=h), energy_ev_per_atom=h) for h in (0, 2))
    store_documents(collections, settled, failed_later, new, old, make_document("relax-2-0"))
    collections.jobs.docs_store.update({"uuid": "other", "index": 1, "output": {"x": 1}}, key=["uuid", "index"])
    keys = ["relax-1-0", "relax-1-1", "nothing"]
    assert len(list(collections.iter_stage_docs(keys))) == 4
    assert collections.latest_stage_docs(keys) == {"relax-1-0": settled, "relax-1-1": new}
    light = collections.latest_stage_docs(["relax-2-0"], with_structures=False)["relax-2-0"]
    assert (light.structure, light.details) == (None, {})


def test_replaced_only_if_nobody_else_did(collections):
    row = make_row(1)
    collections.register_candidates([row])
    changed = row.model_copy(update={"status": "done", "updated_at": EARLY + timedelta(seconds=1)})
    assert collections.replace_row(changed, read_at=row.updated_at)
    assert not collections.replace_row(row, read_at=row.updated_at)
    assert collections.get_row(row.key).status == "done"
    assert not collections.replace_row(make_row(9), read_at=EARLY)


def test_of_many_that_replace_at_once_one_does(collections):
    """Between reading and writing of one process another one may write: what it stored must not be lost."""
    row = make_row(1)
    together = Barrier(4)

    def replace(writer: int, read_at: datetime) -> bool:
        changed = row.model_copy(
            update={"label": f"writer {writer}", "updated_at": read_at + timedelta(seconds=writer)}
        )
        together.wait()
        return collections.replace_row(changed, read_at=read_at)

    collections.register_candidates([row])
    with ThreadPoolExecutor(4) as pool:
        for _ in range(15):
            read_at = collections.get_row(row.key).updated_at
            stored = list(pool.map(replace, range(1, 5), [read_at] * 4))
            assert stored.count(True) == 1
            assert collections.get_row(row.key).label == f"writer {1 + stored.index(True)}"


def test_the_builder_brings_rows_up_to_date(collections):
    collections.register_candidates([make_row(number) for number in range(4)])
    store_documents(
        collections,
        make_document("relax-0-0", sigma_300k_ms_cm=1.0),
        make_document("relax-0-1", sigma_300k_ms_cm=4.0),
        make_document("relax-1-0", energy_ev_per_atom=-3.0),
        make_document("relax-2-0", "rejected"),
        make_document("relax-2-1", "rejected"),
    )
    builder = SummaryBuilder(collections=collections)
    assert builder.build() == 3
    rows = {row.candidate_id: row for row in collections.iter_rows("c")}
    assert rows["0000"].properties["sigma_300k_ms_cm"].value == pytest.approx(2.0)
    assert rows["0001"].properties["energy_ev_per_atom"].value == -3.0
    assert (rows["0002"].status, rows["0002"].stage) == ("rejected", "relax")
    assert rows["0002"].reason == "it was rejected"
    assert rows["0003"] == make_row(3).model_copy(update={"orderings": rows["0003"].orderings})
    assert collections.get_row("c/0000").orderings == make_row(0).orderings
    assert builder.build() == 0


def test_the_builder_looks_only_at_what_is_new(collections):
    collections.register_candidates([make_row(number) for number in range(4)])
    seen: list[str] = []

    def refresh(row, documents):
        seen.append(row.candidate_id)
        return row

    builder = SummaryBuilder(collections=collections, refresh=refresh, overlap_s=-2.0)
    builder.build()
    assert seen == ["0000", "0001", "0002", "0003"]
    seen.clear()
    builder.build()
    assert seen == []
    time.sleep(3.1)  # ids of documents count whole seconds
    store_documents(collections, make_document("relax-2-1", energy_ev_per_atom=-1.0))
    # a row that begins to count on a document that was there before
    collections.update_rows([make_row(7, stages={"relax": StageSummary(state="running", stage_keys=["relax-2-1"])})])
    builder.build()
    assert seen == ["0002", "0007"]


def test_the_builder_yields_to_another_writer(collections):
    collections.register_candidates([make_row(1)])
    store_documents(collections, make_document("relax-1-0", energy_ev_per_atom=-3.0))
    builder = SummaryBuilder(collections=collections)
    builder.connect()
    (item,) = builder.get_items()
    refreshed = builder.process_item(item)
    # meanwhile the runner moves the candidate on
    collections.update_rows([make_row(1, status="held", updated_at=EARLY + timedelta(minutes=1))])
    builder.update_targets([refreshed])
    builder.finalize()
    row = collections.get_row("c/0001")
    assert row.status == "held"
    assert row.properties["energy_ev_per_atom"].value == -3.0


def test_a_failure_is_mended_by_a_retry(collections):
    collections.register_candidates([make_row(1)])
    store_documents(collections, make_document("relax-1-0", "failed"), make_document("relax-1-1", "rejected"))
    builder = SummaryBuilder(collections=collections)
    builder.build()
    row = collections.get_row("c/0001")
    assert (row.status, row.stages["relax"].state, row.reason) == ("failed", "failed", "it was failed")
    store_documents(collections, make_document("relax-1-0", created=EARLY + timedelta(hours=1), energy_ev_per_atom=-1))
    builder.build()
    row = collections.get_row("c/0001")
    assert (row.status, row.stages["relax"].state, row.reason) == ("running", "running", None)


@pytest.fixture
def quiet_root_logger():
    """maggma's `run` sets the root logger to DEBUG and leaves it so."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.usefixtures("quiet_root_logger")
def test_the_builder_runs_in_maggma(tmp_path):
    from monty.serialization import dumpfn, loadfn

    location = tmp_path / "results.db"
    with CampaignCollections.open(location) as collections:
        collections.register_candidates([make_row(1)])
        store_documents(collections, make_document("relax-1-0", energy_ev_per_atom=-3.0))
    dumpfn(SummaryBuilder(location), tmp_path / "builder.json")
    loadfn(tmp_path / "builder.json").run()
    with CampaignCollections.open(location) as collections:
        assert collections.get_row("c/0001").properties["energy_ev_per_atom"].value == -3.0
    with pytest.raises(StoreError, match="make it in Python"):
        SummaryBuilder(location, refresh=lambda row, documents: row).as_dict()


def test_a_store_without_other_collections_is_refused():
    from jobflow import JobStore
    from maggma.stores import MemoryStore

    store = JobStore(MemoryStore())
    store.connect()
    with pytest.raises(StoreError, match="MemoryStore"):
        CampaignCollections(store)
