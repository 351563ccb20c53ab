"""Stores, runs and campaigns of an earlier superion are opened, resumed, queried and ranked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from superion.database.documents import document_class
from superion.database.job_store import open_job_store
from superion.database.queries import get_document
from superion.scripts.cli import main
from support.earlier_project import unpack_earlier_project


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    answers = unpack_earlier_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    # As wide as where the answers were given.
    monkeypatch.setenv("COLUMNS", "120")
    return answers


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    def run(line: str) -> str:
        capfd.readouterr()
        code = main(line.split())
        out, err = capfd.readouterr()
        assert code == 0, err
        return out

    return run


def test_all_of_it_reads_as_it_did(earlier, call):
    """Word for word, but for columns that came since."""
    assert call("show done") == earlier["show"]
    assert call("list") == earlier["list_table"]
    listed = json.loads(call("list --json --limit 0"))
    assert [{name: row[name] for name in head} for row, head in zip(listed, earlier["list"], strict=True)] == earlier[
        "list"
    ]
    assert json.loads(call("campaign rank lattice --json")) == earlier["rank"]
    assert json.loads(call("query --json")) == earlier["query"]
    assert {row["run"]: row for row in json.loads(call("list --runs --json"))} == {
        row["run"]: row for row in earlier["runs"]
    }
    store = open_job_store()
    for head in earlier["list"]:
        assert type(get_document(store, head["uuid"]).document) is document_class(head["doc_type"])
    store.close()
    assert Path(call("report done").strip()).read_text().count("<svg") == 3


def test_its_runs_are_resumed(earlier, call, tmp_path):
    """A finished one computes nothing again; one that was stopped half-way goes on behind its last segment."""
    finished = json.loads(call("resume done --json"))
    assert (finished["state"], len(finished["documents"])) == ("completed", 1)

    trajectories = tmp_path / ".superion" / "trajectories"
    closed = {path: _digest(path) for path in trajectories.glob("*/segment-*.h5md")}
    assert len(closed) == 3
    resumed = json.loads(call("resume half --json"))
    assert resumed["state"] == "completed"
    (document,) = resumed["documents"]
    assert [result["temperature_k"] for result in document["temperatures"]] == [850.0]
    assert {path: _digest(path) for path in closed} == closed
    assert len(list(trajectories.glob("*/segment-*.h5md"))) > 3


def test_its_campaign_is_resumed_and_ranked(earlier, call):
    before = {entry["uuid"] for entry in earlier["list"]}
    found = json.loads(call("campaign resume lattice --workers 1 --json"))
    assert (found["state"], found["counts"]) == ("finished", {"done": 3})
    new = [head for head in json.loads(call("list --json --limit 0")) if head["uuid"] not in before]
    assert {head["label"] for head in new} == {"c16"}, "the others are not computed again"
    ranked = json.loads(call("campaign rank lattice --json"))
    assert {row["label"] for row in ranked} == {"c14", "c15", "c16"}
    values = {row["label"]: row["probe_diffusivity_cm2_s"] for row in ranked}
    known = {row["label"]: row["probe_diffusivity_cm2_s"] for row in earlier["rank"] if row["rank"] is not None}
    assert len(known) == 2
    assert known.items() <= values.items()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
