"""The MongoDB server goes away while processes write: nothing is lost, nothing is there twice."""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import bson
import pytest
from monty.json import MontyDecoder, MontyEncoder
from pymongo.cursor import Cursor
from pymongo.errors import AutoReconnect, OperationFailure
from superion.database import mongo_server as server_module
from superion.database import server_patience, spool
from superion.database.flush import flush_spool
from superion.database.job_store import open_job_store
from superion.database.mongo_server import MongoServerStore
from superion.database.server_patience import (
    CONNECT_PATIENCE_VARIABLE,
    PATIENCE_VARIABLE,
    connect_patience_s,
    is_outage,
    patiently,
    write_patience_s,
)
from superion.database.spool import SPOOL_VARIABLE, SpooledWrite, abandoned, spool_folders, waiting
from superion.database.write_through import PendingWrite, write_through
from superion.errors import SettingsError, StoreAwayError, StoreError
from superion.workflows.dispatch.fireworks_engine.lost_jobs import is_no_fault
from support.wire_server import WireServer

WRITER = """
import itertools, logging, sys, time
from pathlib import Path
from jobflow import job, run_locally
from superion.database import mongo_server
from superion.database.flush import flush_spool
from superion.database.job_store import open_job_store

mongo_server.SERVER_TIMEOUT_MS = 500
uri, name, enough = sys.argv[1], sys.argv[2], Path(sys.argv[3])

def document(i):
    return {
        "uuid": f"{name}-{i}", "index": 1, "name": "test", "output": {"n": i, "frames": [[i] * 1000] * 20},
        "metadata": {}, "hosts": [],
    }

with open_job_store(uri) as store:
    for i in itertools.count():
        store.update(document(i), save={"data": ["frames"]})
        print(i, flush=True)
        if enough.exists():
            break
        time.sleep(0.02)
"""


@pytest.fixture(autouse=True)
def own_spool(tmp_path, monkeypatch):
    monkeypatch.setenv(SPOOL_VARIABLE, str(tmp_path / "spool"))
    monkeypatch.setattr(server_patience, "_away", set())
    monkeypatch.setattr(server_module, "_told", set())
    return tmp_path / "spool"


@pytest.fixture
def server(mongo_server, tmp_path):
    """A server that a test may kill."""
    made = WireServer(tmp_path / "server")
    made.start()
    yield made
    made.stop()


def write_document(uuid, n=0):
    return {"uuid": uuid, "index": 1, "name": "test", "output": {"n": n, "frames": [[n] * 10] * 5}}


def start_writer(server, name, enough, **environment):
    """Start a process that writes until there is a file."""
    command = [sys.executable, "-W", "ignore", "-c", WRITER, server.uri, name, str(enough)]
    with open(server.folder / f"{name}.err", "w") as errors:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **environment}
        )


def told(server, name):
    """Lines that a writer has printed about its troubles."""
    return (server.folder / f"{name}.err").read_text().splitlines()


def wait_until(condition, timeout_s=300.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check_all_there(server, n_jobs):
    """Every document once, with its own bulk data, and no pieces of bulk data that belong to none."""
    with open_job_store(server.uri) as store:
        expected = {f"{name}-{i}" for name, n in n_jobs.items() for i in range(n)}
        uuids = [entry["uuid"] for entry in store.query({}, properties=["uuid"])]
        assert len(uuids) == len(set(uuids)), "twice"
        assert set(uuids) == expected
        for entry in store.query({}, load=True):
            assert entry["output"]["frames"][0][0] == entry["output"]["n"] == int(entry["uuid"].split("-")[1])
        bulk = store.additional_stores["data"]
        files = [entry["_id"] for entry in bulk._files_collection.find({}, ["_id"])]
        assert len(files) == len(expected)
        assert set(bulk._chunks_collection.distinct("files_id")) == set(files)


@pytest.mark.services
def test_a_server_killed_and_restarted_under_several_writers(server, tmp_path, own_spool):
    """Three processes, two outages: each writer tells one line per outage, and no traceback."""
    writers = {name: start_writer(server, name, tmp_path / "enough") for name in ("a", "b", "c")}
    for writer in writers.values():
        assert writer.stdout.readline() == "0\n"
    for outage in (1, 2):
        server.kill()
        wait_until(lambda outage=outage: all(len(told(server, name)) == outage for name in writers))
        server.start()
        wait_until(lambda: waiting([own_spool]) == [])
    (tmp_path / "enough").touch()
    n_jobs = {}
    for name, writer in writers.items():
        printed, _ = writer.communicate(timeout=300)
        lines = told(server, name)
        assert writer.returncode == 0, lines
        assert len(lines) == 2, "one line for each outage"
        assert all("does not answer" in line and "results wait in" in line for line in lines), lines
        n_jobs[name] = int(printed.splitlines()[-1]) + 1
    check_all_there(server, n_jobs)
    assert waiting([own_spool]) == []


@pytest.mark.services
def test_what_a_killed_writer_left_is_put_in_by_the_next(server, tmp_path, own_spool, caplog):
    """Document and bulk data both, once, however often it is asked for."""
    writer = start_writer(server, "a", tmp_path / "never")
    while int(writer.stdout.readline()) < 3:
        pass
    server.kill()
    wait_until(lambda: len(waiting([own_spool])) >= 2)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in waiting([own_spool]))
    assert list(abandoned([own_spool])) == [], "its owner is alive"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    written = [int(line) for line in writer.stdout.read().splitlines()]
    acknowledged = max([3, *written])
    server.start()
    check_all_there(server, {"a": acknowledged + 2})
    assert waiting([own_spool]) == []
    check_all_there(server, {"a": acknowledged + 2})


