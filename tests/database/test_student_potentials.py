"""Trained potentials in a store: found by name and digest, their files kept with it, also in a copy elsewhere."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from superion.database.backup import back_up, restore
from superion.database.campaigns import CampaignCollections
from superion.database.job_store import open_job_store
from superion.database.queries import get_document, list_documents
from superion.database.student_potentials import (
    find_student_potential,
    list_student_potentials,
    model_file_content,
    model_file_in,
    require_student_potential,
    student_specification,
)
from superion.errors import PotentialError, StoreError
from superion.potentials.registry import load_potential
from support.student import register_student, write_student


@pytest.fixture
def store(tmp_path):
    opened = open_job_store(tmp_path / "results.db")
    yield opened
    opened.close()


def test_found_by_name_and_by_digests_the_newest_of_a_name_first(store, tmp_path):
    first, second = (write_student(tmp_path / f"{n}" / "argyrodite.safetensors", seed=n) for n in (1, 2))
    other = write_student(tmp_path / "halide.safetensors", seed=3)
    for path in (first, other, second):
        register_student(path, store)
    students = list_student_potentials(store)
    assert [student.document.name for student in students] == ["argyrodite", "halide"]
    newest = find_student_potential(store, "argyrodite")
    assert newest.document.file.sha256 == hashlib.sha256(second.read_bytes()).hexdigest()
    older = find_student_potential(store, hashlib.sha256(first.read_bytes()).hexdigest()[:10])
    assert older.document.file.path == str(first)
    by_weights = find_student_potential(store, newest.document.weights_sha256)
    assert by_weights.document.file == newest.document.file
    assert find_student_potential(store, "nothing") is None
    with pytest.raises(StoreError, match="no trained potential 'nothing' \\(it has argyrodite, halide\\)"):
        require_student_potential(store, "nothing")


def test_what_lists_and_readers_see_holds_no_bytes(store, tmp_path):
    uuid = register_student(write_student(tmp_path / "argyrodite.safetensors"), store)
    document = get_document(store, uuid).document
    assert isinstance(document.content_base64, dict)
    (head,) = list_documents(store, doc_type="potential")
    assert (head.state, head.values["name"], head.values["force_error_mev_per_angstrom"]) == (
        "accepted",
        "argyrodite",
        67.0,
    )
    assert len(str(store.docs_store.query_one({"uuid": uuid}))) < 20_000


def test_a_restored_store_carries_its_models(tmp_path):
    path = write_student(tmp_path / "here" / "argyrodite.safetensors")
    content = path.read_bytes()
    with CampaignCollections.open(tmp_path / "here" / "results.db") as collections:
        register_student(path, collections.jobs)
        back_up(collections, tmp_path / "copy.zip")
    shutil.rmtree(tmp_path / "here")
    (tmp_path / "there").mkdir()
    with CampaignCollections.open(tmp_path / "there" / "results.db") as collections:
        restore(collections, tmp_path / "copy.zip")
        student = require_student_potential(collections.jobs, "argyrodite")
        assert model_file_content(collections.jobs, student) == content
        kept = model_file_in(tmp_path / "models", student.document.file.sha256, content)
    potential = load_potential(student_specification(student.document, kept))
    assert potential.provenance.weights_sha256 == student.document.weights_sha256
    assert potential.provenance.model == "argyrodite.safetensors"
    assert potential.known_elements() == {"Li", "P", "S", "Cl"}


def test_a_file_that_is_nowhere_whole_is_a_sentence(store, tmp_path):
    path = write_student(tmp_path / "argyrodite.safetensors")
    register_student(path, store)
    for kept in (tmp_path / "results_blobs").rglob("*.zlib"):
        kept.unlink()
    student = require_student_potential(store, "argyrodite")
    assert model_file_content(store, student) == path.read_bytes()
    path.write_bytes(b"another")
    with pytest.raises(StoreError, match=r"neither whole in the store nor at .*restore the store from a backup"):
        model_file_content(store, student)


def test_a_rejected_one_is_used_by_force_only(store, tmp_path):
    path = write_student(tmp_path / "weak.safetensors", verdict="rejected", reasons=["it exploded after 12 ps."])
    register_student(path, store)
    document = require_student_potential(store, "weak").document
    assert document.why_empty() == "the potential weak was rejected (it exploded after 12 ps.)"
    with pytest.raises(PotentialError, match="was rejected \\(it exploded after 12 ps\\)"):
        student_specification(document, path)
    forced = student_specification(document, path, force=True)
    assert forced.options == {"force": True}
    assert load_potential(forced).provenance.weights_sha256 == document.weights_sha256


def test_a_damaged_copy_is_written_anew(tmp_path):
    content = b"weights"
    sha256 = hashlib.sha256(content).hexdigest()
    assert model_file_in(tmp_path, sha256, None) is None
    assert model_file_in(tmp_path, sha256, b"others") is None
    path = model_file_in(tmp_path, sha256, content)
    path.write_bytes(b"half")
    assert model_file_in(tmp_path, sha256, content).read_bytes() == content
