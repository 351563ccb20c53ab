"""The MongoDB-wire server that tests of services share, as fixtures that the root conftest imports."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def mongo_uri(mongo_server: str) -> Iterator[str]:
    """Address of a database that no other test file uses."""
    with database_on(mongo_server) as uri:
        yield uri


@pytest.fixture
def database(mongo_server: str) -> Iterator[str]:
    """Address of a database that no other test uses."""
    with database_on(mongo_server) as uri:
        yield uri