@pytest.mark.services
def test_patience_ends(server, own_spool, monkeypatch):
    """The job fails with one sentence, its result waits on the disk, and older results never replace newer ones."""
    monkeypatch.setattr(server_module, "SERVER_TIMEOUT_MS", 200)
    monkeypatch.setenv(PATIENCE_VARIABLE, "1")
    store = open_job_store(server.uri)
    store.update(write_document("x", 1))
    server.kill()
    for action in (
        lambda: store.update([write_document("x", 2), write_document("y", 2)]),
        lambda: list(store.query({})),
        lambda: store.count({"uuid": "x"}),
        lambda: store.docs_store.distinct("uuid"),
    ):
        began = time.monotonic()
        with pytest.raises(StoreError, match="did not answer for 1 s") as caught:
            action()
        assert time.monotonic() - began < 30
        assert "\n" not in str(caught.value)
    assert len(waiting([own_spool])) == 1
    server.start()
    other = open_job_store(server.uri)
    found = {entry["uuid"]: entry["output"]["n"] for entry in other.query({})}
    assert found == {"x": 1, "y": 2}
    other.close()


@pytest.mark.services
def test_workers_wait_for_a_server_that_is_away_and_others_do_not(server, monkeypatch):
    """As jobflow's tasks connect: the store rebuilt from its dictionary, before anything else."""
    monkeypatch.setattr(server_module, "SERVER_TIMEOUT_MS", 200)
    with open_job_store(server.uri) as store:
        written = json.dumps(store, cls=MontyEncoder)
    server.kill()
    with pytest.raises(StoreError, match="cannot be used") as caught:
        MontyDecoder().decode(written).connect()
    assert not isinstance(caught.value, StoreAwayError)
    monkeypatch.setenv(CONNECT_PATIENCE_VARIABLE, "1")
    with pytest.raises(StoreAwayError, match="did not answer for 1 s") as away:
        MontyDecoder().decode(written).connect()
    assert is_no_fault("".join(traceback.format_exception(away.value))), "such a job goes back to the launchpad"
    monkeypatch.setenv(CONNECT_PATIENCE_VARIABLE, "30")
    threading.Timer(1.5, server.start).start()
    with MontyDecoder().decode(written) as again:
        assert again.count() == 0


@pytest.mark.services
def test_a_read_goes_on_after_an_outage(server, monkeypatch):
    """Each document once, though the cursor dies with the server."""
    monkeypatch.setattr(server_module, "SERVER_TIMEOUT_MS", 500)
    with open_job_store(server.uri) as store:
        store.update([write_document(f"d{i:04d}", i) for i in range(500)])
        for properties in (None, ["uuid"], {"uuid": 1, "_id": 0}, {"output": 0, "_id": 0}, {"_id": 0}):
            reading = store.docs_store.query({}, properties, sort={"uuid": 1})
            first = [next(reading) for _ in range(150)]
            server.kill()
            server.start()
            both = [*first, *reading]
            assert [entry["uuid"] for entry in both] == [f"d{i:04d}" for i in range(500)]
            assert all(("_id" in entry) == (not isinstance(properties, dict)) for entry in both)


