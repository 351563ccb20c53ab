from __future__ import annotations

import pytest
from superion.workflows.presenters.outline import outline


@pytest.fixture
def project(finished, monkeypatch):
    monkeypatch.chdir(finished.root)
    return finished


def test_lists(cli, project):
    everything = cli("list", "--json").json()
    assert {head["doc_type"] for head in everything} == {"candidate", "trajectory", "diffusion", "conductivity"}
    assert everything[0]["doc_type"] == "conductivity"
    assert [head["doc_type"] for head in cli("list", "--type", "trajectory", "--json").json()] == ["trajectory"] * 2
    for head in everything:
        if head["doc_type"] == "trajectory":
            assert head["state"] == "completed"
            assert head["temperature_k"] > 0
    assert cli("list", "--formula", "NaCl", "--json").json() == []
    assert len(cli("list", "--limit", "3", "--json").json()) == 3
    table = cli("list", "--type", "conductivity").out
    assert "[bold]cosine & co" in table
    assert "σ(300 K)" in table
    assert "no such documents" in cli("list", "--formula", "NaCl").err


def test_lists_from_a_folder_below(cli, project, monkeypatch):
    below = project.root / ".superion" / "runs"
    monkeypatch.chdir(below)
    assert len(cli("list", "--type", "conductivity", "--json").json()) == 1


def test_runs_are_listed(cli, project):
    (row,) = cli("list", "--runs", "--json").json()
    assert row["run"] == "first"
    assert row["state"] == "completed"
    assert row["jobs"] == row["jobs_over"] > 5
    assert row["output_uuids"] == [project.document["provenance"]["job_uuid"]]
    assert "completed" in cli("list", "--runs").out


def test_a_document_by_uuid_prefix_or_run(cli, project):
    uuid = project.document["provenance"]["job_uuid"]
    for name in (uuid, uuid[:8], "first"):
        assert cli("show", name, "--json").json() == project.document
    text = cli("show", uuid[:8]).out
    assert "activation energy" in text
    assert f"superion report {uuid[:8]}" in text


def test_other_documents_are_outlined(cli, project):
    head = cli("list", "--type", "trajectory", "--json").json()[0]
    text = cli("show", head["uuid"]).out
    assert "doc_type: trajectory" in text
    assert "stop_reason: max_length" in text
    assert "[bold]cosine & co" in text
    candidate = cli("list", "--type", "candidate", "--json").json()[0]
    assert "structure: 45 sites" in cli("show", candidate["uuid"]).out


def test_no_such_document(cli, project):
    cli("show", "zzzz").assert_sentence("zzzz", "superion list")
    cli("report", "zzzz").assert_sentence("zzzz")
    trajectory = cli("list", "--type", "trajectory", "--json").json()[0]["uuid"]
    cli("report", trajectory).assert_sentence("conductivity", "trajectory")


def test_the_report_of_a_run(cli, project, tmp_path):
    target = tmp_path / "my report.html"
    answer = cli("report", "first", "-o", target)
    assert (answer.code, answer.out.strip()) == (0, str(target))
    page = target.read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    keys = [path.name for path in (project.root / ".superion" / "trajectories").iterdir()]
    assert all(key in page for key in keys)
    assert "superion run conductivity cosine.cif --potential ase:" in page
    uuid = project.document["provenance"]["job_uuid"]
    both = cli("report", uuid, uuid[:6], "-o", tmp_path / "two.html", "--json").json()
    assert both == {"report": str(tmp_path / "two.html")}
    assert (tmp_path / "two.html").read_text(encoding="utf-8").count("<article") == 2


def test_a_report_that_cannot_be_written(cli, project):
    cli("report", "first", "-o", "/proc/nowhere/report.html").assert_sentence("/proc/nowhere/report.html")


def test_outlines_are_short():
    lines = outline({"long": list(range(100)), "none": None, "deep": {"list": [{"a": 1}], "empty": {}}})
    assert lines == ["long: 100 entries", "none: –", "deep:", "  list: 1 entries", "  empty: {}"]
