"""jobflow on the stores that superion opens: flows, bulk data, documents, messages."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import traceback

import pytest
from jobflow import Flow, JobStore, job, run_locally
from monty.json import MontyDecoder, MontyEncoder
from monty.serialization import dumpfn
from superion.database import mongo_server
from superion.database.documents import RelaxDoc
from superion.database.job_store import check_job_store, open_job_store
from superion.database.provenance import collect_provenance
from superion.database.queries import get_document, list_documents
from superion.database.settings import STORE_VARIABLE
from superion.errors import StoreError

loads = MontyDecoder().decode


@job(data="frames", output_schema=None)
def make_frames(n: int) -> dict:
    return {"n": n, "frames": [[float(i), 0.5] for i in range(n)]}


@job
def sum_frames(frames: list) -> float:
    return sum(x for x, _ in frames)


@job(output_schema=RelaxDoc)
def relax(energy_ev: float) -> RelaxDoc:
    from pymatgen.core import Lattice, Structure

    structure = Structure(Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return RelaxDoc(
        formula="LiF",
        label="rock salt",
        provenance=collect_provenance(),
        structure=structure.as_dict(),
        energy_ev=energy_ev,
        energy_ev_per_atom=energy_ev / 2,
        max_force_ev_per_angstrom=0.01,
        converged=True,
        n_steps=3,
        volume_change_percent=0.5,
    )


@job
def read_energy(document: RelaxDoc) -> float:
    assert isinstance(document, RelaxDoc)
    return document.energy_ev


def test_flow_with_bulk_data_and_documents(tmp_path):
    store = open_job_store(tmp_path / "results.db")
    frames = make_frames(4)
    total = sum_frames(frames.output["frames"])
    relaxed = relax(-9.5)
    energy = read_energy(relaxed.output)
    responses = run_locally(Flow([frames, total, relaxed, energy]), store=store, ensure_success=True)
    assert responses[total.uuid][1].output == 6.0
    assert responses[energy.uuid][1].output == -9.5

    # Bulk data is a reference in the documents and a file beside them, read back on demand.
    slim = store.query_one({"uuid": frames.uuid})
    assert slim["output"]["frames"]["store"] == "data"
    assert store.get_output(frames.uuid, load=True)["frames"][3] == [3.0, 0.5]
    assert store.additional_stores["data"].count() == 1
    assert len(list((tmp_path / "results_blobs").rglob("*.zlib"))) == 1

    (head,) = list_documents(store)
    assert (head.doc_type, head.formula, head.uuid) == ("relax", "LiF", relaxed.uuid)
    document = get_document(store, relaxed.uuid[:8]).document
    assert isinstance(document, RelaxDoc)
    assert document.provenance.job_uuid == relaxed.uuid
    assert document.model_dump_json() == responses[relaxed.uuid][1].output.model_dump_json()
    store.close()


def test_a_missing_bulk_store_is_not_hidden(tmp_path):
    """jobflow's default store makes a `data` store by itself; ours is there for real and survives the process."""
    store = open_job_store(tmp_path / "results.db")
    made = make_frames(3)
    run_locally(made, store=store, ensure_success=True)
    store.close()
    again = open_job_store(tmp_path / "results.db", create=False)
    assert again.get_output(made.uuid, load=True)["frames"] == [[0.0, 0.5], [1.0, 0.5], [2.0, 0.5]]
    again.remove_docs({"uuid": made.uuid})
    assert again.count() == 0
    assert again.additional_stores["data"].count() == 0
    assert not list((tmp_path / "results_blobs").rglob("*.zlib"))
    again.close()


def test_the_embedded_store_of_the_project_is_the_default(tmp_path, monkeypatch):
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="no superion project"):
        open_job_store(create=False)
    with open_job_store() as store:
        assert store.docs_store.path == str(tmp_path.resolve() / ".superion" / "superion.db")
    with open_job_store(create=False) as store:
        assert store.count() == 0


