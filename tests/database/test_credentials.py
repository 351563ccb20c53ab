"""Addresses with passwords and certificates: from where they come, whom they reach, and where they never show."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import traceback

import pytest
import yaml
from jobflow import JobStore, job, run_locally
from maggma.stores import MemoryStore, MongoStore
from monty.json import MontyDecoder, MontyEncoder
from superion.database import mongo_server as server_module
from superion.database.campaigns import CampaignCollections
from superion.database.check_access import check_access
from superion.database.job_store import _open_specification, open_job_store
from superion.database.server_patience import CONNECT_PATIENCE_VARIABLE
from superion.database.settings import (
    STORE_FILE_VARIABLE,
    STORE_VARIABLE,
    store_from_environment,
    store_from_file,
)
from superion.database.shown_address import redact_uri, shown_name
from superion.database.sqlite_store import SqliteStore
from superion.errors import StoreError
from superion.scripts.cli import main
from superion.workflows.clusters.check.store_findings import store_findings
from superion.workflows.dispatch.fireworks_engine.launchpad import open_launchpad
from support.wire_server import WireServer

REFUSED_AT_ONCE = (
    "refuses the credentials",
    "asks for a user name and a password",
    "certificate is not trusted; tlsCAFile",
    "names a file that cannot be used",
)
SECRET = "s3cr%40t"
ADDRESS = f"mongodb://ann:{SECRET}@127.0.0.1:1/superion"


@pytest.fixture(autouse=True)
def no_store_yet(monkeypatch):
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    monkeypatch.delenv(STORE_FILE_VARIABLE, raising=False)


def secret_file(folder, text=ADDRESS + "\n", mode=0o600):
    path = folder / "store"
    path.write_text(text)
    path.chmod(mode)
    return path


# -- the file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_the_address_from_a_private_file(tmp_path, monkeypatch, mode):
    path = secret_file(tmp_path, f"# our group's server\n\n  {ADDRESS}  \n", mode)
    monkeypatch.setenv(STORE_FILE_VARIABLE, str(path))
    assert store_from_environment() == ADDRESS
    monkeypatch.setenv(STORE_VARIABLE, "elsewhere.db")
    assert store_from_environment() == "elsewhere.db", "the variable has precedence"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o606, 0o700, 0o4600])
def test_a_file_that_others_may_read_is_refused(tmp_path, mode):
    path = secret_file(tmp_path, mode=mode)
    with pytest.raises(StoreError, match=rf"has mode {mode:04o}.*chmod 600") as caught:
        store_from_file(path)
    assert "s3cr" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path):
    path = secret_file(tmp_path)
    os.chown(path, 65534, 65534)
    with pytest.raises(StoreError, match="belongs to another user"):
        store_from_file(path)


@pytest.mark.parametrize(
    ("text", "words"), [("", "holds 0"), (f"{ADDRESS}\nmongodb://x/y\n", "holds 2"), ("# nothing\n", "holds 0")]
)
def test_a_file_without_one_address_is_refused(tmp_path, text, words):
    with pytest.raises(StoreError, match=words) as caught:
        store_from_file(secret_file(tmp_path, text))
    assert "s3cr" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv(STORE_FILE_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(StoreError, match="cannot be read"):
        open_job_store()
    with pytest.raises(StoreError, match=r"cannot be read|no plain file"):
        store_from_file(tmp_path)


def test_stores_take_their_credentials_from_the_file(tmp_path, monkeypatch):
    written = json.dumps(server_module.MongoServerStore(ADDRESS), cls=MontyEncoder)
    assert "s3cr" not in written
    assert MontyDecoder().decode(written).uri == ADDRESS, "this process was told"
    # As in another process, which was told nothing.
    known = {}
    monkeypatch.setattr(server_module, "_known_addresses", known)
    with pytest.raises(StoreError, match=STORE_FILE_VARIABLE):
        MontyDecoder().decode(written)
    monkeypatch.setenv(STORE_FILE_VARIABLE, str(secret_file(tmp_path)))
    assert MontyDecoder().decode(written).uri == ADDRESS
    known.clear()
    monkeypatch.setenv(STORE_VARIABLE, "elsewhere.db")
    assert MontyDecoder().decode(written).uri == ADDRESS, "found by its address, whatever the default store is"


# -- options ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [server_module.MongoServerStore, server_module.GridFileStore])
def test_options_of_the_address_reach_the_driver(tmp_path, kind, monkeypatch):
    from pymongo import MongoClient

    authority = tmp_path / "ca.pem"
    certificates(tmp_path)
    options = f"tls=true&tlsCAFile={authority}&authSource=admin&replicaSet=rs0&retryWrites=true&w=majority"
    made = []

    class Recorded(MongoClient):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            made.append(self)

    monkeypatch.setattr("maggma.stores.mongolike.MongoClient", Recorded)
    monkeypatch.setattr("maggma.stores.gridfs.MongoClient", Recorded)
    monkeypatch.setattr(server_module, "SERVER_TIMEOUT_MS", 200)
    store = kind(f"{ADDRESS}?{options}")
    with pytest.raises(StoreError, match="cannot be used"):
        store.connect()
    (client,) = made
    assert client.options.pool_options._ssl_context is not None
    assert client.options.replica_set_name == "rs0"
    assert client.options._options["authsource"] == "admin"
    assert client.options.write_concern.document == {"w": "majority"}
    assert client.options._options["tlscafile"] == str(authority)
    assert "s3cr" not in repr(store)


def certificates(folder):
    """A certificate authority, and a certificate that it gave to 127.0.0.1."""
    (folder / "extension").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    new = "openssl req -newkey rsa:2048 -nodes"
    for command in (
        f"{new} -x509 -keyout ca.key -out ca.pem -days 2 -subj /CN=test -addext basicConstraints=critical,CA:TRUE",
        f"{new} -keyout server.key -out server.csr -subj /CN=localhost",
        "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 "
        "-extfile extension",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def guarded(mongo_server, tmp_path_factory):
    """A server with TLS and one user: (its port, the folder with its certificates)."""
    from pymongo import MongoClient

    folder = tmp_path_factory.mktemp("guarded")
    certificates(folder)
    server = WireServer(folder / "server")
    server.start()
    try:
        with MongoClient(server.uri) as client:
            client.admin.command("createUser", "ann", pwd="s3cr@t", roles=[{"role": "readWrite", "db": "superion"}])
        server.stop()
        server.start(
            "--auth", "--tls-cert-file", str(folder / "server.pem"), "--tls-key-file", str(folder / "server.key")
        )
        yield server.port, folder
    finally:
        server.stop()


@job
def add(a: float, b: float) -> dict:
    return {"sum": a + b}


@pytest.mark.services
def test_a_campaign_store_over_tls_with_a_password(guarded, tmp_path, monkeypatch, caplog):
    """The whole way: file, TLS, user, replica set; nothing secret in any document, log or text."""
    port, folder = guarded
    address = (
        f"mongodb://ann:{SECRET}@127.0.0.1:{port}/superion"
        f"?authSource=admin&tls=true&tlsCAFile={folder / 'ca.pem'}&replicaSet=secantus"
    )
    monkeypatch.setenv(STORE_FILE_VARIABLE, str(secret_file(tmp_path, address)))
    with caplog.at_level("DEBUG"), open_job_store() as store:
        one = add(1.0, 2.0)
        run_locally(one, store=store, ensure_success=True)
        shown = [json.dumps(document, default=str) for document in store.query({})]
        shown += [repr(store), repr(store.docs_store), store.name, json.dumps(store, cls=MontyEncoder)]
        collections = CampaignCollections(store)
        shown += [repr(collections.candidates), json.dumps(collections.candidates, cls=MontyEncoder)]
        again: JobStore = MontyDecoder().decode(json.dumps(store, cls=MontyEncoder))
        again.connect()
        assert again.get_output(one.uuid) == {"sum": 3.0}
        again.close()
        assert pickle.loads(pickle.dumps(store.docs_store)).uri == address
        collections.close()
    for text in [*shown, caplog.text]:
        assert "s3cr" not in text
        assert "ann:" not in text


@pytest.mark.services
@pytest.mark.parametrize(
    ("credentials", "options", "words"),
    [
        ("ann:wr0ng@", "authSource=admin&tls=true&tlsCAFile={ca}", "refuses the credentials"),
        (f"ann:{SECRET}@", "authSource=other&tls=true&tlsCAFile={ca}", "refuses the credentials"),
        ("", "tls=true&tlsCAFile={ca}", "asks for a user name and a password"),
        (f"ann:{SECRET}@", "authSource=admin&tls=true", "certificate is not trusted; tlsCAFile"),
        (f"ann:{SECRET}@", "authSource=admin&tls=true&tlsCAFile={ca}.old", "names a file that cannot be used"),
        (f"ann:{SECRET}@", "authSource=admin&tls=true&tlsCAFile={ca}&replicaSet=other", "no member of the replica set"),
        (f"ann:{SECRET}@", "authSource=admin", "cannot be used"),
    ],
)
def test_a_server_that_does_not_let_us_in(guarded, monkeypatch, credentials, options, words):
    """One sentence that says which part of the address is wrong, and quotes no secret."""
    port, folder = guarded
    monkeypatch.setattr(server_module, "SERVER_TIMEOUT_MS", 1500)
    # A worker would wait for a server that is away, and does not for one that it cannot trust.
    monkeypatch.setenv(CONNECT_PATIENCE_VARIABLE, "600" if words in REFUSED_AT_ONCE else "0")
    address = f"mongodb://{credentials}127.0.0.1:{port}/superion?{options.format(ca=folder / 'ca.pem')}"
    with pytest.raises(StoreError, match=words) as caught:
        open_job_store(address)
    everything = "".join(traceback.format_exception(caught.value))
    assert "s3cr" not in everything
    assert "wr0ng" not in everything
    assert "\n" not in str(caught.value)


@pytest.mark.services
def test_a_store_that_a_file_describes_shows_no_password_either(guarded, tmp_path, capfd):
    """maggma's own stores call themselves by their whole address."""
    port, folder = guarded
    address = (
        f"mongodb://ann:{SECRET}@127.0.0.1:{port}/superion?authSource=admin&tls=true&tlsCAFile={folder / 'ca.pem'}"
    )
    description = tmp_path / "store.yaml"
    description.write_text(
        f"docs_store: {{type: MongoStore, database: superion, uri: '{address}', collection_name: described}}\n"
        "additional_stores:\n"
        f"  data: {{type: GridFSStore, database: superion, uri: '{address}', collection_name: described_data}}\n"
    )
    description.chmod(0o600)
    backup = tmp_path / "b.zip"
    assert main(["db", "init", "--store", str(description)]) == 0
    assert main(["db", "backup", str(backup), "--store", str(description)]) == 0
    assert main(["db", "restore", str(backup), "--store", str(description)]) == 0
    with CampaignCollections.open(str(description)) as collections:
        collections.jobs.update({"uuid": "x", "index": 1, "output": 1})
        collections.jobs.docs_store._collection.drop_index("name_1")
        said = [*check_access(collections), *(finding.message for finding in store_findings(str(description)))]
    assert any("not indexed" in words for words in said)
    assert main(["db", "restore", str(backup), "--store", str(description)]) == 1, "it holds something"
    shown = "".join([*said, *capfd.readouterr()])
    assert "mongodb://***@127.0.0.1" in shown
    assert "holds jobs already" in shown
    assert "s3cr" not in shown
    assert "ann:" not in shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mongodb://host1/superion?appName=me@lab", "mongodb://host1/superion?appName=me@lab"),
        ("mongodb://ann:x@host1/superion?appName=me@lab", "mongodb://***@host1/superion?appName=me@lab"),
        ("mongodb://ann:x@h1:1,h2:2/db?replicaSet=r", "mongodb://***@h1:1,h2:2/db?replicaSet=r"),
        ("mongodb+srv://ann:x@host", "mongodb+srv://***@host"),
        ("mongodb://ann@[::1]:27017/db", "mongodb://***@[::1]:27017/db"),
        # Written wrongly: the letters belong to the password, which must not show.
        ("mongodb://ann:x/y@host/db", "mongodb://***@host/db"),
        ("mongodb://ann:x@y@host/db", "mongodb://***@host/db"),
        ("mongodb://ann:1/2@host/db", "mongodb://***@host/db"),
        ("mongodb://ann:x?y@host/db?appName=a@b", "mongodb://***@host/db?appName=a@b"),
        ("mongodb://ann:x y@host name/db", "mongodb://***@host name/db"),
        (
            "mongodb://host/db?tlsCertificateKeyFilePassword=x&w=1",
            "mongodb://host/db?tlsCertificateKeyFilePassword=***&w=1",
        ),
    ],
)
def test_what_is_shown_of_an_address(address, shown):
    assert redact_uri(address) == redact_uri(shown) == shown
    if "?" not in shown:
        assert redact_uri(f"{shown}#outputs") == f"{shown}#outputs"


