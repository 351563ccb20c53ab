"""The MD job: documents, early ends, interruption and continuation."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from superion.database.documents import CandidateDoc, TrajectoryDoc
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.errors import ProtocolError
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.runtime import stop_request
from superion.runtime.heartbeat import PROGRESS_FOLDER_VARIABLE
from superion.runtime.stop_criteria import StopCriteria
from support.step_clock import let_steps_take


@pytest.fixture(autouse=True)
def forget_stop_requests(monkeypatch):
    """A signal in one test must not stop the next."""
    monkeypatch.setattr(stop_request, "_stop_was_requested", False)


def memory_store():
    return JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})


def call(maker, *args):
    """Run a job's body without jobflow around it."""
    return type(maker).make.original(maker, *args)


@pytest.fixture
def candidate(cosine_system):
    from pymatgen.io.ase import AseAtomsAdaptor

    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    document = call(PrepareMaker(), structure, "cosine")
    assert isinstance(document, CandidateDoc)
    return document


def md_maker(system, root, *, duration_ps=4.0, **changes):
    settings = {
        "potential": system.specification,
        "protocol": MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        "limits": RunLimits(duration_ps=duration_ps, segment_ps=1.0),
        "stop": StopCriteria(target_relative_error=None),
        "checkpoint_root": str(root),
    }
    return MdMaker(**settings | changes)


def test_gives_a_trajectory_document(cosine_system, candidate, tmp_path):
    document = call(md_maker(cosine_system, tmp_path), candidate, 1000.0, 1)
    assert isinstance(document, TrajectoryDoc)
    assert (document.run.state, document.run.stop_reason) == ("completed", "max_length")
    assert (document.protocol.temperature_k, document.protocol.replica) == (1000.0, 1)
    assert document.run.folder == str(tmp_path / document.run.key)
    assert document.provenance.seeds == [42]
    assert document.provenance.potential.model.endswith("CosineLatticeCalculator")
    looks = [entry["estimate"]["look"] for entry in document.run.history if entry["estimate"]]
    assert looks == list(range(1, len(looks) + 1))
    assert looks


def test_ends_early_when_converged(cosine_system, candidate, tmp_path):
    maker = md_maker(cosine_system, tmp_path, duration_ps=40.0, stop=StopCriteria(target_relative_error=0.4))
    document = call(maker, candidate, 1500.0)
    assert (document.run.state, document.run.stop_reason) == ("completed", "converged")
    assert document.run.completed_ps < 40.0
    before, last = [entry["estimate"] for entry in document.run.history if entry["estimate"]][-2:]
    assert max(before["relative_error"], last["relative_error"]) <= 0.4, "two looks in a row"
    again = call(maker, candidate, 1500.0)
    assert again.run.resumed_from_step * 4.0 / 1000.0 == document.run.completed_ps
    assert again.run.history == document.run.history


def test_ends_early_when_ruled_out(cosine_system, candidate, tmp_path):
    stop = StopCriteria(target_relative_error=None, target_sigma_300k_ms_cm=1e6)
    document = call(md_maker(cosine_system, tmp_path, duration_ps=40.0, stop=stop), candidate, 1000.0)
    assert (document.run.state, document.run.stop_reason) == ("completed", "ruled_out")
    assert "0.1 eV" in document.run.message
    assert document.run.history[-1]["estimate"]["greatest_sigma_300k_ms_cm"] < 1e6
    relaxed = StopCriteria(target_relative_error=None, target_sigma_300k_ms_cm=1e-6)
    assert call(md_maker(cosine_system, tmp_path, stop=relaxed), candidate, 1000.0).run.stop_reason == "max_length"


def test_a_melted_framework_ends_the_run_as_failed(cosine_system, candidate, tmp_path):
    document = call(md_maker(cosine_system, tmp_path), candidate, 40_000.0)
    assert document.run.state == "failed"
    assert document.run.stop_reason in ("melted", "exploded", "temperature_runaway")
    assert document.run.message
    assert document.run.n_frames > 0


