"""The same campaign on each of the engines: begun by a process of its own, killed with its workers, seen through."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import lt
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "dispatch" / "jobflow_remote_engine" / "support"))
import lattice_campaign
from cluster_campaign import coordinate, start_coordinator, wait_for, write_profile
from lattice_campaign import open_campaigns, run_here, write_campaign
from pymongo import MongoClient
from superion.database.project import find_project
from superion.workflows.campaign.retry import forget_failures
from support.pilots import kill_pilots

ENGINES = ("local", "fireworks", "jobflow_remote")
SETTLING_S = 2.0


@dataclass
class CampaignOnEngine:
    """A campaign on this machine alone."""

    folder: Path
    store: str | None = None
    dispatch: dict[str, Any] = field(default_factory=lambda: {"engine": "local"})
    processes: list[subprocess.Popen] = field(default_factory=list)

    def write(self, cells: dict[str, Any], stages: list[dict[str, Any]], **changes: Any) -> None:
        """Write the campaign."""
        (self.folder / ".superion").mkdir(parents=True, exist_ok=True)
        write_campaign(self.folder, cells, stages=stages, dispatch=self.dispatch, **changes)

    def start(self) -> None:
        """Begin it, as a process of its own."""
        command = [sys.executable, lattice_campaign.__file__, str(self.folder)]
        self.processes.append(subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}))

    def wait_for_documents(self, name: str, number: int) -> None:
        """Wait until so many jobs of a name are over for good."""

        def count() -> int:
            with open_campaigns(self.folder, self.store) as collections:
                return collections.jobs.count({"name": name})

        found = count()
        while found < number:
            # However slow the machine is: it must get on.
            found = wait_for(count, f"documents of {name}", until=partial(lt, found))
        # An engine notes that a job is over after its document is stored.
        time.sleep(SETTLING_S)

    def kill(self) -> None:
        """Kill whoever sees it through; workers notice."""
        for process in self.processes:
            process.kill()
            process.wait()

    def finish(self, events: list | None = None):
        """See it through; give the report."""
        return run_here(self.folder, on_event=(lambda event: None) if events is None else events.append)[1]

    def kinds(self) -> dict[str, set[str]]:
        """By name, the kinds of workers that jobs were sent to."""
        return {}

    def retry(self) -> int:
        """Try again what failed."""
        with open_campaigns(self.folder, self.store) as collections:
            record = collections.load_campaign("lattice")
            return forget_failures(record, collections, find_project(self.folder))

    def close(self) -> None:
        """End what was begun here."""
        self.kill()


@dataclass
class CampaignOnFireworks(CampaignOnEngine):
    """Pilots are processes of this host."""

    def start(self) -> None:
        """Begin it."""
        self.processes.append(start_coordinator(self.folder, self.store))

    def kill(self) -> None:
        """Kill the coordinator, the pilots and their workers."""
        super().kill()
        kill_pilots(self.folder)

    def finish(self, events: list | None = None):
        """See it through."""
        return coordinate(self.folder, self.store, events=events)

    def kinds(self) -> dict[str, set[str]]:
        """By name, the categories of jobs."""
        database = MongoClient(self.store).get_default_database()
        return _last_parts((job["name"], job["spec"]["_category"], ".") for job in database["fireworks"].find())


@dataclass
class CampaignOnRemote(CampaignOnFireworks):
    """Workers are processes of this host, which a runner starts."""

    bench: Any = None

    def kill(self) -> None:
        """Kill the coordinator, the runner and the jobs."""
        CampaignOnEngine.kill(self)
        for process in [*self.bench.job_processes(), *self.bench.runners]:
            process.kill()
        for runner in self.bench.runners:
            runner.wait()

    def finish(self, events: list | None = None):
        """See it through, with a runner."""
        if not any(runner.poll() is None for runner in self.bench.runners):
            self.bench.start_runner()
        return super().finish(events)

    def kinds(self) -> dict[str, set[str]]:
        """By name, the workers of jobs."""
        return _last_parts((job["job"]["name"], job["worker"], "_") for job in self.bench.jobs())


def _last_parts(names: Iterable[tuple[str, str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for job, place, separator in names:
        found.setdefault(job, set()).add(place.rpartition(separator)[2])
    return found


@contextmanager
def campaign_on(engine: str, folder: Path, database: str | None) -> Iterator[CampaignOnEngine]:
    """A campaign in a folder on an engine; the engines of clusters need a database."""
    if engine == "jobflow_remote":
        from remote_bench import PROJECT, remote_bench

        with remote_bench(folder / "bench", database, "shell") as bench:
            dispatch = {"engine": engine, "cluster": str(bench.cluster), "project": PROJECT}
            campaign = CampaignOnRemote(folder, database, dispatch, bench=bench)
            bench.start_runner()
            try:
                yield campaign
            finally:
                campaign.close()
        return
    campaign = CampaignOnEngine(folder)
    if engine == "fireworks":
        dispatch = {"engine": engine, "cluster": str(write_profile(folder, "shell"))}
        campaign = CampaignOnFireworks(folder, database, dispatch)
    try:
        yield campaign
    finally:
        campaign.close()