@pytest.mark.services
def test_a_read_goes_on_where_the_server_forgot_it(database):
    """As after a restart between two portions, which the first request of the next portion does not meet."""
    with open_job_store(database) as store:
        store.update([write_document(f"d{i:04d}", i) for i in range(250)])
        reading = store.docs_store.query({}, ["uuid"], sort={"uuid": 1})
        first = [next(reading) for _ in range(101)]
        collection = store.docs_store._collection
        cursors = [
            value.cursor_id
            for value in gc.get_objects()
            if type(value) is Cursor and value.collection == collection and value.cursor_id
        ]
        assert len(cursors) == 1
        collection.database.command("killCursors", collection.name, cursors=cursors)
        assert [entry["uuid"] for entry in [*first, *reading]] == [f"d{i:04d}" for i in range(250)]


@pytest.mark.services
def test_rows_that_can_be_derived_anew_are_not_kept(server, own_spool, monkeypatch):
    monkeypatch.setattr(server_module, "SERVER_TIMEOUT_MS", 200)
    monkeypatch.setenv(PATIENCE_VARIABLE, "0.6")
    store = MongoServerStore(server.uri, "candidates", key="key")
    store.connect()
    server.kill()
    with pytest.raises(StoreError, match="did not answer"):
        store.update({"key": "a", "n": 1})
    assert waiting([own_spool]) == []


def large_document(uuid, n_bytes):
    return {"uuid": uuid, "index": 1, "name": "relax", "output": {"text": "x" * n_bytes}}


@pytest.mark.services
def test_a_result_that_is_too_large_is_refused_before_it_is_written_or_kept(server, own_spool, monkeypatch):
    monkeypatch.setenv(PATIENCE_VARIABLE, "1")
    with open_job_store(server.uri) as store:
        for is_there in (True, False):
            if not is_there:
                server.kill()
            for write in (store.update, store.docs_store.update):
                with pytest.raises(
                    StoreError, match=r"job relax \(big, index 1\) takes 16.2 MiB.*additional store"
                ) as caught:
                    write(large_document("big", 17_000_000), ["uuid", "index"])
                assert len(str(caught.value)) < 400
            with pytest.raises(StoreError, match=r"cannot be kept in the collection outputs \(OverflowError\)"):
                store.update({**write_document("huge"), "output": 2**80})
    assert waiting([own_spool]) == []


@pytest.mark.services
@pytest.mark.parametrize("n_bytes", [16 * 2**20 + 20_000, 16 * 2**20 - 60])
def test_files_that_cannot_be_taken_do_not_stop_others(database, own_spool, caplog, n_bytes):
    """Older versions kept what no server takes; such a file is told, shortly, and every command goes on."""
    server = MongoServerStore(database).server
    key = ("uuid", "index")
    own_spool.mkdir()
    (own_spool / "0.bson").write_bytes(b"damaged")
    spool.keep(SpooledWrite(server, "outputs", key, (large_document("big", n_bytes),)), own_spool).release()
    for n in range(4):
        spool.keep(SpooledWrite(server, "outputs", key, (write_document(f"u{n}"),)), own_spool).release()
    with caplog.at_level(logging.WARNING), open_job_store(database) as store:
        assert sorted(entry["uuid"] for entry in store.query({}, ["uuid"])) == [f"u{n}" for n in range(4)]
        report = flush_spool(store, [own_spool])
    assert (report.n_files, len(report.problems), report.n_waiting) == (0, 2, 0)
    assert any("job relax (big, index 1) takes 16.0 MiB" in problem for problem in report.problems)
    assert len(caplog.records) == 2, "each file once"
    assert all(len(text) < 500 for text in [*report.problems, *caplog.messages])
    assert len(waiting([own_spool])) == 2


# -- parts -----------------------------------------------------------------------------------------------------


def test_pauses_grow_and_one_line_is_told(monkeypatch, caplog):
    pauses = []
    monkeypatch.setattr(server_patience.time, "sleep", pauses.append)
    failures = [AutoReconnect("away")] * 9
    with caplog.at_level(logging.WARNING):
        answers = patiently(lambda: _raise(failures.pop()) if failures else 7, "mongodb://h/d", 3600)
    assert answers == 7
    assert all(0.5 * 0.5 * 2**n <= pause <= min(0.5 * 2**n, 60.0) for n, pause in enumerate(pauses[:7])), pauses
    assert max(pauses) <= 60.0
    assert len(caplog.records) == 1
    assert "AutoReconnect" in caplog.text
    with pytest.raises(OperationFailure):
        patiently(lambda: _raise(OperationFailure("not authorized")), "mongodb://h/d", 3600)
    assert not is_outage(ValueError())


def test_each_outage_is_told(caplog):
    """Also the one after an outage whose end a later request met first."""
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for _ in range(2):
                with pytest.raises(StoreError, match="did not answer"):
                    patiently(lambda: _raise(AutoReconnect("away")), "mongodb://h/d", 0)
            assert patiently(lambda: 7, "mongodb://h/d", 0) == 7
    assert len(caplog.records) == 2