def test_wall_time_limit_continues_in_replacements(cosine_system, candidate, tmp_path, monkeypatch):
    """The trajectory in pieces equals the trajectory in one piece."""
    let_steps_take(monkeypatch, 0.0005)
    limits = RunLimits(duration_ps=12.0, segment_ps=1.0, max_runtime_s=0.5)
    maker = md_maker(cosine_system, tmp_path / "pieces", limits=limits)
    job = maker.make(candidate, 1000.0)
    store = memory_store()
    responses = run_locally(Flow([job]), store=store, root_dir=tmp_path, log=False)[job.uuid]
    assert len(responses) > 1
    states = [store.get_output(job.uuid, which=index, load=True)["run"]["state"] for index in sorted(responses)]
    assert states == ["partial"] * (len(states) - 1) + ["completed"]
    whole = call(md_maker(cosine_system, tmp_path / "whole", duration_ps=12.0), candidate, 1000.0)
    pieces = Trajectory(tmp_path / "pieces" / whole.run.key)
    assert (pieces.positions() == Trajectory(whole.run.folder).positions()).all()


def test_hopeless_wall_time_limit_is_refused(cosine_system, candidate, tmp_path):
    """A limit that leaves no time for a step would replace the job for ever."""
    maker = md_maker(cosine_system, tmp_path, limits=RunLimits(duration_ps=4.0, max_runtime_s=1e-9))
    with pytest.raises(ProtocolError, match="no time for a single step"):
        call(maker, candidate, 1000.0)


def test_signal_stops_the_job_and_this_process(cosine_system, candidate, tmp_path):
    """After SIGTERM the document is partial, and no continuation starts in the same process."""
    maker = md_maker(cosine_system, tmp_path / "t", duration_ps=400.0)
    job = maker.make(candidate, 1000.0)
    store = memory_store()

    def send_when_running():
        while not list((tmp_path / "t").glob("*/segment*.h5md")):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=send_when_running)
    thread.start()
    with pytest.raises(KeyboardInterrupt, match="continues from its checkpoints"):
        run_locally(Flow([job]), store=store, root_dir=tmp_path, log=False)
    thread.join()
    document = store.get_output(job.uuid, load=True)
    assert (document["run"]["state"], document["run"]["stop_reason"]) == ("partial", "signal")
    assert document["run"]["completed_ps"] >= 1.0
    stop_request._stop_was_requested = False
    short = call(
        md_maker(cosine_system, tmp_path / "t", duration_ps=document["run"]["completed_ps"] + 1), candidate, 1000.0
    )
    assert short.run.state == "completed"
    assert short.run.resumed_from_step * 4.0 / 1000.0 == pytest.approx(document["run"]["completed_ps"])


def test_heartbeats_tell_how_far_it_is(cosine_system, candidate, tmp_path, monkeypatch):
    monkeypatch.setenv(PROGRESS_FOLDER_VARIABLE, str(tmp_path / "beats"))
    job = md_maker(cosine_system, tmp_path / "t").make(candidate, 1000.0)
    run_locally(Flow([job]), store=memory_store(), root_dir=tmp_path, log=False)
    beat = json.loads((tmp_path / "beats" / f"{job.uuid}.json").read_text())
    assert beat["progress"]["completed_ps"] == beat["progress"]["requested_ps"] == 4.0
    assert beat["progress"]["ps_per_hour"] > 0


def test_full_disk_fails_with_its_reason(cosine_system, candidate, tmp_path, monkeypatch):
    """No continuation replaces a job that has no room to write."""
    import shutil
    from types import SimpleNamespace

    from superion.errors import TrajectoryError

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0, total=1, used=1))
    with pytest.raises(TrajectoryError, match="no room"):
        call(md_maker(cosine_system, tmp_path), candidate, 1000.0)