def test_names_of_stores_of_other_kinds_stay(tmp_path):
    assert shown_name(MemoryStore("x")) == "mem://x"
    store = SqliteStore(tmp_path / "a@b" / "results.db")
    assert shown_name(store) == store.name
    assert shown_name(MongoStore("db", "c", host="mongodb://ann:x@host")) == "mongo://mongodb://***@host/db/c"


DESCRIPTION = """\
docs_store: {type: MongoStore, database: superion, collection_name: outputs, host: 127.0.0.1, port: 1, %s}
additional_stores:
  data: {type: MemoryStore}
"""


@pytest.mark.parametrize(
    ("field", "is_secret"),
    [
        ("username: ann, password: s3cret", True),
        ("uri: 'mongodb://ann:s3cret@127.0.0.1:1/superion'", True),
        ("uri: 'mongodb://127.0.0.1:1/superion?tlsCertificateKeyFilePassword=s3cret'", True),
        ("password: ''", False),
        ("uri: 'mongodb://127.0.0.1:1/superion?appName=me@lab'", False),
    ],
)
def test_a_description_with_a_password_must_be_private(tmp_path, field, is_secret):
    path = tmp_path / "store.yaml"
    path.write_text(DESCRIPTION % field)
    path.chmod(0o644)
    if is_secret:
        with pytest.raises(StoreError, match=r"description .*store.yaml has mode 0644.*chmod 600") as caught:
            open_job_store(path)
        assert "s3cr" not in str(caught.value)
        path.chmod(0o600)
    assert _open_specification(str(path)).docs_store.database == "superion"
    as_json = tmp_path / "store.json"
    as_json.write_text(json.dumps(yaml.safe_load(path.read_text())))
    as_json.chmod(0o604)
    if is_secret:
        with pytest.raises(StoreError, match="has mode 0604"):
            open_job_store(as_json)


@pytest.mark.parametrize(
    ("content", "is_secret"),
    [
        ({"host": "mongodb://ann:s3cret@h/fireworks", "name": "fireworks", "uri_mode": True}, True),
        ({"host": "h", "name": "fireworks", "username": "ann", "password": "s3cret"}, True),
        ({"host": "h", "name": "fireworks", "username": None, "password": None}, False),
    ],
)
def test_a_launchpad_with_a_password_must_be_private(tmp_path, content, is_secret):
    path = tmp_path / "my_launchpad.yaml"
    path.write_text(json.dumps(content))
    path.chmod(0o640)
    if is_secret:
        with pytest.raises(StoreError, match=r"launchpad file .* has mode 0640.*chmod 600"):
            open_launchpad("mongodb://h/superion", path)
        path.chmod(0o400)
    assert open_launchpad("mongodb://h/superion", path).host == content["host"]
