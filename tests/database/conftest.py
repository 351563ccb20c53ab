"""Stores of every kind behind one fixture, and the MongoDB-wire server some of them need."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from maggma.core import Store
from maggma.stores import MemoryStore, MongoStore
from superion.database.sqlite_store import SqliteStore

DEV_SERVICES = Path(__file__).parents[2] / "scripts" / "dev-services"
NOT_INSTALLED = 3


@contextmanager
def database_on(server: str) -> Iterator[str]:
    """Address of a new database on a server, dropped at the end."""
    from pymongo import MongoClient, uri_parser

    name = f"superion_test_{uuid.uuid4().hex[:12]}"
    default = uri_parser.parse_uri(server)["database"]
    uri = server.replace(f"/{default}", f"/{name}") if default else f"{server.rstrip('/')}/{name}"
    try:
        yield uri
    finally:
        client: MongoClient = MongoClient(uri)
        client.drop_database(name)
        client.close()


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a MongoDB-wire server."""
    state = tmp_path_factory.mktemp("mongo")
    command = [sys.executable, str(DEV_SERVICES), "mongo"]
    started = subprocess.run([*command, "start", "--state", str(state)], capture_output=True, text=True)
    if started.returncode == NOT_INSTALLED:
        pytest.skip(started.stderr.strip())
    assert started.returncode == 0, started.stderr
    try:
        yield started.stdout.strip()
    finally:
        if not os.environ.get("MONGO_URI"):
            subprocess.run([*command, "stop", "--state", str(state)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def contract_mongo_uri(mongo_server: str) -> Iterator[str]:
    """Address of a database for stores that each have a collection of their own."""
    with database_on(mongo_server) as uri:
        yield uri


@pytest.fixture(scope="module")
def mongo_uri(mongo_server: str) -> Iterator[str]:
    """Address of a database that no other test file uses."""
    with database_on(mongo_server) as uri:
        yield uri


@pytest.fixture(scope="session")
def open_store(request: pytest.FixtureRequest) -> Callable[[str, Path], Store]:
    """(kind, folder) -> an empty, connected store; kinds are memory, sqlite and mongo."""

    def open_one(kind: str, folder: Path) -> Store:
        made: Store
        if kind == "memory":
            made = MemoryStore(f"contract_{uuid.uuid4().hex}")
        elif kind == "sqlite":
            made = SqliteStore(folder / "contract.db", "contract")
        else:
            made = MongoStore(None, f"contract_{uuid.uuid4().hex}", uri=request.getfixturevalue("contract_mongo_uri"))
        made.connect()
        return made

    return open_one


@pytest.fixture(params=["memory", "sqlite", pytest.param("mongo", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, open_store: Callable[[str, Path], Store], tmp_path: Path) -> Iterator[Store]:
    """One empty, connected store of each kind."""
    made = open_store(request.param, tmp_path)
    yield made
    made.close()
