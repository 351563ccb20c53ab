"""Addresses that mean the same database are the same, and no others."""

from __future__ import annotations

import socket

import pytest
from superion.database.mongo_server import MongoServerStore
from superion.database.server_identity import server_identity
from superion.database.spool import SpooledWrite

HERE = socket.gethostname().lower()


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("mongodb://db.hpc/superion", "mongodb://db.hpc:27017/superion"),
        ("mongodb://DB.hpc:27017/Superion", "mongodb://db.hpc:27017/Superion"),
        ("mongodb://b,a:1/d", "mongodb://a:1,b:27017/d"),
        ("mongodb://localhost/d", f"mongodb://{HERE}:27017/d"),
        ("mongodb://[::1]:5/d", f"mongodb://{HERE}:5/d"),
        ("mongodb://[FE80::1]:5/d", "mongodb://[fe80::1]:5/d"),
        ("mongodb+srv://Cluster.Example.org/d", "mongodb+srv://cluster.example.org/d"),
        ("mongodb://%2Ftmp%2Fm.sock/d", f"mongodb://{HERE}%2Ftmp%2Fm.sock:0/d"),
        ("no address", "no address"),
    ],
)
def test_one_text_for_all_addresses_of_a_database(address, identity):
    assert server_identity(address) == identity
    assert server_identity(identity) == identity, "files hold what this gave"


def test_a_store_takes_what_waits_for_it_however_it_is_called():
    store = MongoServerStore("mongodb://ann:x@DB.hpc:27017/superion?w=majority")
    for server, is_ours in (
        ("mongodb://db.hpc/superion", True),
        ("mongodb://db.hpc:27017/superion", True),
        ("mongodb://db.hpc:27018/superion", False),
        ("mongodb://db.hpc/other", False),
        ("mongodb://localhost/superion", False),
    ):
        assert store.takes(SpooledWrite(server, "outputs", ("uuid", "index"), ())) == is_ours
    assert not store.takes(SpooledWrite("mongodb://db.hpc/superion", "others", ("uuid", "index"), ()))