def test_an_embedded_store_is_not_made_to_be_read(tmp_path):
    with pytest.raises(StoreError, match="There is no store"):
        open_job_store(tmp_path / "results.db", create=False)
    assert not list(tmp_path.iterdir())


def test_the_environment_names_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "elsewhere.db"))
    with open_job_store() as store:
        assert store.docs_store.path == str(tmp_path / "elsewhere.db")
    with open_job_store(tmp_path / "given.db") as store:
        assert store.docs_store.path == str(tmp_path / "given.db")


def test_any_maggma_store_by_description(tmp_path):
    description = tmp_path / "stores.yaml"
    description.write_text(
        "docs_store:\n  type: MemoryStore\n  collection_name: docs\n"
        "additional_stores:\n  data:\n    type: MemoryStore\n    collection_name: data\n"
    )
    store = open_job_store(description)
    assert type(store.docs_store).__name__ == "MemoryStore"
    total = sum_frames([[1.0, 0.0]])
    assert run_locally(total, store=store, ensure_success=True)[total.uuid][1].output == 1.0
    dumped = tmp_path / "dumped.json"
    with open_job_store(tmp_path / "a.db") as embedded:
        dumpfn(embedded, dumped)
    with open_job_store(dumped) as loaded:
        assert loaded.docs_store == embedded.docs_store
        assert loaded.additional_stores["data"] == embedded.additional_stores["data"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.yaml", None, "does not exist"),
        ("broken.yaml", "docs_store: [", "is no YAML, line 1"),
        ("broken.json", "{", "is no JSON, line 1"),
        ("list.yaml", "- a\n", "is no list of settings"),
        ("binary.yaml", "\x00", "is no YAML"),
        ("unknown.yaml", "docs_store:\n  type: MongStore\n", "unknown kind, 'MongStore': did you mean 'MongoStore'"),
        ("option.yaml", "docs_store: {type: MongoStore, database: d, hots: h}\n", "'hots'.* did you mean 'host'"),
        (
            "lacking.yaml",
            "docs_store: {type: MongoStore, host: h}\n",
            "lacks database, collection_name, which a MongoStore needs",
        ),
        ("no_type.yaml", "docs_store: {database: d}\n", "docs_store in .* has no type"),
        ("empty.json", "{}", "has no docs_store"),
        ("more.yaml", "docs_store: {type: MemoryStore}\nstores: {}\n", "has no use for stores"),
        ("jobflow.yaml", "JOB_STORE:\n  docs_store:\n    type: MemoryStore\n", "lines under JOB_STORE are wanted"),
        ("my_launchpad.yaml", "host: h\nport: 27017\nname: fireworks\n", "launchpad file of FireWorks"),
        ("no_data.yaml", "docs_store:\n  type: MemoryStore\n", "no additional store named 'data'"),
        ("results.xlsx", "", "names no store that superion knows"),
    ],
)
def test_wrong_locations(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(StoreError, match=words) as caught:
        open_job_store(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["MongoStore", "MongoURIStore"])
def test_a_described_server_that_is_away(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("superion.database.described_server.SERVER_TIMEOUT_MS", 300)
    place = "{host: 127.0.0.1, port: 1}" if kind == "MongoStore" else "{uri: 'mongodb://127.0.0.1:1/d'}"
    part = f"{{type: {kind}, database: d, collection_name: c, {place[1:]}"
    description = tmp_path / "stores.yaml"
    description.write_text(f"docs_store: {part}\nadditional_stores: {{data: {part}}}\n")
    for use in (open_job_store, check_job_store):
        with pytest.raises(StoreError, match=r"127.0.0.1:1.* cannot be used \(nothing answers .*connection refused"):
            use(description)


def test_a_store_is_checked_without_making_it(tmp_path):
    check_job_store(tmp_path / "new" / "results.db")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="no folder that you may write to"):
        check_job_store(tmp_path / "file" / "results.db")


@pytest.mark.services
def test_flow_on_a_mongodb_server(mongo_uri, monkeypatch):
    store = open_job_store(mongo_uri)
    frames = make_frames(4)
    total = sum_frames(frames.output["frames"])
    relaxed = relax(-9.5)
    energy = read_energy(relaxed.output)
    responses = run_locally(Flow([frames, total, relaxed, energy]), store=store, ensure_success=True)
    assert responses[total.uuid][1].output == 6.0
    assert store.get_output(frames.uuid, load=True)["frames"][3] == [3.0, 0.5]
    (head,) = list_documents(store)
    assert head.uuid == relaxed.uuid
    document = get_document(store, relaxed.uuid[:8]).document
    assert document.model_dump_json() == responses[relaxed.uuid][1].output.model_dump_json()

    for copy in (pickle.loads(pickle.dumps(store.docs_store)), loads(json.dumps(store.docs_store, cls=MontyEncoder))):
        copy.connect()
        assert copy.count({"uuid": relaxed.uuid}) == 1
        copy.close()
    store.close()


@pytest.mark.parametrize("kind", [mongo_server.MongoServerStore, mongo_server.GridFileStore])
def test_a_server_that_does_not_answer_is_noticed_at_once(kind, monkeypatch):
    """Both stores ask the server when they connect, not when the first document is written."""
    monkeypatch.setattr(mongo_server, "SERVER_TIMEOUT_MS", 200)
    with pytest.raises(StoreError, match="cannot be used"):
        kind("mongodb://127.0.0.1:1/superion").connect()


SECRET_URI = "mongodb://ann:s3cr%40t@127.0.0.1:1/superion?authMechanismProperties=AWS_SESSION_TOKEN:tok3n"


def test_credentials_show_nowhere(monkeypatch, caplog):
    monkeypatch.setattr(mongo_server, "SERVER_TIMEOUT_MS", 200)
    with caplog.at_level("DEBUG"), pytest.raises(StoreError) as caught:
        open_job_store(SECRET_URI)
    store = mongo_server.MongoServerStore(SECRET_URI)
    bulk = mongo_server.GridFileStore(SECRET_URI)
    job_store = JobStore(store, additional_stores={"data": bulk})
    shown = [str(caught.value), "".join(traceback.format_exception(caught.value)), caplog.text]
    shown += [repr(store), store.name, repr(bulk), bulk.name, job_store.name]
    shown += [json.dumps(job_store.as_dict(), default=str), json.dumps(job_store, cls=MontyEncoder)]
    for text in shown:
        assert "s3cr" not in text
        assert "tok3n" not in text
        assert "ann" not in text.replace("cannot", "")
    assert "127.0.0.1" in str(caught.value)
    assert "\n" not in str(caught.value)
    # A pickle goes to a worker process and must connect there; a dictionary may be written and read by others.
    assert pickle.loads(pickle.dumps(store)).uri == SECRET_URI
    monkeypatch.setattr(mongo_server, "_known_addresses", {})  # as in a process that was told nothing
    with pytest.raises(StoreError, match="written without its credentials"):
        MontyDecoder().process_decoded(job_store.as_dict())
    monkeypatch.setenv(STORE_VARIABLE, SECRET_URI)
    again = MontyDecoder().process_decoded(job_store.as_dict())
    assert again.docs_store.uri == again.additional_stores["data"].uri == SECRET_URI


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("mongodb://127.0.0.1:27017", "names no database"),
        ("mongodb://ann:s3cr:et@127.0.0.1:27017/db", "cannot be read"),
        ("mongodb://127.0.0.1:port/db", "cannot be read"),
    ],
)
def test_wrong_addresses(uri, words):
    with pytest.raises(StoreError, match=words) as caught:
        open_job_store(uri)
    assert "s3cr" not in "".join(traceback.format_exception(caught.value))


def test_importing_opens_and_loads_nothing():
    code = (
        "import sys, superion.database, superion.database.project, superion.database.settings\n"
        "heavy = {'pymongo', 'maggma', 'jobflow', 'torch', 'sqlite3'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == ""
