"""`superion db flush`: results that waited on the disk."""

from __future__ import annotations

import pytest
from superion.database import spool
from superion.database.job_store import open_job_store
from superion.database.spool import SPOOL_VARIABLE, SpooledWrite


def write_of(server, uuid):
    document = {"uuid": uuid, "index": 1, "output": {"n": 1}}
    return SpooledWrite(server, "outputs", ("uuid", "index"), (document,))


@pytest.mark.services
def test_waiting_results_are_put_in(cli, folder, mongo_uri, monkeypatch):
    monkeypatch.setenv(SPOOL_VARIABLE, str(folder / "spool"))
    with open_job_store(mongo_uri) as store:
        server = store.docs_store.server
        for uuid in ("a", "b"):
            spool.keep(write_of(server, uuid), folder / "spool").release()
        spool.keep(write_of("mongodb://elsewhere/db", "c"), folder / "spool").release()
        held = spool.keep(write_of(server, "d"), folder / "spool")
        answer = cli("db", "flush", "--store", mongo_uri, "--json")
        whom = ["mongodb://elsewhere/db#outputs", f"{server}#outputs"]
        assert answer.json() == {"n_files": 2, "n_waiting": 2, "waiting_for": sorted(whom), "problems": []}
        assert sorted(entry["uuid"] for entry in store.query({})) == ["a", "b"]
        held.release()
        (folder / "spool" / "0.bson").write_bytes(b"damaged")
        answer = cli("db", "flush", "--store", mongo_uri)
        assert answer.code == 1
        assert "problem: The file" in answer.err
        assert "1 files of results are in the store, 1 wait on for mongodb://elsewhere/db#outputs" in answer.err
        assert "Traceback" not in answer.err
        spool.keep(write_of(server, "e"), folder / "old").release()
        assert cli("db", "flush", "--folder", folder / "old", "--store", mongo_uri).code == 0
        assert sorted(entry["uuid"] for entry in store.query({})) == ["a", "b", "d", "e"]


def test_an_embedded_store_lets_nothing_wait(cli, folder):
    cli("db", "init")
    assert "0 files of results are in the store" in cli("db", "flush").err


def test_a_folder_that_is_not_there_is_told(cli, folder):
    cli("db", "init")
    cli("db", "flush", "--folder", "tpyo").assert_sentence("There is no folder tpyo", "--folder")
