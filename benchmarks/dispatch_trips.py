"""How often the process that submits and coordinates asks the database: commands are counted, not timed."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from campaign_plan import CAMPAIGN, write_structures
from dispatch_services import PROJECT, Services, empty_queue, open_queue, remote_project, write_profile
from dispatch_sums import SumMaker, sum_units
from pymongo import monitoring
from superion.database.campaigns import CampaignCollections
from superion.database.project import ProjectFolder, find_project
from superion.database.settings import STORE_VARIABLE
from superion.workflows.campaign.coordinate import Coordinator
from superion.workflows.campaign.folders import campaign_folder
from superion.workflows.campaign.heartbeat import DriverHeartbeat
from superion.workflows.campaign.prepared import prepare_campaign
from superion.workflows.campaign.session import CampaignSession
from superion.workflows.campaign.status import StatusReader
from superion.workflows.campaign.submit import submit_campaign
from superion.workflows.dispatch.fireworks_engine.marks import category_of
from superion.workflows.dispatch.fireworks_engine.pilot_worker import PilotWorker
from superion.workflows.dispatch.fireworks_engine.settings import FireworksDispatch

NAME = "benchmark"
_PATIENCE_S = 1800.0


class TripCounter(monitoring.CommandListener):
    """Counts the commands that this process sends, by name; each is one round trip."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count a command."""
        with self._lock:
            self._counts[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing: the start was counted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing: the start was counted."""

    def of(self, call: Callable[[], Any]) -> Counter[str]:
        """Count what one call sends.

        Parameters
        ----------
        call : callable
            The call.

        Returns
        -------
        Counter
            By name of the command.
        """
        before = Counter(self._counts)
        call()
        return self._counts - before


@dataclass
class Trips:
    """Counts of one engine and one number of candidates.

    Parameters
    ----------
    engine : str
        fireworks or jobflow_remote.
    n_candidates : int
        Candidates, and units at a time.
    counts : dict of str to Counter
        By what was done; commands by name.
    """

    engine: str
    n_candidates: int
    counts: dict[str, Counter[str]] = field(default_factory=dict)


def register_counter() -> TripCounter:
    """Register a counter for all connections that are opened from now on.

    Returns
    -------
    TripCounter
        The counter.
    """
    counter = TripCounter()
    monitoring.register(counter)
    return counter


def count_trips(
    services: Services, counter: TripCounter, engine_name: str, number: int, *, with_results: bool = False
) -> Trips:
    """Count the round trips of an engine's calls and of a campaign's coordinator and status.

    The queue is closed meanwhile, so that what is counted does not depend on how far the workers are.

    Parameters
    ----------
    services : Services
        Servers.
    counter : TripCounter
        Registered before any connection was opened.
    engine_name : str
        fireworks or jobflow_remote.
    number : int
        Candidates.
    with_results : bool
        Whether to let the cluster compute the first stage, and to count the pass that takes its results in.

    Returns
    -------
    Trips
        What was counted.
    """
    trips = Trips(engine_name, number)
    folder, store = services.new_folder("trips"), services.new_store()
    cores = os.cpu_count() or 1
    cluster = write_profile(folder, jobs_at_a_time=cores, allocations=1, cores=cores)
    project = contextlib.nullcontext()
    dispatch = {"engine": engine_name, "cluster": str(cluster)}
    if engine_name == "jobflow_remote":
        project = remote_project(folder, cluster, store)
        dispatch["project"] = PROJECT
    open_queue(False)
    try:
        with project, CampaignCollections.open(store) as collections:
            _count_campaign(trips, counter, folder, dispatch, collections, with_results=with_results)
            _count_engine(trips, counter, collections)
    finally:
        empty_queue()
        open_queue(True)
    return trips


def _count_campaign(
    trips: Trips,
    counter: TripCounter,
    folder: Path,
    dispatch: dict[str, str],
    collections: CampaignCollections,
    *,
    with_results: bool,
) -> None:
    """Count what submission, coordinator and status of a campaign send."""
    (folder / "campaign.yaml").write_text(CAMPAIGN + yaml.safe_dump({"dispatch": dispatch}))
    write_structures(folder / "structures", trips.n_candidates)
    (folder / ".superion").mkdir()
    project = find_project(folder)
    trips.counts["submit the campaign"] = counter.of(
        lambda: submit_campaign(folder / "campaign.yaml", collections, workers=1)
    )
    with _coordinator(collections, project) as coordinator:
        trips.counts["coordinator: start"] = counter.of(coordinator.session.load)
        coordinator.heartbeat = DriverHeartbeat(n_workers=1)
        trips.counts["coordinator: first pass, hands every unit over"] = counter.of(coordinator.make_pass)
        trips.counts["coordinator: a pass in which nothing happens"] = counter.of(coordinator.make_pass)
        reader = StatusReader(NAME, collections, project)
        with contextlib.closing(reader):
            trips.counts["status: first look"] = counter.of(reader.read)
            trips.counts["status: another look"] = counter.of(reader.read)
            if with_results:
                _let_finish(coordinator)
                trips.counts["coordinator: a pass that takes every unit in and hands the next ones over"] = counter.of(
                    coordinator.make_pass
                )
                trips.counts["status: a look after it"] = counter.of(reader.read)


def _let_finish(coordinator: Coordinator) -> None:
    """Let the cluster compute what was handed over, and close the queue again."""
    engine = coordinator.engine
    open_queue(True)
    deadline = time.monotonic() + _PATIENCE_S
    while not all(unit.phase in ("finished", "failed") for unit in engine.units(NAME).values()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{engine.name}: the units do not end in {_PATIENCE_S:g} s")
        engine.feed(NAME)
        time.sleep(5.0)
    open_queue(False)
    empty_queue()


@contextlib.contextmanager
def _coordinator(collections: CampaignCollections, project: ProjectFolder) -> Iterator[Coordinator]:
    """Set a coordinator up as `superion campaign run` does, to be moved by hand."""
    record = collections.load_campaign(NAME)
    assert record is not None
    engine = prepare_campaign(record).file.dispatch.open_engine(collections)
    with contextlib.closing(engine):
        campaign = prepare_campaign(record, checkpoint_root=engine.checkpoint_root)
        folder = campaign_folder(project, NAME)
        folder.mkdir(parents=True, exist_ok=True)
        yield Coordinator(CampaignSession(campaign, collections), engine, folder, lambda event: None)


def _count_engine(trips: Trips, counter: TripCounter, collections: CampaignCollections) -> None:
    """Count what the engine's own calls send, for units of one job each."""
    record = collections.load_campaign(NAME)
    assert record is not None
    engine = prepare_campaign(record).file.dispatch.open_engine(collections)
    with contextlib.closing(engine):
        units = sum_units(SumMaker(), trips.n_candidates)
        campaign_id = units[0][0].campaign_id
        calls: dict[str, Callable[[], Any]] = {
            "engine: submit": lambda: engine.submit(units),
            "engine: submit once more": lambda: engine.submit(units),
            "engine: units": lambda: engine.units(campaign_id),
            "engine: feed": lambda: engine.feed(campaign_id),
            "engine: recover": lambda: engine.recover(campaign_id),
            "engine: pause": lambda: engine.pause(campaign_id),
            "engine: resume": lambda: engine.resume(campaign_id),
            "engine: cancel": lambda: engine.cancel(campaign_id),
            "engine: retry of cancelled units": lambda: engine.retry(
                campaign_id, [ticket.stage_key for ticket, _ in units]
            ),
        }
        for name, call in calls.items():
            trips.counts[name] = counter.of(call)


class _SomeJobs(PilotWorker):
    """A pilot's worker that ends after so many jobs."""

    def __init__(self, arguments: argparse.Namespace, n_jobs: int) -> None:
        super().__init__(arguments)
        self.n_jobs = n_jobs

    def _must_end(self) -> bool:
        return self._n_launches >= self.n_jobs or super()._must_end()


def count_worker(services: Services, counter: TripCounter) -> dict[str, float]:
    """Count what a pilot's worker of FireWorks sends for each job that it takes, in this process.

    Parameters
    ----------
    services : Services
        Servers.
    counter : TripCounter
        Registered before any connection was opened.

    Returns
    -------
    dict of str to float
        Commands for one job, by name: the difference between a worker that takes eleven and one that takes one.
    """
    folder, store = services.new_folder("worker"), services.new_store()
    cluster = write_profile(folder, jobs_at_a_time=1, allocations=1, cores=1)
    category = [category_of(cluster.stem, "analysis")]
    arguments = [
        argparse.Namespace(category=category, folder=str(folder / name), idle_s=0.0, heartbeat_s=3600.0, launchpad=None)
        for name in ("one", "eleven")
    ]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    place = Path.cwd()
    os.environ[STORE_VARIABLE] = store
    try:
        with CampaignCollections.open(store) as collections:
            engine = FireworksDispatch(engine="fireworks", cluster=str(cluster)).open_engine(collections)
            with contextlib.closing(engine):
                engine.submit(sum_units(SumMaker(), 20))
            one = counter.of(_SomeJobs(arguments[0], 1).run)
            eleven = counter.of(_SomeJobs(arguments[1], 11).run)
            if collections.jobs.count() != 12:
                raise SystemExit("the worker did not do its jobs")
    finally:
        del os.environ[STORE_VARIABLE]
        os.chdir(place)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return {name: (eleven[name] - one[name]) / 10 for name in sorted(eleven) if eleven[name] != one[name]}


def trips_table(counted: Sequence[Trips]) -> list[str]:
    """Write the table.

    Parameters
    ----------
    counted : sequence of Trips
        Counts.

    Returns
    -------
    list of str
        Lines.
    """
    largest = {one.engine: max(c.n_candidates for c in counted if c.engine == one.engine) for one in counted}
    heads, rules = [], []
    for one in counted:
        heads.append(f"{one.engine}, {one.n_candidates}")
        rules.append("---:")
        if one.n_candidates == largest[one.engine]:
            heads.append("per candidate")
            rules.append("---:")
    lines = ["| what | " + " | ".join(heads) + " |", "| --- | " + " | ".join(rules) + " |"]
    for name in dict.fromkeys(name for one in counted for name in one.counts):
        cells = []
        for one in counted:
            number = one.counts[name].total() if name in one.counts else None
            cells.append("–" if number is None else str(number))
            if one.n_candidates == largest[one.engine]:
                cells.append("–" if number is None else f"{number / one.n_candidates:.3f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def growing(counted: Sequence[Trips]) -> list[str]:
    """Tell what asks more often where there are more candidates, and which commands these are.

    Parameters
    ----------
    counted : sequence of Trips
        Counts.

    Returns
    -------
    list of str
        One clause for each; empty where nothing grows.
    """
    found = []
    for engine in dict.fromkeys(one.engine for one in counted):
        sizes = sorted((one for one in counted if one.engine == engine), key=lambda one: one.n_candidates)
        few, many = sizes[0], sizes[-1]
        for name, counts in many.counts.items():
            more = counts - few.counts.get(name, counts)
            # The server sends a long answer in portions, each for a command of this name.
            del more["getMore"]
            if more:
                commands = ", ".join(f"{number} {command}" for command, number in sorted(more.items()))
                found.append(f"{engine}, {name} ({commands} more)")
    return found
