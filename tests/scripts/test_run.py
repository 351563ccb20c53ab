"""A real calculation through the command line: run, kill, resume, answer, report."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from superion.constants import BOLTZMANN_EV_PER_K
from superion.database.documents import ConductivityDoc
from superion.dynamics.trajectory import Trajectory
from superion.scripts.cli import main


def test_a_run_ends_with_its_answer(finished):
    answer = finished.answer.json()
    assert answer["state"] == "completed"
    assert answer["failures"] == []
    document = ConductivityDoc.model_validate(answer["documents"][0])
    assert document.label == "[bold]cosine & co"
    assert [result.temperature_k for result in document.temperatures] == [700.0, 1000.0]
    assert document.mobile_ion == "Li"
    assert document.provenance.potential.name == "ase"
    assert document.verdict
    report = Path(answer["report"])
    assert report.parent == finished.root / ".superion" / "reports"
    assert "&lt;bold&gt;" not in report.read_text()
    assert "[bold]cosine &amp; co" in report.read_text()


def test_progress_and_plan_go_to_standard_error(finished):
    err = finished.answer.err
    assert "temperatures  700, 1000 K" in err
    assert "mobile ion    Li+" in err
    assert "superion resume first" in err
    assert re.search(r"\[\d/\d\] completed: MD 700 K", err)


def test_everything_lies_in_the_project_folder(finished):
    assert {path.name for path in finished.root.iterdir()} == {".superion", "cosine.cif"}
    assert len(list((finished.root / ".superion" / "trajectories").iterdir())) == 2
    request = json.loads((finished.root / ".superion" / "runs" / "first" / "request.json").read_text())
    assert request["command"].startswith("superion run conductivity cosine.cif --potential ase:")
    assert request["output_uuids"] == [finished.document["provenance"]["job_uuid"]]


def test_a_name_is_given_once(cli, finished, monkeypatch):
    monkeypatch.chdir(finished.root)
    before = sorted((finished.root / ".superion" / "runs").iterdir())
    arguments = ("run", "conductivity", finished.cosine.file, *finished.cosine.options)
    cli(*arguments, "--name", "first").assert_sentence("a run named first already", "superion resume first")
    cli(*arguments, "--name", "a/b").assert_sentence("--name", "a/b")
    assert sorted((finished.root / ".superion" / "runs").iterdir()) == before


def test_resuming_a_finished_run_computes_nothing_again(cli, finished, monkeypatch):
    monkeypatch.chdir(finished.root)
    files = {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in (finished.root / ".superion" / "trajectories").rglob("*.h5*")
    }
    assert files
    answer = cli("resume", "--json")
    assert answer.code == 0, answer.err
    assert answer.json()["documents"] == finished.answer.json()["documents"]
    assert files == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


def test_a_run_without_json_prints_a_table(cli, finished, monkeypatch):
    monkeypatch.chdir(finished.root)
    answer = cli("resume", "first")
    assert answer.code == 0
    for words in ("T (K)", "D (cm²/s)", "hops", "activation energy", "(statistical)", "Worth:", "superion show"):
        assert words in answer.out
    assert "the run had ended before; nothing was left to compute" in answer.err
    assert "time " not in answer.out
    assert "[bold]cosine & co" in answer.out
    assert finished.document["verdict"] in answer.out
    for error in finished.document["systematic_errors"]:
        assert error["statement"] in answer.out


def test_resume_without_a_run(cli, folder):
    cli("resume").assert_sentence("no run in this project", "superion list --runs")
    cli("resume", "nonsense").assert_sentence("no run 'nonsense'")


def _start(root: Path, cosine, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "superion.scripts.cli", "run", "conductivity", str(cosine.file), *cosine.options]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def _wait_for_segments(root: Path, n_segments: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 400.0
    while len(list((root / ".superion").rglob("trajectories/*/*.h5*"))) < n_segments:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no segment appeared"
        time.sleep(0.05)


def _positions(root: Path) -> dict[str, np.ndarray]:
    """Positions of every trajectory by its key."""
    folders = sorted((root / ".superion" / "trajectories").iterdir())
    return {folder.name: Trajectory(folder).positions() for folder in folders}


@pytest.mark.parametrize("how", [pytest.param("SIGKILL", marks=pytest.mark.slow), "SIGINT"])
def test_a_killed_run_resumes_to_the_same_answer(tmp_path, finished, cosine, cli, monkeypatch, how):
    """Killed with all its workers, or by Ctrl-C; then resumed: positions are those of the unbroken run."""
    process = _start(
        tmp_path, cosine, "--temperatures", "700,1000", "--duration-ps", "12", "--label", "[bold]cosine & co"
    )
    _wait_for_segments(tmp_path, 5, process)
    if how == "SIGKILL":
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    else:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=400)
        assert process.returncode == 130
        assert "stopped by SIGINT. Continue with `superion resume cosine" in err or "bold" in err
        assert "Traceback" not in err
    monkeypatch.chdir(tmp_path)
    (run,) = cli("list", "--runs", "--json").json()
    # After a SIGKILL of the driver its workers write their checkpoints first: the run goes on for a moment.
    assert run["state"] in ("stopped", "interrupted", "running")
    answer = cli("resume", "--json")
    assert answer.code == 0, answer.err
    (document,) = answer.json()["documents"]
    reference = finished.document
    assert document["temperatures"] == reference["temperatures"]
    assert document["sigma_300k_ms_cm"] == reference["sigma_300k_ms_cm"]
    ours, unbroken = _positions(tmp_path), _positions(finished.root)
    assert ours.keys() == unbroken.keys()
    for key, positions in ours.items():
        np.testing.assert_array_equal(positions, unbroken[key])
    (run,) = cli("list", "--runs", "--json").json()
    assert run["state"] == "completed"


def test_the_barrier_comes_out(finished):
    """The activation energy is the lattice's barrier, within the interval that the run itself claims."""
    document = ConductivityDoc.model_validate(finished.document)
    error = document.activation_energy_error_ev
    assert abs(document.activation_energy_ev - 0.15) < 4 * error + BOLTZMANN_EV_PER_K * 1000.0
    assert error < 0.2


def test_main_is_what_the_tests_call():
    assert main(["--version"]) == 0


def test_a_run_none_of_whose_temperatures_worked_fails(cli, folder, cosine):
    arguments = ("conductivity", cosine.file, *cosine.options, "--temperatures", "40000", "--duration-ps", "1")
    answer = cli("run", *arguments, "--name", "hot")
    answer.assert_sentence("no temperature gave a diffusivity (40000 K: ")
    resumed = cli("resume", "hot", "--json")
    assert resumed.code == 1
    assert resumed.json()["state"] == "failed"
    assert "40000 K" in resumed.json()["without_result"][0]
