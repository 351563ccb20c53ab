"""Molecular dynamics in a real Slurm job: it stops before its time is over, and when it is cancelled."""

from __future__ import annotations

import sys
import time

import pytest
from monty.serialization import dumpfn
from superion.database.job_store import open_job_store
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.makers.prepare import PrepareMaker
from superion.runtime.stop_criteria import StopCriteria

ALLOCATED_S = 20
DRIVER = """
import sys, time
from pathlib import Path
from jobflow import run_locally
from monty.serialization import loadfn
from superion.database.job_store import open_job_store
from superion.runtime.walltime import time_left_s
from superion.makers.md import MdMaker

Path("ready").touch()
while not Path("go").exists():
    time.sleep(0.05)
left_s = time_left_s()
given = loadfn("given.json")
with open_job_store("results.db") as store:
    job = MdMaker(**given["settings"]).make(given["candidate"], 1000.0)
    Path("job").write_text(f"{job.uuid} {left_s}")
    try:
        run_locally(job, store=store, log=False)
    except KeyboardInterrupt as error:
        print(f"left: {error}")
        sys.exit(9)
"""


@pytest.fixture
def submit(slurm_cluster, cosine_system, tmp_path):
    """(length in ps) -> job id of a batch job that runs one trajectory once the file `go` is there."""
    from pymatgen.io.ase import AseAtomsAdaptor

    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    candidate = PrepareMaker.make.original(PrepareMaker(), structure, "cosine")
    (tmp_path / "driver.py").write_text(DRIVER)

    def submit_one(length_ps):
        settings = {
            "potential": cosine_system.specification,
            "protocol": MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
            "limits": RunLimits(duration_ps=length_ps, segment_ps=1.0),
            "stop": StopCriteria(target_relative_error=None),
            "checkpoint_root": str(tmp_path / "trajectories"),
        }
        dumpfn({"candidate": candidate, "settings": settings}, tmp_path / "given.json")
        script = f"export OMP_NUM_THREADS=1\nexec {sys.executable} -P -W ignore driver.py"
        return slurm_cluster.sbatch(script, "--time=5", "--ntasks=1", folder=tmp_path)

    return submit_one


def wait_for(path, cluster, timeout_s=300.0):
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path.name} after {timeout_s} s: {cluster.squeue(finished=True)}"
        time.sleep(0.05)


def stored_run(folder):
    with open_job_store(folder / "results.db", create=False) as store:
        (document,) = store.query({}, properties=["output.run"])
    return document["output"]["run"]


def finish(slurm_cluster, submit, folder, partial):
    """Continue with a new job, a little beyond what is there."""
    (folder / "results.db").unlink()
    job_id = submit(partial["completed_ps"] + 2.0)
    slurm_cluster.wait_for_state(job_id, "COMPLETED")
    run = stored_run(folder)
    assert run["state"] == "completed"
    assert run["key"] == partial["key"]
    assert run["resumed_from_step"] * 4e-3 == pytest.approx(partial["completed_ps"])


def test_a_time_limit_ends_dynamics_as_partial(slurm_cluster, submit, tmp_path):
    """The job ends by itself before Slurm ends it, and what comes next continues it."""
    job_id = submit(100_000.0)
    wait_for(tmp_path / "ready", slurm_cluster)
    slurm_cluster.end_job_in(job_id, ALLOCATED_S)
    (tmp_path / "go").touch()
    assert slurm_cluster.wait_for_state(job_id, ("FAILED", "TIMEOUT", "COMPLETED")) == "FAILED", "exit status 9"
    output = (tmp_path / f"slurm-{job_id}.out").read_text()
    assert "left: " in output
    assert "continues from its checkpoints" in output
    left_s = float((tmp_path / "job").read_text().split()[1])
    assert 0.0 < left_s < ALLOCATED_S
    partial = stored_run(tmp_path)
    assert (partial["state"], partial["stop_reason"]) == ("partial", "walltime")
    assert partial["wall_time_s"] < ALLOCATED_S
    finish(slurm_cluster, submit, tmp_path, partial)


def test_scancel_ends_dynamics_as_partial(slurm_cluster, submit, tmp_path):
    """Slurm's SIGTERM before its SIGKILL is enough for a checkpoint and a document."""
    (tmp_path / "go").touch()
    job_id = submit(100_000.0)
    wait_for(tmp_path / "job", slurm_cluster)
    deadline = time.monotonic() + 300
    while not list((tmp_path / "trajectories").glob("*/segment*.h5md")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    slurm_cluster.scancel(job_id)
    slurm_cluster.wait_until_idle()
    assert slurm_cluster.job_state(job_id) == "CANCELLED"
    partial = stored_run(tmp_path)
    assert (partial["state"], partial["stop_reason"]) == ("partial", "signal")
    finish(slurm_cluster, submit, tmp_path, partial)
