"""Listing and loading documents, by kind, formula, label, campaign and the start of a uuid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from superion.database.documents import (
    CandidateDoc,
    Provenance,
    RelaxDoc,
    SuperionDocument,
    document_class,
    document_types,
    parse_document,
)
from superion.database.job_store import document_indexes, open_job_store
from superion.database.provenance import collect_provenance, package_versions
from superion.database.queries import (
    get_document,
    iterate_documents,
    latest_conductivity,
    latest_document,
    list_documents,
)
from superion.errors import StoreError

START = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)


def relax_doc(n: int, formula: str = "LiF", campaign: str | None = None) -> RelaxDoc:
    return RelaxDoc(
        formula=formula,
        label=f"sample {n}",
        provenance=Provenance(superion_version="0", created_at=START + timedelta(minutes=n), campaign_id=campaign),
        structure={"@module": "pymatgen.core.structure", "@class": "Structure", "sites": []},
        energy_ev=-float(n),
        energy_ev_per_atom=-n / 2,
        max_force_ev_per_angstrom=0.01,
        converged=True,
        n_steps=n,
        volume_change_percent=0.0,
    )


def job_output(uuid: str, document: SuperionDocument | None, index: int = 1, name: str = "relax") -> dict:
    output = document.model_dump() if document is not None else {"some": "other job"}
    return {"uuid": uuid, "index": index, "name": name, "output": output, "metadata": {}}


@pytest.fixture
def filled(tmp_path):
    store = open_job_store(tmp_path / "results.db")
    store.update([job_output(f"aa{n}{n}-uuid", relax_doc(n)) for n in range(4)])
    store.update(job_output("bb00-uuid", relax_doc(10, "NaCl", campaign="screen-1")))
    store.update(job_output("bb00-uuid", relax_doc(11, "NaCl", campaign="screen-1"), index=2))
    store.update(job_output("cc00-uuid", None, name="not a document"))
    yield store
    store.close()


def test_list_newest_first(filled):
    heads = list_documents(filled)
    assert [head.label for head in heads] == [f"sample {n}" for n in (11, 10, 3, 2, 1, 0)]
    assert heads[0].created_at == START + timedelta(minutes=11)
    assert [head.label for head in list_documents(filled, limit=2)] == ["sample 11", "sample 10"]
    assert len(list_documents(filled, limit=0)) == 6


def test_list_by_what_is_asked_for(filled):
    assert {head.uuid for head in list_documents(filled, formula="NaCl")} == {"bb00-uuid"}
    assert len(list_documents(filled, doc_type="relax")) == 6
    assert list_documents(filled, doc_type="conductivity") == []
    assert [head.label for head in list_documents(filled, label="sample 2")] == ["sample 2"]
    assert len(list_documents(filled, campaign_id="screen-1")) == 2


def test_get_by_uuid_or_its_start(filled):
    found = get_document(filled, "aa22-uuid")
    assert isinstance(found.document, RelaxDoc)
    assert found.document == relax_doc(2)
    assert get_document(filled, "aa2") == found
    # Of a job that replaced itself the last output counts.
    assert get_document(filled, "bb").document.label == "sample 11"


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("aa", "4 documents begin with 'aa'"),
        ("zz", "No document has the uuid 'zz'"),
        ("cc", "No document"),
        ("", "empty"),
    ],
)
def test_get_what_is_not_one_document(filled, identifier, words):
    with pytest.raises(StoreError, match=words) as caught:
        get_document(filled, identifier)
    assert "\n" not in str(caught.value)


def test_iterate_gives_documents_of_the_class(filled):
    documents = list(iterate_documents(filled, RelaxDoc, formula="LiF"))
    assert [document.n_steps for document in documents] == [3, 2, 1, 0]
    assert list(iterate_documents(filled, CandidateDoc)) == []
    assert latest_document(filled, "relax", formula="NaCl").label == "sample 11"
    with pytest.warns(DeprecationWarning, match="latest_document"):
        assert latest_conductivity(filled) is None


def test_queries_use_the_indexes(filled):
    """What the lists ask for is looked up, never scanned."""
    collection = filled.docs_store._collection
    assert set(document_indexes()) <= collection.indexed_paths()
    connection = collection.database.connection()
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    list_documents(filled, doc_type="relax", limit=1)
    get_document(filled, "aa2")
    connection.set_trace_callback(None)
    selects = [s for s in statements if s.startswith("SELECT") and "documents_outputs" in s and "irregular" not in s]
    assert selects
    for statement in selects:
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
        assert "USING INDEX" in plan or "USING COVERING INDEX" in plan or "PRIMARY KEY" in plan, (statement, plan)


def test_every_kind_is_registered():
    classes = {name: document_class(name) for name in document_types()}
    assert all(kind.model_fields["doc_type"].default == name for name, kind in classes.items())
    subclasses = {cls for cls in SuperionDocument.__subclasses__() if cls.__module__.startswith("superion.")}
    assert subclasses <= set(classes.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"doc_type": "quark"}, "'quark' are unknown to this version"),
        ({"schema_version": 99}, "layout version 99"),
        ({"energy_ev": "high"}, "does not have the layout"),
    ],
)
def test_documents_that_cannot_be_read(change, words):
    data = {**relax_doc(1).model_dump(), **change}
    with pytest.raises(StoreError, match=words) as caught:
        parse_document(data)
    assert "\n" not in str(caught.value)


def test_provenance_names_versions_and_nothing_secret(monkeypatch):
    monkeypatch.setenv("SUPERION_STORE", "mongodb://ann:s3cret@host/db")
    provenance = collect_provenance(seeds=[1, 2], structure_fingerprint="f" * 64, campaign_id="c")
    assert provenance.packages["numpy"] == __import__("numpy").__version__
    assert provenance.seeds == [1, 2]
    assert "s3cret" not in provenance.model_dump_json()
    assert package_versions(["no-such-package"]).keys() == {"python"}
    assert provenance == Provenance.model_validate_json(provenance.model_dump_json())
