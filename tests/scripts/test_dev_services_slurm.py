"""scripts/dev-services slurm: a real queue that starts, loses its daemons, comes back and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.slurm_cluster import SlurmCluster

SCRIPT = Path(__file__).parents[2] / "scripts" / "dev-services"
NOT_INSTALLED = 3


def dev_services(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "slurm", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def processes_that_name(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def test_start_twice_run_a_job_stop_twice(tmp_path):
    state = ("--state", str(tmp_path / "slurm"))
    assert dev_services("status", *state).returncode == 1
    first = dev_services("start", "--nodes", "2", "--cpus", "4", *state)
    if first.returncode == NOT_INSTALLED:
        pytest.skip(first.stderr)
    try:
        assert first.returncode == 0, first.stderr
        assert first.stdout == f"export SLURM_CONF={tmp_path}/slurm/slurm.conf\n"
        assert dev_services("start", *state).stdout == first.stdout
        other = dev_services("start", "--nodes", "3", *state)
        assert (other.returncode, "stop it first" in other.stderr) == (1, True)
        status = dev_services("status", *state)
        assert "running (2 nodes)" in status.stdout
        environment = {**os.environ, "SLURM_CONF": f"{tmp_path}/slurm/slurm.conf"}
        waiting = ["sbatch", "--nodes=2", "--wait", f"--output={tmp_path}/out", "--wrap", "echo $SLURM_JOB_NODELIST"]
        subprocess.run(waiting, check=True, capture_output=True, env=environment)
        assert (tmp_path / "out").read_text() == "n[1-2]\n"
        sleeping = ["sbatch", f"--output={tmp_path}/sleeping", "--wrap", f"exec tail -f {tmp_path}/out"]
        subprocess.run(sleeping, check=True, capture_output=True, env=environment)
        for port in listening_ports(tmp_path / "slurm"):
            assert only_on_loopback(port)
    finally:
        assert dev_services("stop", *state).stdout == "stopped\n"
    assert processes_that_name(tmp_path) == []
    assert dev_services("stop", *state).stdout == "not running\n"


def listening_ports(folder: Path) -> list[int]:
    record = json.loads((folder / "process.json").read_text())
    return [record["controller_port"], *record["node_ports"]]


def only_on_loopback(port: int) -> bool:
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {line[1].split(":")[0] for line in lines if line[3] == "0A" and int(line[1].split(":")[1], 16) == port}
    return addresses == {"0100007F"}


def test_without_the_programs_it_says_how_to_get_them(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dev_services import processes, slurm_programs as programs\n"
        "programs.SYSTEM_FOLDERS = ()\n"
        "try: programs.provide_programs(None)\n"
        "except processes.ServiceError as error: print(error); sys.exit(error.exit_code)\n"
    )
    environment = {"PATH": str(tmp_path)}
    command = [sys.executable, "-c", script, str(SCRIPT.parent)]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert answer.returncode == NOT_INSTALLED
    assert "apt-get install" in answer.stdout
    assert answer.stdout.count("\n") == 1


def test_options_of_slurm_belong_to_its_start():
    assert dev_services("stop", "--nodes", "2").returncode == 2
    assert dev_services("start", "--cpus", "0").returncode == 2


def test_daemons_that_die_come_back(slurm_cluster: SlurmCluster, tmp_path):
    job = slurm_cluster.sbatch("sleep 300", "--nodelist=n2", folder=tmp_path)
    slurm_cluster.wait_for_state(job, "RUNNING")
    slurm_cluster.wait_until_saved(job)  # what the controller had only in mind dies with it
    slurm_cluster.kill_slurmctld()
    slurm_cluster.kill_slurmd("n2")
    slurm_cluster.start()
    assert slurm_cluster.job_state(job) == "RUNNING"
    slurm_cluster.kill_slurmd("n2")
    slurm_cluster.set_node_down("n2")
    assert slurm_cluster.wait_for_state(job, ["NODE_FAIL", "PENDING"]) in {"NODE_FAIL", "PENDING"}


def test_a_killed_process_ends_its_job_only(slurm_cluster: SlurmCluster, tmp_path):
    victim = slurm_cluster.sbatch("touch begun\nsleep 300", folder=tmp_path)
    other = slurm_cluster.sbatch("sleep 300", folder=tmp_path)
    slurm_cluster.wait_for_state(victim, "RUNNING")
    slurm_cluster.wait_for_state(other, "RUNNING")
    deadline = time.monotonic() + 300.0
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline, slurm_cluster.logs()
        time.sleep(0.05)
    slurm_cluster.kill_job_processes(victim)
    slurm_cluster.wait_for_state(victim, "FAILED")
    assert slurm_cluster.job_state(other) == "RUNNING"


def test_requests_that_no_node_meets_are_refused(slurm_cluster: SlurmCluster):
    for option in ("--partition=nowhere", "--time=3-00:00:00", "--cpus-per-task=999", "--gres=gpu:9"):
        answer = slurm_cluster.run("sbatch", option, "--wrap", "true", check=False)
        assert answer.returncode != 0, option
    assert slurm_cluster.run("sbatch", "--test-only", "--gres=gpu:2", "--wrap", "true").returncode == 0


@pytest.mark.slow
def test_the_end_of_a_job_can_be_moved(slurm_cluster: SlurmCluster, tmp_path):
    job = slurm_cluster.sbatch("sleep 300", "--time=10", folder=tmp_path)
    slurm_cluster.wait_for_state(job, "RUNNING")
    slurm_cluster.end_job_in(job, 2)
    slurm_cluster.wait_for_state(job, "TIMEOUT", timeout_s=300)
