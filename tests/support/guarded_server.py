"""A MongoDB-wire server that asks for a password, and a look for places where that was written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymongo import MongoClient
from support.wire_server import WireServer

PASSWORD = "s3cr3t"


@contextmanager
def guarded_server(folder: Path) -> Iterator[str]:
    """Address, with user and password, of the database superion on a server of its own in a folder."""
    server = WireServer(folder)
    server.start()
    try:
        with MongoClient(server.uri) as client:
            role = {"role": "readWrite", "db": "superion"}
            client.admin.command("createUser", "ann", pwd=PASSWORD, roles=[role])
        server.stop()
        server.start("--auth")
        yield f"mongodb://ann:{PASSWORD}@127.0.0.1:{server.port}/superion?authSource=admin"
    finally:
        server.stop()


def must_hide_the_password(folder: Path, address: str, *, but_in: str) -> None:
    """See that one file alone holds the password, its owner's to read, and that the database does not.

    Parameters
    ----------
    folder : Path
        Where all files are.
    address : str
        Address of the database.
    but_in : str
        Name of the file that may hold it.
    """
    holders = [path for path in folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert [path.name for path in holders] == [but_in]
    assert holders[0].stat().st_mode & 0o777 == 0o600
    with MongoClient(address) as client:
        database = client["superion"]
        for name in database.list_collection_names():
            assert PASSWORD not in repr(list(database[name].find())), name