def _raise(error):
    raise error


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_wrong_patience_is_told(monkeypatch, text):
    for variable, read in ((PATIENCE_VARIABLE, write_patience_s), (CONNECT_PATIENCE_VARIABLE, connect_patience_s)):
        monkeypatch.setenv(variable, text)
        with pytest.raises(SettingsError, match=f"{variable}=.* is no number of seconds"):
            read()


def one_write(n):
    return SpooledWrite("mongodb://h/d", "outputs", ("uuid", "index"), tuple(write_document(f"u{i}") for i in range(n)))


def pending(*documents):
    """A write that meets no server, for each document."""

    def spooled(document):
        return lambda: SpooledWrite("mongodb://h/d", "outputs", ("uuid", "index"), (document,))

    return [PendingWrite(lambda: _raise(AutoReconnect("away")), "mongodb://h/d", spooled(entry)) for entry in documents]


def test_results_are_kept_where_there_is_room(tmp_path, monkeypatch, caplog):
    """The project's folder, or the user's; all that belongs together, or nothing, and then that is said."""
    monkeypatch.setenv(PATIENCE_VARIABLE, "0")
    monkeypatch.delenv(SPOOL_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / ".superion").mkdir()
    (tmp_path / ".superion" / "spool").write_text("no folder")
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "cache" / "superion" / "spool"
    with pytest.raises(StoreAwayError, match=f"results wait in {other}"):
        write_through(pending(write_document("a"), write_document("b")))
    assert len(waiting([other])) == 2
    with pytest.raises(StoreAwayError, match=r"could NOT be kept on the disk \(File exists in .*\.superion/spool\)"):
        write_through(pending(write_document("c"), {"uuid": "d", "index": 1, "output": 2**80}))
    assert len(waiting([other])) == 2, "nothing of what is not whole"
    server_patience._away.clear()
    with pytest.raises(StoreAwayError):
        write_through(pending({"uuid": "d", "index": 1, "output": 2**80}))
    assert "could NOT be kept" in caplog.messages[-1]


def test_a_file_is_whole_or_not_there(tmp_path):
    file = spool.keep(one_write(3), tmp_path / "s")
    assert file.read() == one_write(3)
    assert list(abandoned([tmp_path / "s"])) == [], "held"
    file.release()
    (again,) = abandoned([tmp_path / "s"])
    assert again.read() == one_write(3)
    again.remove()
    assert list((tmp_path / "s").iterdir()) == []


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-5], lambda data: data[: len(data) // 3], lambda data: b"", lambda data: b"x" * 40]
)
def test_a_damaged_file_is_told_and_kept(tmp_path, damage):
    file = spool.keep(one_write(3), tmp_path)
    file.release()
    file.path.write_bytes(damage(file.path.read_bytes()))
    (found,) = abandoned([tmp_path])
    with pytest.raises(StoreError, match="cannot be read"):
        found.read()
    found.release()
    assert file.path.exists()


def test_half_a_file_of_a_dead_process_goes(tmp_path):
    half = tmp_path / ".abc.bson.part"
    half.write_bytes(b"half")
    assert list(abandoned([tmp_path])) == []
    assert half.exists(), "its process may be about to lock it"
    os.utime(half, (time.time() - 70, time.time() - 70))
    assert list(abandoned([tmp_path])) == []
    assert list(tmp_path.iterdir()) == []


def test_where_results_wait(tmp_path, monkeypatch):
    assert spool_folders() == [tmp_path / "spool"]
    monkeypatch.delenv(SPOOL_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    assert spool_folders() == [tmp_path / "cache" / "superion" / "spool"]
    (tmp_path / ".superion").mkdir()
    assert spool_folders()[0] == Path(tmp_path).resolve() / ".superion" / "spool"


def test_nothing_secret_waits(tmp_path):
    store = MongoServerStore("mongodb://ann:s3cret@127.0.0.1:1/superion?authSource=admin")
    assert store.server == "mongodb://127.0.0.1:1/superion"
    write = store.pending(write_document("x"), ["uuid", "index"]).spooled()
    assert write.server == f"mongodb://{socket.gethostname().lower()}:1/superion", "its loopback is no other host's"
    file = spool.keep(write, tmp_path)
    assert b"s3cret" not in file.path.read_bytes()
    assert bson.decode_all(file.path.read_bytes())[1]["uuid"] == "x"
    file.release()
    assert json.dumps(write.key) == '["uuid", "index"]'
