"""Files and folders that cannot hold a store: one sentence each, and nothing is changed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from superion.database.file_system import NETWORK_FILE_SYSTEMS, file_system_of, is_network_file_system
from superion.database.sqlite_collection import SqliteCollection
from superion.database.sqlite_connection import APPLICATION_ID, SCHEMA_VERSION, SqliteDatabase
from superion.database.sqlite_store import SqliteStore
from superion.errors import StoreError


def refusal(path: Path, **kwargs) -> str:
    """The one sentence with which connecting fails."""
    store = SqliteStore(path, **kwargs)
    with pytest.raises(StoreError) as caught:
        store.connect()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert str(path) in message or str(path.parent) in message
    return message


@pytest.mark.parametrize("kind", ["nfs4", "lustre", "beegfs", "gpfs", "cifs", "fuse.sshfs", "NFS"])
def test_network_file_system_is_refused(tmp_path, kind):
    database = SqliteDatabase(tmp_path / "far.db", file_system=lambda path: kind)
    with pytest.raises(StoreError, match=r"network file system \(.*local disk.*SUPERION_STORE.*mongodb://") as caught:
        SqliteCollection(database, "documents").create()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "far.db").exists()


def test_a_mounted_network_file_system_is_found_out(tmp_path, monkeypatch):
    """With a mount table as of a cluster: the deepest mount counts, and the last one on the same place."""
    from collections import namedtuple

    import psutil

    mount = namedtuple("mount", "mountpoint fstype")
    far = tmp_path / "home"
    table = [mount("/", "ext4"), mount(str(far), "autofs"), mount(str(far), "nfs4"), mount(str(far / "scratch"), "xfs")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: table)
    assert file_system_of(far / "ann" / "project" / "superion.db") == "nfs4"
    assert file_system_of(far / "scratch" / "superion.db") == "xfs"
    assert file_system_of(tmp_path / "homework") == "ext4"
    far.mkdir()
    assert "network file system (nfs4)" in refusal(far / "superion.db")


def test_local_file_systems_are_not_refused(tmp_path):
    assert file_system_of(tmp_path)
    assert not is_network_file_system(file_system_of(tmp_path))
    assert not {"ext4", "xfs", "btrfs", "zfs", "apfs", "tmpfs", "overlay", "ntfs"} & NETWORK_FILE_SYSTEMS


def test_not_a_database(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("these are notes about Li6PS5Cl\n" * 100)
    assert "is not a superion store" in refusal(path)
    assert path.read_text().startswith("these are notes")


def test_database_of_another_program(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    assert "of another program" in refusal(path)
    assert path.read_bytes() == before


def test_newer_layout(tmp_path):
    path = tmp_path / "newer.db"
    with SqliteStore(path, key="n") as store:
        store.update({"n": 1})
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    assert "newer superion" in refusal(path)


def test_damaged_file(tmp_path):
    path = tmp_path / "damaged.db"
    with SqliteStore(path, key="n") as store:
        store.update([{"n": n, "text": "x" * 500} for n in range(500)])
    content = bytearray(path.read_bytes())
    assert int.from_bytes(content[68:72], "big") == APPLICATION_ID
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)

    def read_all() -> None:
        store = SqliteStore(path, key="n")
        store.connect()
        list(store.query({}))

    with pytest.raises(StoreError, match="is damaged: restore it") as caught:
        read_all()
    assert "\n" not in str(caught.value)


def test_folder_that_does_not_exist(tmp_path):
    assert "does not exist: create it" in refusal(tmp_path / "nowhere" / "superion.db")


def test_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "folder.db").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.db")


def test_collection_name_that_could_break_sql(tmp_path):
    with pytest.raises(StoreError, match="cannot name a collection"):
        SqliteStore(tmp_path / "a.db", 'x"; DROP TABLE y').connect()
    assert not (tmp_path / "a.db").exists()


def test_folder_without_write_permission():
    """As another user where the tests run as root, who may write everywhere."""
    folder = Path(tempfile.mkdtemp())
    existing = folder / "existing.db"
    with SqliteStore(existing, key="n") as store:
        store.update({"n": 1})
    os.chmod(existing, 0o444)
    os.chmod(folder, 0o555)
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            messages = []
            for path in (folder / "new.db", existing):
                try:
                    store = SqliteStore(path, key="n")
                    store.connect()
                    store.update({"n": 2})
                    messages.append("stored")
                except StoreError as error:
                    messages.append(str(error))
            os.write(outlet, "\n".join(messages).encode())
        finally:
            os._exit(0)
    os.close(outlet)
    os.waitpid(child, 0)
    with os.fdopen(inlet, "rb") as pipe:
        messages = pipe.read().decode().splitlines()
    os.chmod(folder, 0o755)
    assert len(messages) == 2
    for message in messages:
        assert "cannot be opened for writing: make the file and its folder" in message


def test_nothing_is_opened_before_connect(tmp_path):
    SqliteStore(tmp_path / "lazy.db")
    assert not list(tmp_path.iterdir())


def test_values_that_no_store_takes(tmp_path):
    with SqliteStore(tmp_path / "values.db", key="n") as store:
        for value, words in ((2**63, "64 bits"), ("\ud800", "not valid Unicode")):
            with pytest.raises(StoreError, match=words):
                store.update({"n": 1, "value": value})
        assert store.count() == 0


def test_object_id_cannot_change(tmp_path):
    from bson.objectid import ObjectId

    with SqliteStore(tmp_path / "ids.db", key="n") as store:
        store.update({"n": 1})
        with pytest.raises(StoreError, match="_id of a stored document cannot be changed"):
            store.update({"n": 1, "_id": ObjectId("0" * 24)})
