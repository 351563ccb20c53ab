"""What an engine adds to jobs that do next to nothing: wall time from submission to the last result."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dispatch_services import (
    PROJECT,
    Services,
    empty_queue,
    next_queue_number,
    remote_project,
    runner_process,
    write_profile,
)
from dispatch_sums import CAMPAIGN_ID, LoneSumMaker, SumMaker, sum_units
from jobflow import Flow
from superion.database.campaigns import CampaignCollections
from superion.database.job_store import open_job_store
from superion.workflows.clusters.find import load_cluster
from superion.workflows.dispatch.fireworks_engine.config_files import write_fireworks_files
from superion.workflows.dispatch.fireworks_engine.settings import FireworksDispatch
from superion.workflows.dispatch.jobflow_remote_engine.runner import look_for_runner
from superion.workflows.dispatch.jobflow_remote_engine.settings import JobflowRemoteDispatch
from superion.workflows.dispatch.local import run_flow_locally

LOOK_S = 0.5
FEED_EVERY_S = 5.0
"""A coordinator's own pace."""

PATIENCE_S = 180.0
PATIENCE_PER_JOB_S = 15.0


@dataclass(frozen=True)
class Overhead:
    """What so many jobs took.

    Parameters
    ----------
    engine : str
        local, fireworks or jobflow_remote.
    way : str
        How jobs reach allocations.
    n_jobs : int
        Number of jobs.
    wall_s : float
        From before the submission to the last result in the store, in s.
    n_allocations : int or None
        Slurm allocations that were asked for; None without Slurm.
    """

    engine: str
    way: str
    n_jobs: int
    wall_s: float
    n_allocations: int | None


def local_overhead(services: Services, number: int) -> Overhead:
    """Run so many jobs as one flow in processes of this machine.

    Parameters
    ----------
    services : Services
        For a folder.
    number : int
        How many.

    Returns
    -------
    Overhead
        What they took.
    """
    folder = services.new_folder("local")
    # Workers import the job.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    flow = Flow([SumMaker().make(index, 1) for index in range(number)])
    uuids = list(flow.job_uuids)
    store = open_job_store(folder / "results.db")
    start = time.perf_counter()
    run_flow_locally(flow, store, folder / "run", workers=os.cpu_count())
    wall_s = time.perf_counter() - start
    found = sorted(store.get_output(uuid) for uuid in uuids)
    store.close()
    _must_be_right(found, number)
    return Overhead("local", "worker processes", number, wall_s, None)


def fireworks_overhead(services: Services, number: int, *, is_packed: bool) -> Overhead:
    """Run so many jobs through FireWorks.

    Parameters
    ----------
    services : Services
        Servers.
    number : int
        How many.
    is_packed : bool
        Pilots; else FireWorks' own `qlaunch --reserve`, an allocation for each job.

    Returns
    -------
    Overhead
        What they took.
    """
    folder, store = services.new_folder("fireworks"), services.new_store()
    cluster = _profile(folder, is_packed=is_packed)
    with CampaignCollections.open(store) as collections:
        engine = FireworksDispatch(engine="fireworks", cluster=str(cluster)).open_engine(collections)
        try:
            if is_packed:
                wall_s, n_allocations = _measure(
                    engine, collections, SumMaker(), number, lambda: engine.feed(CAMPAIGN_ID)
                )
                return Overhead("fireworks", "pilots", number, wall_s, n_allocations)
            command = _qlaunch(folder, cluster, store, number)
            launched: list[subprocess.Popen[bytes]] = []

            def launch_once() -> None:
                if not launched:
                    with (folder / "qlaunch.log").open("wb") as log:
                        launched.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))

            try:
                wall_s, n_allocations = _measure(engine, collections, SumMaker(), number, launch_once)
            finally:
                for process in launched:
                    if process.poll() is None:
                        process.terminate()
                    process.wait()
            return Overhead("fireworks", "`qlaunch -r`, one allocation per job", number, wall_s, n_allocations)
        finally:
            engine.close()
            empty_queue()


def _qlaunch(folder: Path, cluster: Path, store: str, number: int) -> list[str]:
    """Write the files of `superion cluster init`, with one job per allocation, and give FireWorks' own command."""
    files = folder / "files"
    write_fireworks_files(cluster.stem, load_cluster(str(cluster)), store, files)
    adapter = files / "my_qadapter_analysis.yaml"
    worker = ["-l", str(files / "my_launchpad.yaml"), "-w", str(files / "my_fworker_analysis.yaml")]
    single = shlex.join([sys.executable, "-m", "fireworks.scripts.rlaunch_run", *worker, "singleshot"])
    adapter.write_text(yaml.safe_dump(yaml.safe_load(adapter.read_text()) | {"rocket_launch": single}))
    launches = folder / "launches"
    launches.mkdir()
    command = [sys.executable, "-m", "fireworks.scripts.qlaunch_run", "-r", "--launch_dir", str(launches), *worker]
    return [*command, "-q", str(adapter), "rapidfire", "--nlaunches", str(number)]


