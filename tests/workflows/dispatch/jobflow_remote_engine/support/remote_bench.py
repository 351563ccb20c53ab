"""A jobflow-remote project on real parts: a MongoDB-wire server, a queue or a shell, a runner process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

sys.path.append(str(Path(__file__).parents[3] / "campaign" / "support"))
from cluster_campaign import python_path
from lattice_campaign import PROBE, lattice_cell, write_campaign
from superion.database.campaigns import CampaignCollections
from superion.database.documents.stage import StageDoc
from superion.workflows.campaign.file.load import parse_campaign
from superion.workflows.campaign.prepared import PreparedCampaign
from superion.workflows.clusters.find import load_cluster
from superion.workflows.dispatch.jobflow_remote_engine.engine import JobflowRemoteEngine
from superion.workflows.dispatch.jobflow_remote_engine.project_file import write_project
from superion.workflows.dispatch.jobflow_remote_engine.settings import JobflowRemoteDispatch
from superion.workflows.dispatch.queue_engine import QueuedUnit, UnitTicket

PROJECT = "bench"
QUICK_RUNNER = {
    "delay_checkout": 1,
    "delay_check_run_status": 1,
    "delay_advance_status": 1,
    "delay_update_batch": 1,
    "delay_refresh_limited": 5,
    "delay_ping_db": 2,
    "delta_retry": [2, 2, 2],
}
STAGES = [{"stage": "validate"}, PROBE]
PROBE_STAGE = 1


@dataclass
class RemoteBench:
    """A campaign, its engine, and the processes that work for it."""

    folder: Path
    store: str
    scheduler: str
    stages: list[dict[str, Any]] = field(default_factory=lambda: list(STAGES))
    profile_changes: dict[str, Any] = field(default_factory=dict)
    dispatch: dict[str, Any] = field(default_factory=dict)
    runners: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.collections = CampaignCollections.open(self.store)
        self.write_project()
        self.engine = self.new_engine()
        self.set_campaign("lattice")

    def write_project(self) -> None:
        """Write profile and project, as they are to be from now on."""
        self.cluster = self._write_profile()
        profile = load_cluster(str(self.cluster))
        write_project(PROJECT, str(self.cluster), profile, self.store, runner_options=QUICK_RUNNER, overwrite=True)

    def _write_profile(self) -> Path:
        packing = {"jobs_at_a_time": 2, "allocations": 2, "idle_s": 40}
        content = {
            "scheduler": self.scheduler,
            "work_folder": str(self.folder / "work"),
            "python": sys.executable,
            "environment": {
                "PYTHONPATH": python_path(),
                "OMP_NUM_THREADS": "1",
                "SUPERION_CACHE": "off",
            },
            "resources": {
                kind: {"cores": 2, "memory_gb": 0.5, "time_limit": "00:10:00"} for kind in ("relax", "md", "analysis")
            },
            "packing": {"relax": packing, "analysis": packing, "md": packing | {"jobs_at_a_time": 1}},
            "stop_margin_s": 5,
        }
        path = self.folder / "bench_cluster.yaml"
        path.write_text(yaml.safe_dump(content | self.profile_changes))
        return path

    def new_engine(self) -> JobflowRemoteEngine:
        """What another process would open."""
        settings = JobflowRemoteDispatch.model_validate(
            {"cluster": str(self.cluster), "project": PROJECT} | self.dispatch
        )
        return settings.open_engine(self.collections)

    def set_campaign(self, campaign_id: str, **changes: Any) -> None:
        """Take the flows of a campaign of this name from now on."""
        file = write_campaign(self.folder, {}, stages=self.stages, **changes)
        parsed = parse_campaign(file.read_text(), str(file), base_folder=self.folder)
        self.campaign = PreparedCampaign(campaign_id, parsed, self.engine.checkpoint_root)

    def unit(self, seed: int, stage_index: int = PROBE_STAGE, anion: str = "Cl"):
        """A ticket and its flow for the cell of this seed."""
        label = f"cell {seed}"
        flow = self.campaign.make_flow(stage_index, lattice_cell(6, seed, anion), label)
        key = next(job for job, _ in flow.iterflow()).metadata["stage_key"]
        return UnitTicket(self.campaign.campaign_id, key, self.stages[stage_index]["stage"], label, label), flow

    def standing(self) -> dict[str, QueuedUnit]:
        """All units, as another process would see them."""
        return dict(self.engine.units(self.campaign.campaign_id))

    def wait(self, until: Callable[[dict[str, QueuedUnit]], bool], timeout_s: float = 400.0) -> dict[str, QueuedUnit]:
        """Wait until the units are as wanted."""
        deadline = time.monotonic() + timeout_s
        while not until(found := self.standing()):
            assert time.monotonic() < deadline, f"{found}\n{self.words()}"
            time.sleep(0.3)
        return found

    def wait_for_phase(self, phase: str, timeout_s: float = 400.0) -> dict[str, QueuedUnit]:
        """Wait until all units are in a phase."""
        return self.wait(lambda units: bool(units) and all(u.phase == phase for u in units.values()), timeout_s)

    def recover_until(self, phase: str, timeout_s: float = 400.0) -> list[str]:
        """Recover now and then, as a coordinator does, until all units are in a phase; give what was put back."""
        put_back: list[str] = []
        last = 0.0

        def is_over(units: dict[str, QueuedUnit]) -> bool:
            nonlocal last
            if time.monotonic() - last > 5.0:
                last = time.monotonic()
                put_back.extend(self.engine.recover(self.campaign.campaign_id).put_back)
            return all(unit.phase == phase for unit in units.values())

        self.wait(is_over, timeout_s)
        return put_back

    def document(self, key: str) -> StageDoc | None:
        """The stage document of a unit."""
        return self.collections.latest_stage_docs([key]).get(key)

    def jobs(self, **query: Any) -> list[dict[str, Any]]:
        """Documents of jobs in the queue's database."""
        return list(self.engine.controller.jobs.find(query))

    def words(self) -> str:
        """What the runners and jobs printed, for messages."""
        files = [*self.folder.glob("runner*.log"), *self.folder.glob("work/**/queue.err")]
        states = [
            (job["db_id"], job["job"]["name"], job["state"], job.get("error"), job["remote"].get("error"))
            for job in self.jobs()
        ]
        tails = "\n".join(f"== {file}\n{file.read_text(errors='replace')[-1500:]}" for file in files)
        return f"{states}\n{tails}"

    # ------------------------------------------------------------------ processes

    def start_runner(self, project: str = PROJECT) -> subprocess.Popen[bytes]:
        """Start a runner as a process of its own."""
        log = (self.folder / f"runner{len(self.runners)}.log").open("wb")
        command = [str(Path(sys.executable).with_name("jf")), "-p", project, "runner", "run"]
        runner = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        self.runners.append(runner)
        return runner

    def job_processes(self) -> list[psutil.Process]:
        """Processes that run jobs of this bench."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            runs_job = any(word.endswith("run_job") for word in words)
            if runs_job and any(word.startswith(str(self.folder)) for word in words):
                found.append(process)
        return found

    def job_process_of(self, uuid: str) -> psutil.Process:
        """The process that runs a job."""
        return next(one for one in self.job_processes() if any(uuid in word for word in one.cmdline()))

    def close(self) -> None:
        """Stop what was started here."""
        for runner in self.runners:
            if runner.poll() is None:
                runner.send_signal(signal.SIGKILL)
            runner.wait()
        for process in self.job_processes():
            process.send_signal(signal.SIGKILL)
        self.engine.close()
        self.collections.close()


@contextmanager
def remote_bench(folder: Path, store: str, scheduler: str, **options: Any) -> Iterator[RemoteBench]:
    """A bench whose project lies in the folder, for this process and those that it starts."""
    import jobflow_remote

    projects = folder / "projects"
    before = jobflow_remote.SETTINGS.projects_folder
    jobflow_remote.SETTINGS.projects_folder = str(projects)
    named = os.environ.get("JFREMOTE_PROJECTS_FOLDER")
    os.environ["JFREMOTE_PROJECTS_FOLDER"] = str(projects)
    bench = None
    try:
        bench = RemoteBench(folder, store, scheduler, **options)
        yield bench
    finally:
        if bench is not None:
            bench.close()
        jobflow_remote.SETTINGS.projects_folder = before
        del os.environ["JFREMOTE_PROJECTS_FOLDER"]
        if named is not None:
            os.environ["JFREMOTE_PROJECTS_FOLDER"] = named
