"""Stores of every kind behind one fixture, and databases on the MongoDB-wire server some of them need."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maggma.core import Store
from maggma.stores import MemoryStore, MongoStore
from superion.database.sqlite_store import SqliteStore
from support.mongo_server import database_on


@pytest.fixture(scope="session")
def contract_mongo_uri(mongo_server: str) -> Iterator[str]:
    """Address of a database for stores that each have a collection of their own."""
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
