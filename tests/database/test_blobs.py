"""Bulk data: equal contents once, checked when read, removed when nothing needs them."""

from __future__ import annotations

import os

import pytest
from superion.database.blobs import BlobFolder, BlobStore
from superion.errors import StoreError


@pytest.fixture
def bulk(tmp_path):
    with BlobStore(tmp_path / "bulk.db", tmp_path / "blobs", key="blob_uuid") as store:
        yield store


def files(store: BlobStore) -> list[str]:
    return sorted(file.name for file in store.blobs.root.rglob("*") if file.is_file())


def test_equal_contents_are_kept_once(bulk):
    frames = [[0.1 * n, float("inf"), None] for n in range(100)]
    bulk.update([{"blob_uuid": "a", "job_uuid": "j", "data": frames}, {"blob_uuid": "b", "data": frames}])
    assert len(files(bulk)) == 1
    assert bulk.query_one({"blob_uuid": "a"})["data"] == frames
    bulk.remove_docs({"blob_uuid": "a"})
    assert bulk.query_one({"blob_uuid": "b"})["data"] == frames
    bulk.remove_docs({"blob_uuid": "b"})
    assert files(bulk) == []


def test_replaced_contents_go(bulk):
    bulk.update({"blob_uuid": "a", "data": [1]})
    bulk.update({"blob_uuid": "a", "data": [2]})
    assert len(files(bulk)) == 1
    assert [document["data"] for document in bulk.query()] == [[2]]
    bulk.update({"blob_uuid": "a", "data": [2]})
    assert bulk.query_one()["data"] == [2]


def test_files_are_read_only_where_asked_for(bulk):
    bulk.update({"blob_uuid": "a", "job_uuid": "j", "data": [1]})
    for file in bulk.blobs.root.rglob("*.zlib"):
        file.unlink()
    assert bulk.query_one({"blob_uuid": "a"}, properties=["job_uuid"])["job_uuid"] == "j"
    assert bulk.count({"job_uuid": "j"}) == 1
    with pytest.raises(StoreError, match=r"cannot be read .*restore"):
        bulk.query_one({"blob_uuid": "a"}, properties=["data"])


def test_damage_is_noticed(tmp_path):
    blobs = BlobFolder(tmp_path / "blobs")
    sha256 = blobs.write(b"frames" * 1000)
    other = blobs.write(b"others" * 1000)
    os.replace(blobs.path_of(other), blobs.path_of(sha256))
    with pytest.raises(StoreError, match="is damaged"):
        blobs.read(sha256)
    blobs.path_of(sha256).write_bytes(b"x")
    with pytest.raises(StoreError, match="is damaged"):
        blobs.read(sha256)


def test_damage_is_mended_by_the_next_write(bulk):
    bulk.update({"blob_uuid": "a", "data": [1]})
    (file,) = bulk.blobs.root.rglob("*.zlib")
    for damage in (b"", b"x", file.read_bytes()[:-3]):
        file.write_bytes(damage)
        with pytest.raises(StoreError, match="is damaged"):
            bulk.query_one({"blob_uuid": "a"})
        bulk.update({"blob_uuid": "b", "data": [1]})
        assert bulk.query_one({"blob_uuid": "a"})["data"] == [1]
    assert len(files(bulk)) == 1


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "blobs").write_text("a file in its place")
    with pytest.raises(StoreError, match="Bulk data cannot be written") as caught:
        BlobFolder(tmp_path / "blobs").write(b"x")
    assert "\n" not in str(caught.value)


def test_collections_do_not_share_files(tmp_path):
    with (
        BlobStore(tmp_path / "x.db", tmp_path / "blobs", "one", key="k") as one,
        BlobStore(tmp_path / "x.db", tmp_path / "blobs", "two", key="k") as two,
    ):
        one.update({"k": 1, "data": [1]})
        two.update({"k": 1, "data": [1]})
        one.remove_docs({})
        assert two.query_one()["data"] == [1]
