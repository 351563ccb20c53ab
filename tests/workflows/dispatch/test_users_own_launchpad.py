"""A user's own launchpad: the files of `superion cluster init`, FireWorks' own commands, the real Slurm."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from conftest import make_cosine_system
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter
from jobflow import Flow
from jobflow.managers.fireworks import flow_to_workflow
from pymatgen.io.ase import AseAtomsAdaptor
from superion.database.job_store import open_job_store
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.makers.supercell import SupercellMaker
from superion.runtime.stop_criteria import StopCriteria
from superion.structures.read import read_structure
from superion.workflows.clusters.profile import ClusterProfile
from superion.workflows.dispatch.fireworks_engine.config_files import launch_command, write_fireworks_files
from superion.workflows.dispatch.fireworks_engine.launchpad import PatientLaunchPad, make_ready, open_launchpad
from superion.workflows.dispatch.fireworks_engine.pilots import PILOT_MODULE

sys.path.append(str(Path(__file__).parents[1] / "campaign" / "support"))
from cluster_campaign import SUPPORT, wait_for


@pytest.mark.services
def test_a_flow_runs_through_qlaunch(slurm_cluster, mongo_uri, tmp_path, monkeypatch):
    """Nothing of superion submits, watches or packs here: a flow on a launchpad, and `qlaunch`."""
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    profile = ClusterProfile.model_validate(
        {
            "scheduler": "slurm",
            "work_folder": str(tmp_path / "work"),
            "resources": {"md": {"memory_gb": 1, "time_limit": "00:10:00"}},
            "packing": {"md": {"jobs_at_a_time": 2, "idle_s": 10}},
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
    slurm_cluster.wait_until_idle(timeout_s=400)
    printed = "".join(path.read_text() for path in launches.rglob("*.error"))
    assert launchpad.workflows.find_one({}, {"state": 1})["state"] == "COMPLETED", printed
    output = jobs.get_output(flow.jobs[1].uuid)
    assert output["doc_type"] == "candidate"
    for path in launches.rglob("*"):
        if path.is_file():
            assert not re.search(r"SUPERION_STORE(?![A-Z_])", path.read_text(errors="replace")), path
    jobs.close()


@dataclass
class OwnFlow:
    """Two trajectories on a launchpad of their own, slow as long as a file says so."""

    folder: Path
    profile: ClusterProfile
    launchpad: PatientLaunchPad

    @classmethod
    def make(cls, folder: Path, address: str, scheduler: str = "slurm", **packing: Any) -> Self:
        """Write the files of a cluster, and put the flow onto the launchpad."""
        environment = {"PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}
        profile = ClusterProfile.model_validate(
            {
                "scheduler": scheduler,
                "work_folder": str(folder / "work"),
                "python": sys.executable,
                "environment": environment,
                "resources": {"md": {"memory_gb": 0.4, "time_limit": "00:10:00"}},
                "packing": {"md": {"idle_s": 2, **packing}},
                "stop_margin_s": 1,
                "heartbeat_s": 2,
            }
        )
        write_fireworks_files("ours", profile, address, folder / "fw")
        launchpad = open_launchpad(address, folder / "fw" / "my_launchpad.yaml")
        make_ready(launchpad)
        system = make_cosine_system()
        prepared = PrepareMaker().make(AseAtomsAdaptor.get_structure(system.atoms), "cosine")
        maker = MdMaker(
            potential={
                "name": "ase",
                "model": "troubled_calculator.TroubledCalculator",
                "options": {"folder": str(folder), **system.specification.options},
            },
            protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
            limits=RunLimits(duration_ps=4.8, segment_ps=0.08),
            stop=StopCriteria(target_relative_error=None),
            checkpoint_root=str(folder / "trajectories"),
        )
        jobs = [maker.make(prepared.output, temperature_k) for temperature_k in (800.0, 1000.0)]
        with contextlib.closing(open_job_store(address)) as store:
            launchpad.add_wf(flow_to_workflow(Flow([prepared, *jobs], name="two trajectories"), store))
        (folder / "slow").write_text("0.2")
        return cls(folder, profile, launchpad)

    def states(self) -> Counter[str]:
        """Count the jobs by state."""
        return Counter(job["state"] for job in self.launchpad.fireworks.find({}, {"state": 1}))

    def work(self, **environment: str) -> str:
        """Run the script of an allocation here; give what it printed."""
        adapter = CommonAdapter.from_file(str(self.folder / "fw" / "my_qadapter.yaml"))
        place = self.folder / "launcher"
        place.mkdir(exist_ok=True)
        (place / "script").write_text(adapter.get_script_str(str(place)))
        done = subprocess.run(
            ["bash", "script"],
            cwd=place,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        logs = "".join(path.read_text() for path in place.rglob("log.txt"))
        assert done.returncode == 0, done.stderr + logs
        return done.stderr + logs

    def qlaunch(self) -> None:
        """Put one allocation into the queue."""
        launches = self.folder / "launches"
        launches.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "fireworks.scripts.qlaunch_run", "-c", str(self.folder / "fw")]
        command += ["--launch_dir", str(launches), "singleshot"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def n_begun(self) -> int:
        """Count the trajectories of which a segment is written."""
        return len({path.parent for path in self.folder.glob("trajectories/*/segment*.h5md")})


@pytest.mark.slow
def test_trajectories_that_the_end_of_an_allocation_stops_go_on_in_the_next(database, tmp_path):
    flow = OwnFlow.make(tmp_path, database)
    for length_s in (20.0, 60.0, 180.0):
        printed = flow.work(SUPERION_JOB_END_TIME=str(time.time() + length_s))
        # On a busy machine it may be over before a trajectory begins.
        if flow.states()["COMPLETED"] > 1:
            break
    # One was stopped, and left its continuation; neither that nor the other one was begun any more.
    assert flow.states() == {"COMPLETED": 2, "READY": 2}, printed
    assert flow.n_begun() == 1
    (tmp_path / "slow").unlink()
    printed = flow.work()
    assert flow.states() == {"COMPLETED": 4}, printed


@pytest.mark.slow
@pytest.mark.services
def test_trajectories_of_a_cancelled_allocation_go_on_in_the_next(slurm_cluster, database, tmp_path, monkeypatch):
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    flow = OwnFlow.make(tmp_path, database, jobs_at_a_time=2, idle_s=20)
    flow.qlaunch()
    wait_for(flow.n_begun, "both trajectories have begun", until=lambda n: n >= 2)
    slurm_cluster.scancel()
    wait_for(flow.states, "both left continuations", until=lambda states: states == {"COMPLETED": 3, "READY": 2})
    slurm_cluster.wait_until_idle()
    (tmp_path / "slow").unlink()
    flow.qlaunch()
    wait_for(flow.states, "all are done", until=lambda states: states == {"COMPLETED": 5})
    slurm_cluster.wait_until_idle()


def test_a_profile_that_packs_starts_several_at_once():
    profile = ClusterProfile.model_validate(
        {
            "scheduler": "slurm",
            "work_folder": "/scratch",
            "python": "$HOME/superion/bin/python",
            "packing": {"relax": {"jobs_at_a_time": 4, "idle_s": 30}},
            "heartbeat_s": 20,
        }
    )
    packed = launch_command(profile, "relax", Path("/fw"), Path("/fw/my_fworker_relax.yaml"))
    assert packed.startswith(f'exec "$HOME/superion/bin/python" -P -m {PILOT_MODULE} ')
    assert "--worker-file /fw/my_fworker_relax.yaml --launchpad /fw/my_launchpad.yaml --folder ." in packed
    assert packed.endswith("--workers 4 --idle-s 30 --heartbeat-s 20")
    alone = launch_command(profile, "analysis", Path("/fw"), Path("/fw/my_fworker_analysis.yaml"))
    assert "--workers 1 " in alone
