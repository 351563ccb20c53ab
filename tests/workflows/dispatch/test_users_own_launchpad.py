"""A user's own launchpad: the files of `superion cluster init`, FireWorks' own commands, the real Slurm."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jobflow import Flow
from jobflow.managers.fireworks import flow_to_workflow
from superion.database.job_store import open_job_store
from superion.makers.prepare import PrepareMaker
from superion.makers.supercell import SupercellMaker
from superion.structures.read import read_structure
from superion.workflows.clusters.profile import ClusterProfile
from superion.workflows.dispatch.fireworks_engine.config_files import launch_command, write_fireworks_files
from superion.workflows.dispatch.fireworks_engine.launchpad import make_ready, open_launchpad


@pytest.mark.services
def test_a_flow_runs_through_qlaunch(slurm_cluster, mongo_uri, tmp_path, monkeypatch):
    """Nothing of superion submits, watches or packs here: a flow on a launchpad, and `qlaunch`."""
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    profile = ClusterProfile.model_validate(
        {
            "scheduler": "slurm",
            "work_folder": str(tmp_path / "work"),
            "resources": {"md": {"memory_gb": 1, "time_limit": "00:10:00"}},
            "packing": {"md": {"jobs_at_a_time": 2}},
        }
    )
    folder = tmp_path / "fw"
    write_fireworks_files("ours", profile, mongo_uri, folder)
    launchpad = open_launchpad(mongo_uri, folder / "my_launchpad.yaml")
    make_ready(launchpad)
    prepared = PrepareMaker().make(read_structure("Li6PS5Cl"))
    flow = Flow([prepared, SupercellMaker().make(prepared.output)], name="two jobs")
    jobs = open_job_store(mongo_uri)
    launchpad.add_wf(flow_to_workflow(flow, jobs))
    launches = tmp_path / "launches"
    launches.mkdir()
    qlaunch = [sys.executable, "-m", "fireworks.scripts.qlaunch_run", "-c", str(folder), "--launch_dir", str(launches)]
    done = subprocess.run(
        [*qlaunch, "singleshot"], capture_output=True, text=True, cwd=tmp_path, env={**os.environ}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(slurm_cluster.squeue(finished=True)) >= 1
    slurm_cluster.wait_until_idle(timeout_s=120)
    printed = "".join(path.read_text() for path in launches.rglob("*.error"))
    assert launchpad.workflows.find_one({}, {"state": 1})["state"] == "COMPLETED", printed
    output = jobs.get_output(flow.jobs[1].uuid)
    assert output["doc_type"] == "candidate"
    for path in launches.rglob("*"):
        if path.is_file():
            assert not re.search(r"SUPERION_STORE(?!_FILE)", path.read_text(errors="replace")), path
    jobs.close()


def test_a_profile_that_packs_starts_several_at_once(tmp_path):
    profile = ClusterProfile.model_validate(
        {
            "scheduler": "slurm",
            "work_folder": "/scratch",
            "python": "$HOME/superion/bin/python",
            "resources": {"relax": {"time_limit": "01:00:00"}, "analysis": {"time_limit": "00:04:00"}},
            "packing": {"relax": {"jobs_at_a_time": 4}},
        }
    )
    packed = launch_command(profile, "relax", Path("/fw"), Path("/fw/my_fworker_relax.yaml"))
    assert packed.startswith('exec "$HOME/superion/bin/python" -m fireworks.scripts.rlaunch_run ')
    assert packed.endswith("multi 4 --timeout 3480 --sleep 10")
    alone = launch_command(profile, "analysis", Path("/fw"), Path("/fw/my_fworker_analysis.yaml"))
    assert alone.endswith("rapidfire --timeout 180 --sleep 10")
