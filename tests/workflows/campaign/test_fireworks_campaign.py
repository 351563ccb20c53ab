"""A campaign through FireWorks on a real Slurm: the same result as on one machine, and what its commands say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from fireworks import LaunchPad
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri
from superion.scripts.cli import main as superion
from superion.workflows.campaign.status import StatusReader

sys.path.append(str(Path(__file__).parent / "support"))
from cluster_campaign import (
    coordinate,
    findings,
    findings_here,
    must_tell_where_it_came_from,
    ranking,
    start_coordinator,
    wait_for,
    write_cluster_campaign,
    write_profile,
)
from lattice_campaign import open_campaigns
from support.guarded_server import PASSWORD, guarded_server, must_hide_the_password


def launchpad_of(uri: str) -> LaunchPad:
    """The launchpad beside a store."""
    return LaunchPad(host=uri, name=parse_uri(uri)["database"], uri_mode=True, strm_lvl="CRITICAL")


@pytest.fixture
def guarded(tmp_path, mongo_server):
    """Address of a database whose server asks for a password."""
    with guarded_server(tmp_path / "server") as address:
        yield address


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What the campaign finds on one machine, and how it ranks it."""
    folder = tmp_path_factory.mktemp("here")
    return findings_here(folder, 3), ranking(folder)


