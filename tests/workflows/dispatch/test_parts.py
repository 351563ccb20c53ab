"""The parts of the local executor: graph, codec, lock, slots, remaining time."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobflow import Flow, JobStore, Response
from maggma.stores import MemoryStore
from superion.dynamics.protocol import RunLimits
from superion.dynamics.results import MdProgress
from superion.errors import SettingsError, StoreError
from superion.flows.conductivity import ConductivityMaker
from superion.potentials.specification import PotentialSpecification
from superion.workflows.dispatch import processors
from superion.workflows.dispatch.codec import JobOutcome, decode_outcome, encode_outcome
from superion.workflows.dispatch.job_graph import JobGraph
from superion.workflows.dispatch.local import run_flow_locally
from superion.workflows.dispatch.processors import available_gpus, worker_slots
from superion.workflows.dispatch.remaining_time import remaining_seconds
from superion.workflows.dispatch.run_folder import RunFolder, is_locked, lock_run

sys.path.append(str(Path(__file__).parent / "support"))
import dispatch_jobs as jobs


def chain(n):
    """Jobs that each need the one before."""
    made = [jobs.add(0, 0, "")]
    for _ in range(n - 1):
        made.append(jobs.add(made[-1].output, 1, ""))
    return made


def test_graph_releases_children_in_order():
    made = chain(3)
    graph = JobGraph(Flow(made))
    for job in made:
        assert [entry.job.uuid for entry in graph.ready()] == [job.uuid]
        graph.complete((job.uuid, 1), Response())
    assert graph.is_over


def test_graph_children_wait_for_replacements_of_replacements():
    first, child = chain(2)
    graph = JobGraph(Flow([first, child]))
    inner = jobs.add(5, 5, "")
    replacement = jobs.add(inner.output, 1, "")
    replacement.set_uuid(first.uuid)
    replacement.index = 2
    graph.complete((first.uuid, 1), Response(replace=Flow([inner, replacement])))
    assert [entry.key for entry in graph.ready()] == [(inner.uuid, 1)]
    deeper = jobs.mark("", "detour")
    graph.complete((inner.uuid, 1), Response(detour=Flow([deeper])))
    assert [entry.key for entry in graph.ready()] == [(deeper.uuid, 1)]
    graph.complete((deeper.uuid, 1), Response())
    assert [entry.key for entry in graph.ready()] == [(first.uuid, 2)]
    graph.complete((first.uuid, 2), Response())
    assert [entry.key for entry in graph.ready()] == [(child.uuid, 1)]


def test_graph_failure_skips_only_what_needs_it():
    first, second, third = chain(3)
    alone = jobs.add(1, 1, "")
    tolerant = jobs.total([first.output, alone.output], "")
    empty = jobs.total([first.output, third.output], "")
    graph = JobGraph(Flow([first, second, third, alone, tolerant, empty]))
    graph.fail((first.uuid, 1), "deliberate")
    assert [entry.job.uuid for entry in graph.ready()] == [alone.uuid]
    graph.complete((alone.uuid, 1), Response())
    assert [entry.job.uuid for entry in graph.ready()] == [tolerant.uuid]
    assert graph.entries[(third.uuid, 1)].status == "skipped"
    assert graph.entries[(empty.uuid, 1)].status == "skipped"
    assert graph.descendants({(first.uuid, 1)}) == {(job.uuid, 1) for job in (second, third, tolerant, empty)}


def test_graph_what_a_job_asked_for_is_below_it_and_it_is_not_below_them():
    """One of many failed: what sums them up runs again, and the job that made them does not."""
    fan, child = chain(2)
    graph = JobGraph(Flow([fan, child]))
    members = [jobs.add(n, n, "") for n in range(3)]
    together = jobs.total([member.output for member in members], "")
    together.set_uuid(fan.uuid)
    together.index = 2
    beside = jobs.mark("", "addition")
    beneath = jobs.mark("", "detour")
    graph.complete((fan.uuid, 1), Response(replace=Flow([*members, together]), addition=Flow([beside])))
    graph.complete((members[0].uuid, 1), Response(detour=Flow([beneath])))
    assert graph.descendants({(beneath.uuid, 1)}) == {(fan.uuid, 2), (child.uuid, 1)}
    assert graph.descendants({(members[1].uuid, 1)}) == {(fan.uuid, 2), (child.uuid, 1)}
    assert graph.descendants({(beside.uuid, 1)}) == set()


@pytest.mark.parametrize("seed", range(5))
def test_graph_of_random_flows_ends(seed):
    """Whatever fails, every job ends as completed, failed or skipped, and skipped only below a failure."""
    dice = random.Random(seed)
    made = []
    for _ in range(40):
        inputs = dice.sample(made, min(len(made), dice.randint(0, 3)))
        maker = dice.choice([lambda refs: jobs.total(refs, ""), lambda refs: jobs.add(refs, 0, "")])
        made.append(maker([job.output for job in inputs]))
    graph = JobGraph(Flow(made))
    while ready := graph.ready():
        entry = dice.choice(ready)
        if dice.random() < 0.2:
            graph.fail(entry.key, "by chance")
        else:
            graph.complete(entry.key, Response())
    below = graph.descendants({key for key, entry in graph.entries.items() if entry.status == "failed"})
    for entry in graph.entries.values():
        assert entry.is_over
        if entry.status == "skipped":
            assert entry.key in below


def test_outcome_survives_its_file():
    replacement = Flow(chain(2))
    when = datetime(2026, 1, 2, tzinfo=UTC)
    document = {"output": {"@module": "superion.x", "@class": "Doc", "when": when, "n": 1.5}}
    outcome = JobOutcome(Response(replace=replacement, stop_children=True), document, {"data": ["trajectory"]}, 2.0)
    copy = decode_outcome(encode_outcome(outcome))
    assert copy.document == document
    assert copy.save == outcome.save
    assert copy.response.stop_children
    assert [job.uuid for job, _ in copy.response.replace.iterflow()] == list(replacement.job_uuids[:2])


def test_a_store_with_a_password_is_private_from_the_first_instant(tmp_path, monkeypatch):
    """Also where a kill comes right after the file appears."""

    def die(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "chmod", die)
    folder = RunFolder(tmp_path)
    with contextlib.suppress(KeyboardInterrupt):
        folder.create("{}", flow_name="one", store={"password": "x"})
    assert folder.description_file.stat().st_mode & 0o777 == 0o600


def test_lock_has_one_holder(tmp_path):
    folder = RunFolder(tmp_path)
    assert not is_locked(folder)
    held = lock_run(folder)
    assert is_locked(folder)
    with pytest.raises(StoreError, match="Another process is working"):
        lock_run(folder, wait_s=0.2)
    os.close(held)
    assert not is_locked(folder)
    os.close(lock_run(folder))


def test_lock_waits_for_the_workers_of_a_dead_driver(tmp_path):
    """A worker inherits the lock; when its driver is dead, the next driver waits for it."""
    holder = """
