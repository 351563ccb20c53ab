"""The local executor: jobflow's rules, parallel processes, failures."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.io.ase import AseAtomsAdaptor
from superion.errors import SettingsError
from superion.makers.prepare import PrepareMaker
from superion.makers.relax import RelaxMaker
from superion.workflows.dispatch.codec import decode_flow
from superion.workflows.dispatch.flow_run import FlowRun
from superion.workflows.dispatch.local import resume_run, run_flow_locally
from superion.workflows.dispatch.run_folder import RunFolder

sys.path.append(str(Path(__file__).parent / "support"))
import dispatch_jobs as jobs


@pytest.fixture
def store():
    return JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})


def runs(tmp_path, name):
    """How often a job body ran."""
    path = tmp_path / name
    return path.stat().st_size if path.exists() else 0


def build(tmp_path):
    """One flow with every kind of response in it."""
    folder = str(tmp_path)
    first = jobs.add(1, 2, folder)
    second = jobs.add(first.output, 10, folder)
    countdown = jobs.countdown(2, folder)
    replaced = jobs.replaced_by_flow(folder)
    after_replaced = jobs.add(replaced.output, 100, folder)
    detoured = jobs.detoured(folder)
    after_detour = jobs.exists(folder, "detour", detoured.output)
    enlarged = jobs.enlarged(folder)
    childless = jobs.childless(folder)
    left_out = jobs.add(childless.output, 7, folder)
    failing = jobs.fail(folder)
    skipped = jobs.add(failing.output, 3, folder)
    total = jobs.total([second.output, failing.output, after_replaced.output], folder)
    tame = [first, second, countdown, replaced, after_replaced, detoured, after_detour, enlarged]
    flow = Flow([*tame, childless, left_out, failing, skipped, total], output=total.output)
    return flow, {
        "second": second.uuid,
        "countdown": countdown.uuid,
        "after_replaced": after_replaced.uuid,
        "after_detour": after_detour.uuid,
        "left_out": left_out.uuid,
        "skipped": skipped.uuid,
        "total": total.uuid,
    }


def outputs(store, uuids):
    """Last output of each job; absent where there is none."""
    found = {}
    for name, uuid in uuids.items():
        document = store.query_one({"uuid": uuid}, ["output", "index"], sort={"index": -1}, load=True)
        found[name] = None if document is None else (document["index"], document["output"])
    return found


def test_does_what_jobflow_does_and_resumes_what_failed(tmp_path, store):
    """Replacement, detour, addition, stop_children, failure: the same as jobflow's own local manager."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    flow, uuids = build(tmp_path / "ours")
    events = []
    report = run_flow_locally(flow, store, tmp_path / "run", workers=2, on_event=events.append)

    reference_flow, reference_uuids = build(tmp_path / "theirs")
    reference = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(reference_flow, store=reference, log=False)
    ours, theirs = outputs(store, uuids), outputs(reference, reference_uuids)
    assert ours == theirs
    assert ours["total"] == (1, 13 + 112)
    assert ours["countdown"] == (3, "done")
    assert ours["after_detour"] == (1, True)
    assert runs(tmp_path / "ours", "addition") == 1

    assert report.state == "failed"
    assert report.output_uuids == [uuids["total"]]
    assert [(job.name, job.is_root_cause) for job in report.failures] == [("fail", True)]
    assert "deliberate" in report.failures[0].reason
    assert "ValueError: deliberate" in report.failures[0].log.read_text()
    skipped = {job.uuid: job for job in report.jobs if job.status == "skipped"}
    assert set(skipped) == {uuids["skipped"], uuids["left_out"]}
    assert "fail" in skipped[uuids["skipped"]].reason
    kinds = [event.kind for event in events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    assert kinds.count("job_continued") == 3
    assert events[-1].n_over == events[-1].n_jobs

    # A mended failure and all that depended on it are computed again, nothing else.
    (tmp_path / "ours" / "mended").touch()
    report = resume_run(tmp_path / "run", store, workers=2)
    assert outputs(store, uuids)["total"] == (1, 13 + 5 + 112)
    assert outputs(store, uuids)["skipped"] == (1, 8)
    assert report.failures == []
    ran = {name: runs(tmp_path / "ours", name) for name in ("fail", "total", "add-1-2", "countdown-1")}
    assert ran == {"fail": 2, "total": 2, "add-1-2": 1, "countdown-1": 1}
    again = resume_run(tmp_path / "run", store, workers=2)
    assert runs(tmp_path / "ours", "total") == 2
    assert [job.status for job in again.jobs].count("completed") == len(again.jobs) - 1


def test_outcomes_that_cannot_be_read_are_set_aside(tmp_path, store):
    """Half a file, and a function that is gone: those jobs and what they fed run again, and nothing else does."""
    first, alone, countdown = (
        jobs.add(1, 2, str(tmp_path)),
        jobs.add(5, 6, str(tmp_path)),
        jobs.countdown(1, str(tmp_path)),
    )
    second = jobs.add(first.output, 10, str(tmp_path))
    run_flow_locally(Flow([alone, first, countdown, second]), store, tmp_path / "run", workers=1)
    folder = RunFolder(tmp_path / "run")
    broken = {folder.outcome_file((job.uuid, 1)) for job in (first, countdown)}
    for path in broken:
        text = path.read_text().replace("dispatch_jobs", "gone")
        path.write_text(text if "gone" in text else text[:50])

    # Any other trouble, such as a store's, leaves all of them where they are.
    def trouble(entry, outcome):
        raise RuntimeError("the store is in trouble")

    with pytest.raises(RuntimeError, match="in trouble"):
        FlowRun(folder, store, decode_flow(folder.read_flow()), on_outcome=trouble).open()
    assert (folder.outcome_file((alone.uuid, 1))).exists()

    events = []
    assert resume_run(tmp_path / "run", store, workers=1, on_event=events.append).state == "completed"
    names = ("add-1-2", "add-3-10", "add-5-6", "countdown-1", "countdown-0")
    assert {name: runs(tmp_path, name) for name in names} == dict.fromkeys(names, 2) | {"add-5-6": 1}
    told = [event for event in events if event.kind == "outcome_set_aside"]
    assert {event.job_name for event in told} == {"add", "countdown"}
    assert all("cannot be read" in event.message and str(folder.set_aside_folder) in event.message for event in told)
    kept = {path.name for path in folder.set_aside_folder.rglob("*.json")}
    assert {path.name for path in broken} < kept
    assert store.get_output(second.uuid) == 13


def test_stop_jobflow_ends_the_run(tmp_path, store):
    """Nothing starts after a job asked to stop everything."""
    stop = jobs.stop_all(str(tmp_path))
    after = jobs.add(stop.output, 1, str(tmp_path))
    report = run_flow_locally(Flow([stop, after]), store, tmp_path / "run", workers=1)
    assert report.state == "completed"
    assert runs(tmp_path, "add-1-1") == 0


def test_killed_worker_is_tried_once_more(tmp_path, store):
    """One SIGKILL costs a retry; a second one fails the job and nothing else."""
    folder = tmp_path / "again"
    folder.mkdir()
    survivor = jobs.die_until(str(tmp_path), 1)
    victim = jobs.die_until(str(folder), 9)
    report = run_flow_locally(Flow([survivor, victim]), store, tmp_path / "run", workers=2)
    assert store.get_output(survivor.uuid) == "survived"
    assert report.state == "failed"
    assert [job.uuid for job in report.failures] == [victim.uuid]
    assert "SIGKILL" in report.failures[0].reason
    assert runs(folder, "die") == 2


def test_a_stop_says_what_it_waits_for(tmp_path, store, monkeypatch):
    """Workers that take a while to write their checkpoints are spoken of all the while."""
    monkeypatch.setattr("superion.workflows.dispatch.driver.STOP_NEWS_S", 0.5)
    slow = [jobs.stop_slowly(str(tmp_path), "news of one"), jobs.stop_slowly(str(tmp_path), "news of two")]

    def stop_when_both_work():
        deadline = time.monotonic() + 400
        while runs(tmp_path, "working") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    events = []

    def hear(event):
        events.append(event)
        if event.kind == "run_stopping":
            (tmp_path / ("news of one" if "for 1 worker" in event.message else "news of two")).touch()

    threading.Thread(target=stop_when_both_work, daemon=True).start()
    report = run_flow_locally(Flow(slow), store, tmp_path / "run", workers=2, on_event=hear)
    assert (report.state, report.signal_name) == ("stopped", "SIGTERM")
    words = [event.message for event in events if event.kind == "run_stopping"]
    assert words[0].startswith("waiting for 2 workers to write their checkpoint")
    assert "a second Ctrl-C kills them" in words[0]
    assert len(words) >= 2
    assert re.match(r"waiting for 1 worker to write its checkpoint, for \d+ s so far", words[-1])


def test_a_relaxation_is_heard_of(tmp_path, store, cosine_system):
    """Steps and forces of a relaxation come through from its process."""
    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    structure.perturb(0.2)
    prepare = PrepareMaker().make(structure)
    relax = RelaxMaker(
        potential=cosine_system.specification,
        relax_cell=False,
        force_tolerance_ev_per_angstrom=1e-9,
        checkpoint_root=str(tmp_path),
    ).make(prepare.output)
    events = []
    report = run_flow_locally(Flow([prepare, relax]), store, tmp_path / "run", workers=1, on_event=events.append)
    assert report.state == "completed"
    steps = [event.relaxation for event in events if event.relaxation is not None]
    assert steps
    assert all(event.progress is None for event in events)
    assert steps[-1].maximum_steps == 500


def test_parallel_single_threaded_and_each_in_its_folder(tmp_path, store):
    """Two jobs meet; each has one thread, its own process and its own folder."""
    pair = [jobs.meet(str(tmp_path), "a", "b"), jobs.meet(str(tmp_path), "b", "a")]
    run_flow_locally(Flow(pair), store, tmp_path / "run", workers=2)
    first, second = (store.get_output(job.uuid) for job in pair)
    assert first[:2] == second[:2] == [True, "1"]
    assert first[2] != second[2]
    assert first[3] != second[3]


def test_a_folder_holds_one_run(tmp_path, store):
    flow = Flow([jobs.add(1, 2, str(tmp_path))])
    run_flow_locally(flow, store, tmp_path / "run", workers=1)
    with pytest.raises(SettingsError, match="already holds a run"):
        run_flow_locally(Flow([jobs.add(1, 2, str(tmp_path))]), store, tmp_path / "run")
    with pytest.raises(SettingsError, match="There is no run in"):
        resume_run(tmp_path / "nothing", store)
    with pytest.raises(SettingsError, match="store in memory"):
        resume_run(tmp_path / "run")
