"""A real Slurm of emulated nodes for tests, as fixtures that the root conftest imports.

`slurm_cluster` is what a test asks for: an idle cluster, with SLURM_CONF in the environment. Daemons that the test
kills are back for the next one, and its jobs are gone. Slurm looks for jobs beyond their time limit every 30 s only;
`end_job_in` ends one at a given second as the time limit would.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DEV_SERVICES = Path(__file__).parents[2] / "scripts" / "dev-services"
NOT_INSTALLED = 3
NODES = 3
CPUS_PER_NODE = 16
GPUS_PER_NODE = 2


@dataclass(frozen=True)
class QueueEntry:
    """A job as squeue shows it; `state` is Slurm's word, such as PENDING or RUNNING."""

    job_id: str
    state: str
    name: str
    partition: str
    node: str
    reason: str


@dataclass
class SlurmCluster:
    """A running test instance.

    `environment` is what a process needs beyond its own environment to reach it.
    """

    folder: Path
    nodes: tuple[str, ...] = tuple(f"n{number}" for number in range(1, NODES + 1))
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}

    # -- daemons

    def start(self) -> None:
        """Start the daemons that do not run; queue and ports stay what they are. Raises if that fails."""
        answer = self._dev_services("start")
        if answer.returncode == NOT_INSTALLED:
            pytest.skip(answer.stderr.strip())
        assert answer.returncode == 0, answer.stderr + self.logs()

    def stop(self) -> None:
        """End jobs and daemons."""
        self._dev_services("stop")

    def kill_slurmd(self, node: str) -> None:
        """SIGKILL a node's daemon, as when it dies; the processes of its jobs go on."""
        self._kill(f"slurmd-{node}")

    def kill_slurmctld(self) -> None:
        """SIGKILL the controller."""
        self._kill("slurmctld")

    def wait_until_saved(self, job_id: str, timeout_s: float = 300.0) -> None:
        """Wait until the present state of a job is on the controller's disk, where it comes now and then only."""
        mark = f"saved {time.monotonic_ns()}"
        self.run("scontrol", "update", f"JobId={job_id}", f"Comment={mark}")
        deadline = time.monotonic() + timeout_s
        while mark.encode() not in (self.folder / "state" / "job_state").read_bytes():
            assert time.monotonic() < deadline, f"job {job_id} is not saved after {timeout_s} s\n{self.logs()}"
            time.sleep(0.1)

    def set_node_down(self, node: str) -> None:
        """Let Slurm give a node and its jobs up, as it does after SlurmdTimeout."""
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")

    def set_node_up(self, node: str) -> None:
        """Take a node back."""
        self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def kill_job_processes(self, job_id: str) -> None:
        """SIGKILL all processes of a job but Slurm's own, as the kernel does when memory runs out."""
        wanted = f"SLURM_JOB_ID={job_id}".encode()
        conf = f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                variables = (process / "environ").read_bytes().split(b"\0")
                name = (process / "comm").read_text().strip()
                if wanted in variables and conf in variables and name != "slurmstepd":
                    os.kill(int(process.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue

    # -- jobs

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of Slurm's commands."""
        answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **self.environment})
        assert not check or answer.returncode == 0, f"{' '.join(command)}: {answer.stderr}"
        return answer

    def sbatch(self, script: str, *options: str, folder: Path) -> str:
        """Submit a script and give the job's number; its output goes to slurm-NUMBER.out in the folder."""
        file = folder / "job.sh"
        file.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        return self.run("sbatch", "--parsable", f"--chdir={folder}", *options, str(file)).stdout.strip()

    def squeue(self, *, finished: bool = False) -> list[QueueEntry]:
        """Give the jobs in the queue; those that ended within MinJobAge too if wanted."""
        states = ["--states=all"] if finished else []
        lines = self.run("squeue", "--noheader", *states, "--format=%i|%T|%j|%P|%N|%r").stdout.splitlines()
        return [QueueEntry(*line.split("|", 5)) for line in lines]

    def job_state(self, job_id: str) -> str:
        """Slurm's word for the state of a job, or UNKNOWN where it has forgotten the job."""
        return next((job.state for job in self.squeue(finished=True) if job.job_id == job_id), "UNKNOWN")

    def scancel(self, *job_ids: str) -> None:
        """Cancel jobs; all if none is named."""
        self.run("scancel", *(job_ids or ["--me"]))

    def end_job_in(self, job_id: str, seconds: int) -> None:
        """Move a running job's end: at Slurm's next look (every 30 s) after it, the job is over its time limit."""
        end = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + seconds))
        self.run("scontrol", "update", f"JobId={job_id}", f"EndTime={end}")

    def wait_for_state(self, job_id: str, states: str | Sequence[str], timeout_s: float = 300.0) -> str:
        """Wait until a job is in one of the states, and give it."""
        wanted = {states} if isinstance(states, str) else set(states)
        deadline = time.monotonic() + timeout_s
        while (state := self.job_state(job_id)) not in wanted:
            assert time.monotonic() < deadline, f"job {job_id} is {state} after {timeout_s} s\n{self.logs()}"
            time.sleep(0.1)
        return state

    def wait_until_idle(self, timeout_s: float = 300.0) -> None:
        """Wait until the queue is empty."""
        deadline = time.monotonic() + timeout_s
        while entries := self.squeue():
            assert time.monotonic() < deadline, f"still in the queue after {timeout_s} s: {entries}\n{self.logs()}"
            time.sleep(0.1)

    # -- help

    def logs(self) -> str:
        """The ends of the daemons' logs, for messages."""
        files = sorted((self.folder / "log").glob("*.out"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)

    def _kill(self, name: str) -> None:
        import json

        process = json.loads((self.folder / "process.json").read_text())["processes"][name]
        assert process["mark"] in Path(f"/proc/{process['pid']}/cmdline").read_bytes().decode()
        os.kill(process["pid"], signal.SIGKILL)

    def _dev_services(self, action: str) -> subprocess.CompletedProcess[str]:
        size = ["--nodes", str(NODES), "--cpus", str(CPUS_PER_NODE), "--gpus", str(GPUS_PER_NODE)]
        command = [sys.executable, str(DEV_SERVICES), "slurm", action, "--state", str(self.folder)]
        return subprocess.run([*command, *(size if action == "start" else [])], capture_output=True, text=True)


@pytest.fixture(scope="session")
def slurm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """A Slurm for all tests of this process."""
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def slurm_cluster(slurm_server: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmCluster]:
    """An idle Slurm that the environment points to; whatever the test does to it is mended after it."""
    for name, value in slurm_server.environment.items():
        monkeypatch.setenv(name, value)
    slurm_server.start()
    try:
        yield slurm_server
    finally:
        slurm_server.start()
        slurm_server.scancel()
        for node in slurm_server.nodes:
            slurm_server.run("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)
        slurm_server.wait_until_idle()
