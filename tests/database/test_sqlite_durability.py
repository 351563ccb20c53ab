"""Many writers, kills at random moments, forks, threads and slow readers: nothing acknowledged is lost."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from superion.database.blobs import BlobStore
from superion.database.sqlite_store import SqliteStore
from superion.errors import StoreError

N_WRITERS = 8
N_UPDATES = 25


def in_a_process_of_its_own(work: Callable[[], None]) -> int:
    """Fork a process that does the work and ends; give its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def write_many(path: Path, writer: int) -> None:
    """Insert documents of one's own, and raise a counter that all writers share."""
    # Connecting is part of the race: the first to come makes the file and the tables.
    store = SqliteStore(path, key="task_id")
    store.connect()
    for n in range(N_UPDATES):
        store.update({"task_id": f"{writer}-{n}", "writer": writer, "n": n})
    for _ in range(3):
        with store._collection.database.writing():
            counter = store.query_one({"task_id": "counter"}) or {"value": 0}
            store.update({"task_id": "counter", "value": counter["value"] + 1})
    store.close()


def test_eight_processes_lose_nothing(tmp_path):
    path = tmp_path / "shared.db"
    writers = [in_a_process_of_its_own(lambda n=n: write_many(path, n)) for n in range(N_WRITERS)]
    assert [os.waitpid(writer, 0)[1] for writer in writers] == [0] * N_WRITERS
    with SqliteStore(path, key="task_id") as store:
        assert store.count({"writer": {"$exists": True}}) == N_WRITERS * N_UPDATES
        for n in range(N_WRITERS):
            assert sorted(store.distinct("n", {"writer": n})) == list(range(N_UPDATES))
        assert store.query_one({"task_id": "counter"})["value"] == 3 * N_WRITERS


def write_until_killed(path: Path, blobs: Path, life: int, acknowledgements: int) -> None:
    """Write for ever, and tell after each write that it is done."""
    store, bulk = SqliteStore(path, key="task_id"), BlobStore(path, blobs, key="blob_uuid")
    store.connect()
    bulk.connect()
    for n in itertools.count():
        # Two documents belong together; both or none must be there.
        store.update([{"task_id": f"{life}-{n}", "text": "x" * 3000}, {"task_id": f"{life}-{n}-twin"}])
        bulk.update({"blob_uuid": f"{life}-{n}", "data": [life, n, "y" * 3000]})
        os.write(acknowledgements, b".")


def test_sigkill_loses_nothing_acknowledged(tmp_path):
    generator = random.Random(7)
    path, blobs = tmp_path / "killed.db", tmp_path / "blobs"
    n_kills, counts = 20, []
    for life in range(n_kills):
        inlet, outlet = os.pipe()
        victim = in_a_process_of_its_own(lambda life=life, outlet=outlet: write_until_killed(path, blobs, life, outlet))
        os.close(outlet)
        with os.fdopen(inlet, "rb") as pipe:
            # Some lives die while the file and the tables are made or opened, the others amid their writes,
            # however slow the disk is.
            heard, start = 0, time.monotonic()
            if life % 4:
                heard = sum(len(pipe.read(1)) for _ in range(generator.randint(1, 6)))
            time.sleep(generator.uniform(0.0, min(0.2, time.monotonic() - start + 0.02)))
            os.kill(victim, signal.SIGKILL)
            assert os.WTERMSIG(os.waitpid(victim, 0)[1]) == signal.SIGKILL
            acknowledged = heard + len(pipe.read())
        counts.append(acknowledged)
        with SqliteStore(path, key="task_id") as store, BlobStore(path, blobs, key="blob_uuid") as bulk:
            names = set(store.distinct("task_id", {"task_id": {"$regex": f"^{life}-"}}))
            wanted = {f"{life}-{n}" for n in range(acknowledged)}
            assert wanted | {f"{name}-twin" for name in wanted} <= names
            assert {n for n in names if n.endswith("-twin")} == {f"{n}-twin" for n in names if not n.endswith("-twin")}
            for n in range(acknowledged):
                assert bulk.query_one({"blob_uuid": f"{life}-{n}"})["data"] == [life, n, "y" * 3000]
    with SqliteStore(path, key="task_id") as store:
        # Nothing of earlier lives was lost to later kills, either.
        assert store.count({"task_id": {"$not": {"$regex": "twin$"}}}) >= sum(counts)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sum(counts) > n_kills  # 15 lives were let live for at least one write each, most for several


def test_writes_are_synced_before_they_are_acknowledged(tmp_path):
    with SqliteStore(tmp_path / "synced.db") as store:
        connection = store._collection.database.connection()
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_update_is_stored_whole_or_not_at_all(tmp_path):
    with SqliteStore(tmp_path / "whole.db", key="task_id") as store:
        with pytest.raises(Exception, match="64 bits"):
            store.update([{"task_id": 1}, {"task_id": 2, "too_large": 2**64}])
        assert store.count() == 0
        store.update({"task_id": 1})
        assert store.count() == 1


