"""The real servers that `dispatch.py` measures on: a Slurm, a MongoDB-wire server, and a jobflow-remote runner."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pymongo import MongoClient, uri_parser
from superion.workflows.clusters.find import load_cluster
from superion.workflows.dispatch.jobflow_remote_engine.project_file import write_project

DEV_SERVICES = Path(__file__).resolve().parents[1] / "scripts" / "dev-services"
KINDS = ("relax", "md", "analysis")
PROJECT = "bench"


@dataclass(frozen=True)
class Services:
    """Servers that run.

    Parameters
    ----------
    folder : Path
        Folder of everything.
    mongo : str
        Address of the MongoDB-wire server.
    databases : list of str
        Addresses of the databases made here.
    """

    folder: Path
    mongo: str
    databases: list[str] = field(default_factory=list)

    def new_store(self) -> str:
        """Give the address of an empty database."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        usual = uri_parser.parse_uri(self.mongo)["database"]
        address = self.mongo.replace(f"/{usual}", f"/{name}") if usual else f"{self.mongo.rstrip('/')}/{name}"
        self.databases.append(address)
        return address

    def drop_databases(self) -> None:
        """Remove the databases: the server may be somebody's own."""
        for address in self.databases:
            with MongoClient[dict[str, Any]](address) as client:
                client.drop_database(uri_parser.parse_uri(address)["database"] or "")

    def new_folder(self, name: str) -> Path:
        """Make an empty folder."""
        folder = self.folder / f"{name}_{uuid.uuid4().hex[:6]}"
        folder.mkdir()
        return folder


@contextmanager
def running_services(folder: Path) -> Iterator[Services]:
    """Start Slurm and the MongoDB-wire server, and stop them; SLURM_CONF points to the one.

    Parameters
    ----------
    folder : Path
        Where their files go.

    Yields
    ------
    Services
        The servers.

    Raises
    ------
    SystemExit
        If one does not start; status 3 where it cannot be installed.
    """
    try:
        address = _dev_services(folder, "mongo", "start")
        exported = _dev_services(folder, "slurm", "start", "--nodes", "1", "--cpus", str(os.cpu_count()))
        os.environ["SLURM_CONF"] = exported.partition("SLURM_CONF=")[2]
        services = Services(folder, address)
        try:
            yield services
        finally:
            services.drop_databases()
    finally:
        for name in ("slurm", "mongo"):
            subprocess.run(_command(folder, name, "stop"), check=False, capture_output=True)
        os.environ.pop("SLURM_CONF", None)


def _command(folder: Path, name: str, *words: str) -> list[str]:
    return [sys.executable, str(DEV_SERVICES), name, *words, "--state", str(folder / name)]


def _dev_services(folder: Path, name: str, *words: str) -> str:
    answer = subprocess.run(_command(folder, name, *words), capture_output=True, text=True, check=False)
    if answer.returncode:
        print(answer.stderr.strip() or f"{name} does not start", file=sys.stderr)
        raise SystemExit(answer.returncode)
    return answer.stdout.strip()


def write_profile(folder: Path, *, jobs_at_a_time: int, allocations: int, cores: int) -> Path:
    """Write the profile of the cluster.

    Parameters
    ----------
    folder : Path
        Where to.
    jobs_at_a_time : int
        Jobs side by side in one allocation.
    allocations : int
        Most allocations in the queue.
    cores : int
        Cores of an allocation.

    Returns
    -------
    Path
        The file.
    """
    packing = {"jobs_at_a_time": jobs_at_a_time, "allocations": allocations, "idle_s": 60}
    content = {
        "scheduler": "slurm",
        "work_folder": str(folder / "work"),
        "python": sys.executable,
        "environment": {"PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"},
        "resources": {kind: {"cores": cores, "memory_gb": 1, "time_limit": "00:30:00"} for kind in KINDS},
        "packing": dict.fromkeys(KINDS, packing),
    }
    path = folder / "bench.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def next_queue_number() -> int:
    """Ask Slurm which number the next allocation will have: the difference counts those in between.

    Returns
    -------
    int
        The number.
    """
    text = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^NEXT_JOB_ID\s*=\s*(\d+)", text, re.MULTILINE)
    if found is None:
        raise SystemExit("scontrol show config does not tell NEXT_JOB_ID")
    return int(found[1])


def open_queue(is_open: bool) -> None:
    """Let allocations start, or let them wait in the queue.

    Parameters
    ----------
    is_open : bool
        Whether they may start.
    """
    listed = subprocess.run(["sinfo", "--noheader", "--format", "%R"], capture_output=True, text=True, check=True)
    for partition in listed.stdout.split():
        state = f"State={'UP' if is_open else 'DOWN'}"
        subprocess.run(["scontrol", "update", f"PartitionName={partition}", state], check=True)


def empty_queue() -> None:
    """Take everything out of the queue, and wait until it is gone."""
    subprocess.run(["scancel", "--me"], check=True)
    deadline = time.monotonic() + 60.0
    while subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True).stdout.strip():
        if time.monotonic() > deadline:
            raise SystemExit("the queue does not become empty")
        time.sleep(0.5)


@contextmanager
def remote_project(folder: Path, cluster: Path, store: str) -> Iterator[None]:
    """Write a jobflow-remote project as `superion cluster init` does, for this process and those that it starts.

    Parameters
    ----------
    folder : Path
        Where the project goes.
    cluster : Path
        File of the profile.
    store : str
        Address of the result store.

    Yields
    ------
    None
        While the project is the one that is found.
    """
    import jobflow_remote

    before = jobflow_remote.SETTINGS.projects_folder
    os.environ["JFREMOTE_PROJECTS_FOLDER"] = str(folder / "projects")
    jobflow_remote.SETTINGS.projects_folder = str(folder / "projects")
    try:
        write_project(PROJECT, str(cluster), load_cluster(str(cluster)), store)
        yield
    finally:
        jobflow_remote.SETTINGS.projects_folder = before
        del os.environ["JFREMOTE_PROJECTS_FOLDER"]


@contextmanager
def runner_process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the project's runner as a process of its own, and end it.

    Parameters
    ----------
    folder : Path
        Where it prints to.

    Yields
    ------
    Popen
        The process; it may still be importing.
    """
    command: list[Any] = [Path(sys.executable).with_name("jf"), "-p", PROJECT, "runner", "run"]
    with (folder / "runner.log").open("wb") as log:
        runner = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield runner
    finally:
        runner.send_signal(signal.SIGTERM)
        try:
            runner.wait(timeout=30)
        except subprocess.TimeoutExpired:
            runner.kill()
            runner.wait()