def test_slurm_by_fireworks_finds_what_one_machine_finds(tmp_path, guarded, slurm_cluster, here, capsys, caplog):
    """And no password is written but into a file of its owner."""
    tmp_path, database = tmp_path / "campaign", guarded
    write_cluster_campaign(tmp_path, "fireworks", write_profile(tmp_path, "slurm"), 3)
    events = []
    with caplog.at_level("DEBUG"):
        report = coordinate(tmp_path, database, events=events)
    assert (report.state, report.n_finished, report.n_failed) == ("finished", 6, 0)
    assert (findings(tmp_path, database), ranking(tmp_path, database)) == here
    assert len({score for _, _, score in ranking(tmp_path, database)}) == 3
    must_tell_where_it_came_from(tmp_path, database, "fireworks")
    # Nothing is computed twice, and nothing is handed over twice.
    again = coordinate(tmp_path, database)
    assert (again.state, again.n_finished) == ("finished", 0)
    launchpad = launchpad_of(database)
    assert launchpad.workflows.count_documents({}) == 6
    assert launchpad.launches.count_documents({}) == launchpad.fireworks.count_documents({"state": "COMPLETED"})
    # Jobs of one kind shared an allocation.
    pilots = {launch["launch_dir"].split("/job-")[1].split("/")[0] for launch in launchpad.launches.find()}
    assert len(pilots) <= 4
    capsys.readouterr()
    assert superion(["campaign", "status", "lattice", "--store", database, "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["state"] == "finished"
    assert status["engine"]["units"] == {"finished": 6}
    assert status["engine"]["n_not_taken_in"] == 0
    must_hide_the_password(tmp_path, database, but_in="store_address")
    assert PASSWORD not in caplog.text


def test_the_status_is_true_while_it_runs_and_without_a_coordinator(tmp_path, database, slurm_cluster):
    write_cluster_campaign(tmp_path, "fireworks", write_profile(tmp_path, "slurm"), n_candidates=3)
    (tmp_path / "slow").write_text("0.02")
    process = start_coordinator(tmp_path, database)
    try:
        with open_campaigns(tmp_path, database) as collections:
            from superion.database.project import find_project

            reader = StatusReader("lattice", collections, find_project(tmp_path))
            wait_for(lambda: collections.load_campaign("lattice"), "the campaign is submitted")
            status = wait_for(
                reader.read,
                "a trajectory tells how far it is",
                until=lambda status: any(job.completed_ps for job in status.engine.running),
            )
            assert (status.state, status.engine.coordinator) == ("running", "alive")
            job = next(job for job in status.engine.running if job.completed_ps)
            assert job.stage == "probe"
            assert job.label.startswith("c")
            assert job.queue_id in {entry.job_id for entry in slurm_cluster.squeue()}
            assert 0.0 < job.completed_ps < job.requested_ps == 2.4
            assert 0.0 <= job.silent_s < 300.0
            process.kill()
            process.wait()
            (tmp_path / "slow").unlink()
            # The queue goes on by itself.
            status = wait_for(
                reader.read,
                "all units are over without a coordinator",
                until=lambda status: status.engine.units == {"finished": 6},
            )
            assert (status.state, status.engine.coordinator, status.engine.n_not_taken_in) == ("idle", "absent", 3)
            assert coordinate(tmp_path, database).counts == {"done": 3}
            assert reader.read().state == "finished"
            reader.close()
    finally:
        process.kill()
        process.wait()


def test_a_campaign_for_which_nobody_comes_is_idle(tmp_path, database, slurm_cluster, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    held = {kind: {"options": {"begin": "now+1hour"}} for kind in ("relax", "analysis")}
    profile = write_profile(tmp_path, "slurm")
    dispatch = {"engine": "fireworks", "cluster": str(profile), "resources": held}
    write_cluster_campaign(tmp_path, "fireworks", profile, n_candidates=1, dispatch=dispatch)
    assert superion(["campaign", "run", "campaign.yaml", "--once", "--store", database]) == 0
    states = []
    for _ in range(2):
        capsys.readouterr()
        assert superion(["campaign", "status", "lattice", "--store", database, "--json"]) == 0
        status = json.loads(capsys.readouterr().out)
        states.append((status["state"], status["engine"]["coordinator"], status["engine"]["standstill"] is not None))
        slurm_cluster.scancel()
        slurm_cluster.wait_until_idle()
    assert states == [("running", "absent", False), ("idle", "absent", True)]


def test_pausing_and_cancelling_lose_nothing(tmp_path, database, slurm_cluster, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_cluster_campaign(tmp_path, "fireworks", write_profile(tmp_path, "slurm"), n_candidates=3)
    (tmp_path / "slow").write_text("0.02")
    assert superion(["campaign", "run", "campaign.yaml", "--once", "--store", database]) == 0
    launchpad = launchpad_of(database)
    wait_for(lambda: launchpad.workflows.count_documents({"state": "COMPLETED"}) == 3, "three are validated")
    assert superion(["campaign", "pause", "lattice", "--store", database]) == 0
    assert "is paused" in capsys.readouterr().err
    assert superion(["campaign", "run", "lattice", "--once", "--store", database]) == 1
    assert "is paused: go on with" in capsys.readouterr().err

    def pass_once():
        assert superion(["campaign", "resume", "lattice", "--once", "--store", database]) == 0
        return list(tmp_path.glob("work/trajectories/*/segment*.h5md"))

    wait_for(pass_once, "a segment is written")
    assert superion(["campaign", "cancel", "lattice", "--store", database]) == 0
    wait_for(lambda: launchpad.fireworks.count_documents({"state": "RUNNING"}) == 0, "the running jobs have ended")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("work/trajectories/*/segment*.h5md")}
    done = launchpad.launches.count_documents({})
    # Nobody takes up what is cancelled.
    wait_for(lambda: not slurm_cluster.squeue() or slurm_cluster.scancel(), "the pilots go")
    assert launchpad.launches.count_documents({}) == done
    (tmp_path / "slow").unlink()
    capsys.readouterr()
    assert superion(["campaign", "resume", "lattice", "--store", database]) == 0, capsys.readouterr().err
    after = {path: path.stat().st_mtime_ns for path in tmp_path.glob("work/trajectories/*/segment*.h5md")}
    assert before.items() <= after.items()
    assert {status for status, _, _ in findings(tmp_path, database).values()} == {"done"}


def test_a_worker_without_the_potential_says_so_in_one_line_and_a_retry_mends_it(
    tmp_path, database, slurm_cluster, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_profile(tmp_path, "slurm", environment={"OMP_NUM_THREADS": "1"})
    write_cluster_campaign(tmp_path, "fireworks", tmp_path / "test_slurm.yaml", n_candidates=2)
    report = coordinate(tmp_path, database)
    assert (report.state, report.n_failed) == ("finished", 2)
    reasons = {reason for _, reason, _ in findings(tmp_path, database).values()}
    assert len(reasons) == 1
    assert "troubled_calculator" in reasons.pop()
    capsys.readouterr()
    assert superion(["campaign", "status", "lattice", "--once", "--store", database]) == 0
    words = capsys.readouterr().out
    assert "failed: c0 in probe: " in words
    assert "troubled_calculator" in words
    assert superion(["campaign", "logs", "c0", "--store", database]) == 0
    assert "FIZZLED" in capsys.readouterr().out
    write_profile(tmp_path, "slurm")
    slurm_cluster.scancel()
    slurm_cluster.wait_until_idle()
    assert superion(["campaign", "retry", "lattice", "--failed", "--store", database]) == 0
    assert "2 units will be tried again" in capsys.readouterr().err
    assert coordinate(tmp_path, database).state == "finished"
    assert {status for status, _, _ in findings(tmp_path, database).values()} == {"done"}


def test_two_coordinators_hand_nothing_over_twice(tmp_path, database, slurm_cluster):
    folders = [tmp_path / "one", tmp_path / "two"]
    profile = write_profile(tmp_path, "slurm")
    for folder in folders:
        folder.mkdir()
        write_cluster_campaign(folder, "fireworks", profile, n_candidates=3)
    # The same potential for both, so that the units are the same.
    text = (folders[0] / "campaign.yaml").read_text()
    (folders[1] / "campaign.yaml").write_text(text)
    processes = [start_coordinator(folder, database) for folder in folders]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert all(output.startswith("finished") for output in outputs), outputs
    launchpad = launchpad_of(database)
    assert launchpad.workflows.count_documents({}) == 6
    client: MongoClient = launchpad.connection
    assert client[launchpad.name]["unit_claims"].count_documents({}) == 6
    keys = launchpad.workflows.distinct("metadata.superion.stage_key")
    assert len(keys) == 6