def test_a_fork_opens_its_own_connection(tmp_path):
    with SqliteStore(tmp_path / "fork.db", key="task_id") as store:
        store.update({"task_id": "parent"})

        def work(n: int) -> None:
            for k in range(10):
                store.update({"task_id": f"child-{n}-{k}"})
            store.close()

        children = [in_a_process_of_its_own(lambda n=n: work(n)) for n in range(3)]
        for k in range(10):
            store.update({"task_id": f"parent-{k}"})
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        assert store.count() == 41


def test_threads_have_connections_of_their_own(tmp_path):
    with SqliteStore(tmp_path / "threads.db", key="task_id") as store:
        errors: list[Exception] = []

        def work(thread: int) -> None:
            try:
                for n in range(10):
                    store.update({"task_id": f"{thread}-{n}"})
                    assert store.query_one({"task_id": f"{thread}-{n}"})
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert store.count() == 40


def test_reading_while_others_write_and_while_writing_oneself(tmp_path):
    """A slow reader holds nobody up, and sees every document that was there from the first to the last moment."""
    path = tmp_path / "slow.db"
    with SqliteStore(path, key="task_id") as reader, SqliteStore(path, key="task_id") as writer:
        reader.update([{"task_id": n, "state": "old"} for n in range(1000)])
        seen = []
        for document in reader.query({"state": "old"}, sort={"task_id": 1}):
            seen.append(document["task_id"])
            if document["task_id"] == 10:
                writer.update([{"task_id": 10_000 + n, "state": "old"} for n in range(5)])
                writer.remove_docs({"task_id": 900})
                writer.update({"task_id": 901, "state": "new"})
                reader.update({"task_id": 902, "state": "new"})
        assert set(range(900)) <= set(seen)
        assert not {900, 901, 902} & set(seen)
        assert len(seen) == len(set(seen))


def test_two_readers_of_one_store_interleave(tmp_path):
    with SqliteStore(tmp_path / "two.db", key="task_id") as store:
        store.update([{"task_id": n} for n in range(700)])
        pairs = list(zip(store.query(sort={"task_id": 1}), store.query(sort={"task_id": -1}), strict=True))
        assert [a["task_id"] + b["task_id"] for a, b in pairs] == [699] * 700


def test_close_and_connect_again(tmp_path):
    store = SqliteStore(tmp_path / "again.db", key="task_id")
    store.connect()
    store.update({"task_id": 1})
    store.close()
    store.close()
    with pytest.raises(Exception, match="not connected"):
        store.count()
    store.connect()
    store.connect()
    assert store.count() == 1
    store.connect(force_reset=True)
    assert store.count() == 1
    store.close()
    # Closed by the last one, the write-ahead log is folded into the file: one file to copy.
    assert [file.name for file in Path(tmp_path).iterdir()] == ["again.db"]


def test_a_lock_that_is_never_given_back_ends_in_one_sentence(tmp_path):
    path = tmp_path / "locked.db"
    with SqliteStore(path, key="task_id", timeout_s=0.5) as store:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="stayed locked by another process"):
            store.update({"task_id": 1})
        assert store.count() == 0
        holder.execute("ROLLBACK")
        holder.close()
        store.update({"task_id": 1})
        assert store.count() == 1


def test_a_store_opens_while_another_process_writes(tmp_path):
    """Indexes that are there are found without the write lock."""
    path = tmp_path / "busy.db"
    with SqliteStore(path, key="task_id") as store:
        store.update({"task_id": 1})
        store.ensure_index("name")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with SqliteStore(path, key="task_id", timeout_s=0.5) as store:
        assert store.ensure_index("name")
        assert store.count({"task_id": 1}) == 1
    holder.execute("ROLLBACK")
    holder.close()


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path):
    with SqliteStore(tmp_path / "full.db", key="task_id") as store:
        store.update({"task_id": 1})
        connection = store._collection.database.connection()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 5}")
        with pytest.raises(StoreError, match="is full: make room") as caught:
            store.update([{"task_id": n, "text": "x" * 4000} for n in range(2, 50)])
        assert "\n" not in str(caught.value)
        assert [document["task_id"] for document in store.query()] == [1]
        connection.execute("PRAGMA max_page_count=1000000")
        store.update({"task_id": 2, "text": "x" * 4000})
        assert store.count() == 2


def test_a_store_travels_as_a_dictionary_and_as_a_pickle(tmp_path):
    import pickle

    from monty.json import MontyDecoder, MontyEncoder

    with SqliteStore(tmp_path / "travel.db", "results", key="uuid") as store:
        store.update({"uuid": "a"})
        text = json.dumps(store, cls=MontyEncoder)
        for copy in (MontyDecoder().decode(text), pickle.loads(pickle.dumps(store))):
            assert copy == store
            assert copy.key == "uuid"
            copy.connect()
            assert copy.count() == 1
            copy.close()
    with BlobStore(tmp_path / "travel.db", tmp_path / "blobs", key="blob_uuid") as bulk:
        bulk.update({"blob_uuid": "b", "data": [1]})
        copy = MontyDecoder().decode(json.dumps(bulk, cls=MontyEncoder))
        copy.connect()
        assert copy.query_one({})["data"] == [1]
        copy.close()
