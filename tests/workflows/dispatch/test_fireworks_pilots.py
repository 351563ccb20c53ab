"""Pilots and the queue: what they ask for, which GPU each worker has, and which of them are taken out again."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jobflow
from fireworks import FWorker
from jobflow import Flow
from superion.database.campaigns import CampaignCollections
from superion.workflows.dispatch.fireworks_engine.engine import FireworksEngine
from superion.workflows.dispatch.fireworks_engine.marks import category_of
from superion.workflows.dispatch.fireworks_engine.pilots import prefixes
from superion.workflows.dispatch.fireworks_engine.queue_listing import list_pilots
from superion.workflows.dispatch.fireworks_engine.settings import FireworksDispatch
from superion.workflows.dispatch.queue_engine import UnitTicket

sys.path.append(str(Path(__file__).parents[1] / "campaign" / "support"))
from cluster_campaign import write_profile


@contextlib.contextmanager
def engine_with(folder: Path, database: str, scheduler: str = "slurm", **resources: Any) -> Iterator[FireworksEngine]:
    """Open an engine whose campaign file asks for these resources."""
    with CampaignCollections.open(database) as collections:
        settings = FireworksDispatch(
            engine="fireworks", cluster=str(write_profile(folder, scheduler)), resources=resources
        )
        with contextlib.closing(FireworksEngine(settings, collections)) as engine:
            yield engine


@jobflow.job
def add(a, b):
    """Add two numbers."""
    return a + b


def submit(engine: FireworksEngine, *keys: str) -> None:
    """Hand units of one job over."""
    for key in keys:
        only = add(1, 2)
        engine.submit([(UnitTicket("one", key, "sums", f"candidate-{key}", key), Flow([only], only.output))])


def test_what_the_campaign_file_asks_for_reaches_the_queue(tmp_path, database, slurm_cluster):
    asked = {"time_limit": "00:07:00", "cores": 2, "options": {"comment": "from the campaign file"}}
    with engine_with(tmp_path, database, analysis=asked) as engine:
        submit(engine, "a")
        assert engine.feed("one").n_new == 1
    (script,) = tmp_path.glob("work/pilots/analysis/*/FW_submit.script")
    lines = script.read_text().splitlines()
    assert "#SBATCH --time=00:07:00" in lines
    assert "#SBATCH --cpus-per-task=2" in lines
    assert '#SBATCH --comment="from the campaign file"' in lines
    # Of the profile, what is not asked for otherwise.
    assert "#SBATCH --mem=410M" in lines
    slurm_cluster.scancel()
    slurm_cluster.wait_until_idle()


def test_a_cancelled_campaign_leaves_no_pilot_that_waits(tmp_path, database, slurm_cluster):
    # More than the cluster gives at once.
    held = {"options": {"begin": "now+1hour"}}
    with engine_with(tmp_path, database, analysis=held) as engine:
        submit(engine, "a", "b")
        assert engine.feed("one").n_new == 1
        assert [entry.state for entry in slurm_cluster.squeue()] == ["PENDING"]
        # One is left for it.
        assert engine.cancel("one", ["a"]) == 1
        assert len(slurm_cluster.squeue()) == 1
        assert engine.cancel("one", ["b"]) == 1
        slurm_cluster.wait_until_idle()


def test_jobs_for_which_no_pilot_comes_stand_still(tmp_path, database, slurm_cluster, monkeypatch):
    held = {"options": {"begin": "now+1hour"}}
    with engine_with(tmp_path, database, analysis=held) as engine:
        assert engine.standstill("one") is None
        submit(engine, "a")
        assert "`superion campaign resume one`" in engine.standstill("one")
        assert engine.standstill("one", coordinator_lives=True) is None
        with monkeypatch.context() as elsewhere:
            # Where the queue cannot be asked, nobody knows.
            elsewhere.setenv("PATH", str(tmp_path))
            assert engine.standstill("one") is None
        engine.feed("one")
        assert engine.standstill("one") is None
        slurm_cluster.scancel()
        slurm_cluster.wait_until_idle()
        assert engine.standstill("one") is not None
        engine.pause("one")
        assert engine.standstill("one") is None


def test_running_jobs_that_cannot_be_told_to_stop_are_counted(tmp_path, database, caplog):
    with engine_with(tmp_path, database, "shell") as engine:
        submit(engine, "a", "b")
        category = category_of(engine.cluster, "analysis")
        worker = FWorker(name=category, category=[category])
        seen, unseen = tmp_path / "seen", tmp_path / "of another host"
        seen.mkdir()
        for folder in (seen, unseen):
            engine.launchpad.checkout_fw(worker, str(folder))
        with caplog.at_level(logging.WARNING, logger="superion"):
            assert engine.cancel("one") == 2
    assert [path.name for path in seen.iterdir()] == ["stop"]
    told = [record.getMessage() for record in caplog.records if record.name.startswith("superion")]
    assert len(told) == 1
    assert "not told to stop, 1 of them" in told[0]


def test_pilots_of_two_clusters_with_one_work_folder_are_told_apart(tmp_path, database):
    with engine_with(tmp_path, database) as engine:
        here, there = (prefixes(engine.launchpad, "/scratch/me", cluster) for cluster in ("slurm_cpu", "slurm_gpu"))
        assert set(here.values()).isdisjoint(there.values())
        assert here == prefixes(engine.launchpad, "/scratch/me", "slurm_cpu")


def test_a_suspended_pilot_of_pbs_has_begun(tmp_path, monkeypatch):
    lines = [
        f"Job Id: {number}.head\n    Job_Name = superion-md-a-{state}\n    job_state = {state}"
        for number, state in enumerate("QHRSEF")
    ]
    (tmp_path / "qstat").write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    (tmp_path / "qstat").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = {pilot.name[-1]: pilot.is_running for pilot in list_pilots("pbs", "superion-md-", tmp_path)}
    assert found == {"Q": False, "H": False, "R": True, "S": True}