import os, subprocess, sys, time
from pathlib import Path
from superion.workflows.dispatch.run_folder import RunFolder, lock_run
lock = lock_run(RunFolder(Path(sys.argv[1])))
subprocess.Popen(["sh", "-c", "until [ -e go ]; do sleep 0.1; done"], pass_fds=(lock,), cwd=sys.argv[1])
print("locked", flush=True)
time.sleep(600)
"""
    folder = RunFolder(tmp_path)
    driver = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path)], stdout=subprocess.PIPE)
    driver.stdout.readline()
    with pytest.raises(StoreError, match="Another process is working"):
        lock_run(folder, wait_s=600, on_wait=lambda: pytest.fail("it waits for a driver that lives"))
    driver.kill()
    driver.wait()
    told = []

    def on_wait():
        told.append("waiting")
        (tmp_path / "go").touch()

    os.close(lock_run(folder, wait_s=600, on_wait=on_wait))
    assert told == ["waiting"]
    os.close(lock_run(folder, wait_s=600, on_wait=lambda: told.append("for nobody")))
    assert told == ["waiting"]


def test_full_disk_is_one_sentence(tmp_path):
    """No file may grow beyond some bytes, as on a full disk: a sentence, and the folder is free for another try."""
    flow = ConductivityMaker().make("Li6PS5Cl")
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(StoreError, match="cannot be written") as caught:
            run_flow_locally(flow, store, tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "free some space" in str(caught.value)
    assert not (tmp_path / "run" / "flow.json").exists()


def test_run_folder_hides_a_stores_password(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create("{}", flow_name="x", store={"uri": "mongodb://user:secret@host"})
    assert folder.description_file.stat().st_mode & 0o077 == 0
    with pytest.raises(SettingsError, match="already holds a run"):
        folder.create("{}", flow_name="x", store=None)


def test_one_worker_per_core_or_per_gpu(monkeypatch):
    flow = ConductivityMaker().make("Li6PS5Cl")
    on_cpu = ConductivityMaker(potential=PotentialSpecification(device="cpu")).make("Li6PS5Cl")
    monkeypatch.setattr(processors, "available_cores", lambda: 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert len(worker_slots(flow, None, 1)) == 4
    assert len(worker_slots(flow, None, 2)) == 2
    assert worker_slots(flow, 3, 1)[0]["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert available_gpus() == ["0", "2"]
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in worker_slots(flow, None, 1)] == ["0", "2"]
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in worker_slots(flow, 3, 1)] == ["0", "2", "0"]
    assert len(worker_slots(on_cpu, None, 1)) == 4
    assert "CUDA_VISIBLE_DEVICES" not in worker_slots(on_cpu, None, 1)[0]


def test_remaining_time_follows_from_the_speed_seen():
    maker = ConductivityMaker(temperatures_k=(600.0, 800.0, 1000.0))
    maker.md.limits = RunLimits(duration_ps=10.0)
    graph = JobGraph(maker.make("Li6PS5Cl"))
    runs = [entry for entry in graph.entries.values() if entry.job.name.startswith("MD")]
    assert remaining_seconds(graph.entries.values(), {}, 2) is None
    runs[0].status = "running"
    beat = MdProgress(key="k", completed_ps=5.0, requested_ps=10.0, ps_per_hour=36.0)
    # 36 ps/h is 100 s/ps: 500 s are left of the first, 1,000 s of each of the others.
    left = remaining_seconds(graph.entries.values(), {runs[0].job.uuid: beat}, 2)
    assert left == pytest.approx(1500.0)
    assert remaining_seconds(graph.entries.values(), {runs[0].job.uuid: beat}, 1) == pytest.approx(2500.0)
    for entry in runs:
        entry.status = "completed"
    assert remaining_seconds(graph.entries.values(), {runs[0].job.uuid: beat}, 2) == 0.0