def remote_overhead(services: Services, number: int, *, is_packed: bool) -> Overhead:
    """Run so many jobs through jobflow-remote.

    Parameters
    ----------
    services : Services
        Servers.
    number : int
        How many.
    is_packed : bool
        A batch worker; else a plain one, an allocation for each job.

    Returns
    -------
    Overhead
        What they took.
    """
    folder, store = services.new_folder("remote"), services.new_store()
    cluster = _profile(folder, is_packed=is_packed)
    with (
        remote_project(folder, cluster, store),
        CampaignCollections.open(store) as collections,
        runner_process(folder) as runner,
    ):
        engine = JobflowRemoteDispatch(cluster=str(cluster), project=PROJECT).open_engine(collections)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not look_for_runner(engine.controller).is_alive:
                if time.monotonic() > deadline or runner.poll() is not None:
                    raise SystemExit(f"the runner does not start: {(folder / 'runner.log').read_text()[-2000:]}")
                time.sleep(LOOK_S)
            maker = SumMaker() if is_packed else LoneSumMaker()
            wall_s, n_allocations = _measure(engine, collections, maker, number, lambda: None)
            way = "batch worker" if is_packed else "plain worker, one allocation per job"
            return Overhead("jobflow_remote", way, number, wall_s, n_allocations)
        finally:
            engine.close()
            empty_queue()


def _profile(folder: Path, *, is_packed: bool) -> Path:
    cores = os.cpu_count() or 1
    if is_packed:
        return write_profile(folder, jobs_at_a_time=cores, allocations=1, cores=cores)
    return write_profile(folder, jobs_at_a_time=1, allocations=1000, cores=1)


def _measure(
    engine: Any, collections: CampaignCollections, maker: SumMaker, number: int, feed: Callable[[], Any]
) -> tuple[float, int]:
    """Submit units and wait for their results, as a coordinator would; give wall time and allocations."""
    units = sum_units(maker, number)
    uuids = [uuid for _, flow in units for uuid in flow.job_uuids]
    before = next_queue_number()
    start = time.perf_counter()
    if len(engine.submit(units)) != number:
        raise SystemExit("not all units were taken")
    last_feed = -float("inf")
    while collections.jobs.docs_store.count({"uuid": {"$in": uuids}}) < number:
        waited = time.perf_counter() - start
        if waited > PATIENCE_S + PATIENCE_PER_JOB_S * number:
            raise SystemExit(f"{engine.name}: no end after {waited:.0f} s: {engine.units(CAMPAIGN_ID)}")
        if waited - last_feed >= FEED_EVERY_S:
            feed()
            last_feed = waited
        time.sleep(LOOK_S)
    wall_s = time.perf_counter() - start
    _must_be_right(sorted(collections.jobs.get_output(uuid) for uuid in uuids), number)
    return wall_s, next_queue_number() - before


def _must_be_right(found: Sequence[int], number: int) -> None:
    if list(found) != list(range(1, number + 1)):
        raise SystemExit(f"the jobs' results are wrong: {found}")


def overhead_table(measured: Sequence[Overhead], numbers: Sequence[int]) -> list[str]:
    """Write the table.

    Parameters
    ----------
    measured : sequence of Overhead
        What was measured.
    numbers : sequence of int
        Numbers of jobs, in the order of the columns.

    Returns
    -------
    list of str
        Lines.
    """
    shown = [n for n in numbers if any(one.n_jobs == n for one in measured)]
    heads = [f"{n} job{'s' if n > 1 else ''}" for n in shown]
    lines = [
        "| engine | way | " + " | ".join(heads) + " |",
        "| --- | --- |" + " ---: |" * len(shown),
    ]
    for engine, way in dict.fromkeys((one.engine, one.way) for one in measured):
        cells = []
        for number in shown:
            found = [one for one in measured if (one.engine, one.way, one.n_jobs) == (engine, way, number)]
            cells.append(_cell(found[0]) if found else "not measured")
        lines.append(f"| {engine} | {way} | " + " | ".join(cells) + " |")
    return lines


def _cell(one: Overhead) -> str:
    allocations = "–" if one.n_allocations is None else str(one.n_allocations)
    return f"{one.wall_s:.1f} / {one.wall_s / one.n_jobs:.2f} / {allocations}"
