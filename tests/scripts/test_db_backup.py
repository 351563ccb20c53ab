"""`superion db backup` and `restore`, as a user types them; and a store whose address lies in a file."""

from __future__ import annotations

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.documents import CampaignRecord
from superion.database.settings import STORE_FILE_VARIABLE, STORE_VARIABLE
from support.candidate_rows import make_row


@pytest.fixture
def filled(folder):
    """A project with two candidates."""
    (folder / ".superion").mkdir()
    with CampaignCollections.open() as collections:
        collections.save_campaign(CampaignRecord(campaign_id="c", file_text=""))
        collections.update_rows([make_row(0), make_row(1)])
    return folder


@pytest.mark.services
def test_from_the_laptop_to_the_server_and_back(cli, filled, mongo_uri):
    answer = cli("db", "backup", "b.zip")
    assert answer.code == 0, answer.err
    assert "0 documents of jobs, 1 campaigns, 2 candidates, 0 contents" in answer.err
    cli("db", "backup", "b.zip").assert_sentence("is there already", "--overwrite")
    assert cli("db", "restore", "b.zip", "--store", mongo_uri, "--json").json()["n_documents"]["candidates"] == 2
    cli("db", "restore", "b.zip", "--store", mongo_uri).assert_sentence("holds campaigns already")
    assert cli("db", "check", "--store", mongo_uri).code == 0
    assert cli("db", "backup", "c.zip", "--store", mongo_uri).code == 0
    assert cli("db", "restore", "c.zip", "--store", filled / "again.db").code == 0
    rows = cli("query", "--store", filled / "again.db", "--json").json()
    assert [row["candidate_id"] for row in rows] == ["0000", "0001"]


def test_damaged_bulk_data_is_named(cli, filled):
    with CampaignCollections.open() as collections:
        document = {"uuid": "j", "index": 1, "output": {"frames": [1, 2]}}
        collections.jobs.update(document, save={"data": ["frames"]})
    (blob,) = (filled / ".superion" / "blobs").rglob("*.zlib")
    blob.write_bytes(b"x")
    answer = cli("db", "backup", "b.zip")
    assert answer.code == 1
    assert "problem: The bulk data" in answer.err
    assert "1 documents of jobs, 1 campaigns, 2 candidates, 0 contents" in answer.err
    assert len(cli("db", "backup", "c.zip", "--json").json()["missing"]) == 1


def test_mistakes(cli, filled):
    cli("db", "restore", "nothing.zip").assert_sentence("nothing.zip", "check its path")
    (filled / "text.zip").write_text("text")
    cli("db", "restore", "text.zip").assert_sentence("is no backup")
    cli("db", "backup", "nowhere/b.zip").assert_sentence("cannot be written")


def test_the_address_from_a_private_file(cli, folder, monkeypatch):
    """Commands work without a project, and refuse a file that others can read."""
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    secret = folder / "address"
    secret.write_text(str(folder / "elsewhere.db"))
    secret.chmod(0o600)
    monkeypatch.setenv(STORE_FILE_VARIABLE, str(secret))
    assert "elsewhere.db" in cli("db", "init").err
    with CampaignCollections.open() as collections:
        collections.save_campaign(CampaignRecord(campaign_id="c", file_text=""))
        collections.update_rows([make_row(0)])
    assert cli("db", "check").code == 0
    assert cli("campaign", "export", "c").code == 0
    assert not (folder / ".superion").exists()
    secret.chmod(0o644)
    cli("db", "check").assert_sentence("mode 0644", "chmod 600")
