"""When an allocation ends, and what jobs do about it."""

from __future__ import annotations

import os
import time

import pytest
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.errors import ProtocolError, SettingsError
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.runtime import stop_request, walltime
from superion.runtime.stop_criteria import StopCriteria
from superion.runtime.walltime import (
    JOB_END_VARIABLE,
    STOP_MARGIN_VARIABLE,
    Allocation,
    current_allocation,
    stop_margin_s,
    time_left_s,
)
from support.step_clock import let_steps_take

QUEUE_VARIABLES = (
    JOB_END_VARIABLE, STOP_MARGIN_VARIABLE, "SLURM_JOB_ID", "SLURM_JOB_END_TIME", "SLURM_JOB_START_TIME",
    "PBS_JOBID", "PBS_WALLTIME",
)  # fmt: skip


@pytest.fixture(autouse=True)
def outside_any_queue(monkeypatch):
    """No test inherits the queue that the tests run in, nor the stop of another test."""
    for name in QUEUE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(walltime, "_answers", {})
    monkeypatch.setattr(stop_request, "_stop_was_requested", False)


@pytest.fixture
def candidate(cosine_system):
    from pymatgen.io.ase import AseAtomsAdaptor

    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    return PrepareMaker.make.original(PrepareMaker(), structure, "cosine")


def md_maker(system, root, duration_ps, **limits):
    return MdMaker(
        potential=system.specification,
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(duration_ps=duration_ps, segment_ps=1.0, **limits),
        stop=StopCriteria(target_relative_error=None),
        checkpoint_root=str(root),
    )


def program(folder, name, text, status=0):
    """A command of a queue that this machine has not: it prints what that queue's manual shows."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(text)
    path = folder / name
    path.write_text(f'#!/bin/sh\necho called >> "{folder}/{name}.calls"\ncat "{folder}/{name}.txt"\nexit {status}\n')
    path.chmod(0o755)
    return folder


# -- who says so -----------------------------------------------------------------------------------------------


def test_outside_a_queue_there_is_no_end():
    assert current_allocation() is None
    assert time_left_s() is None


def test_the_users_word_comes_first(monkeypatch):
    end = time.time() + 1000
    monkeypatch.setenv(JOB_END_VARIABLE, str(end))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(end) + 5000))
    assert current_allocation().end_s == end
    assert 1000 - 120 - 5 < time_left_s() <= 1000 - 120


def test_slurm_says_it_in_the_environment(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_START_TIME", "1000")
    monkeypatch.setenv("SLURM_JOB_END_TIME", "4600")
    assert current_allocation() == Allocation(end_s=4600.0, start_s=1000.0)


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("JobId=7 JobName=x TimeLimit=01:00:00 StartTime=1000 EndTime=4600 Deadline=N/A\n", 0, (4600.0, 1000.0)),
        ("JobId=7 JobName=x TimeLimit=UNLIMITED StartTime=1000 EndTime=Unknown\n", 0, None),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", 1, None),
        ("", 0, None),
    ],
)
def test_scontrol_is_asked_and_its_answer_remembered(tmp_path, monkeypatch, text, status, expected):
    folder = program(tmp_path / "bin", "scontrol", text, status)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    found = [current_allocation() for _ in range(3)]
    assert found == [None if expected is None else Allocation(*expected)] * 3
    n_calls = len((folder / "scontrol.calls").read_text().splitlines())
    assert n_calls == (3 if expected is None else 1), "a queue that did not answer is asked again"


def test_pbs_is_asked(tmp_path, monkeypatch):
    started = time.time() - 600
    stime = time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(started))
    text = (
        "Job Id: 12.head\n    Job_Name = md\n    resources_used.walltime = 00:10:00\n"
        f"    Resource_List.walltime = 24:00:00\n    stime = {stime}\n"
    )
    folder = program(tmp_path / "bin", "qstat", text)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PBS_JOBID", "12.head")
    assert current_allocation().end_s == pytest.approx(started + 86_400, abs=1.0)
    assert current_allocation().length_s == 86_400


def test_pbs_without_qstat(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PBS_JOBID", "12.head")
    assert current_allocation() is None
    monkeypatch.setenv("PBS_WALLTIME", "3600")
    assert current_allocation().length_s == pytest.approx(3600)
    assert current_allocation().end_s <= walltime.process_start_s() + 3600


@pytest.mark.parametrize("name", [JOB_END_VARIABLE, STOP_MARGIN_VARIABLE])
@pytest.mark.parametrize("text", ["tomorrow", "-5", "nan"])
def test_a_wrong_setting_is_told(monkeypatch, name, text):
    monkeypatch.setenv(JOB_END_VARIABLE, str(time.time() + 1000))
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingsError, match=rf"^{name}=.* is no number of seconds"):
        time_left_s()


def test_the_margin(monkeypatch):
    day = Allocation(end_s=86_400.0, start_s=0.0)
    assert stop_margin_s(day) == 120.0
    assert stop_margin_s(Allocation(end_s=60.0, start_s=0.0)) == 15.0
    monkeypatch.setenv(STOP_MARGIN_VARIABLE, "300")
    assert stop_margin_s(day) == 300.0
    monkeypatch.setenv(STOP_MARGIN_VARIABLE, "0")
    assert stop_margin_s(day) == 0.0


# -- what a trajectory does ------------------------------------------------------------------------------------


def store():
    return JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})


def ends_in(monkeypatch, seconds, margin_s=0.0):
    monkeypatch.setenv(JOB_END_VARIABLE, str(time.time() + seconds))
    monkeypatch.setenv(STOP_MARGIN_VARIABLE, str(margin_s))


def test_dynamics_stops_before_the_allocation_ends(cosine_system, candidate, tmp_path, monkeypatch):
    """As partial; the continuation is not begun in the same process, and repeats nothing in the next."""
    maker = md_maker(cosine_system, tmp_path / "t", 1000.0)
    job = maker.make(candidate, 1000.0)
    results = store()
    ends_in(monkeypatch, 1000.0)
    let_steps_take(monkeypatch, 2.0)
    with pytest.raises(KeyboardInterrupt, match="continues from its checkpoints"):
        run_locally(Flow([job]), store=results, root_dir=tmp_path, log=False)
    assert stop_request.stop_was_requested()
    partial = results.get_output(job.uuid, load=True)["run"]
    assert (partial["state"], partial["stop_reason"]) == ("partial", "walltime")
    assert partial["completed_ps"] > 0

    stop_request._stop_was_requested = False
    monkeypatch.delenv(JOB_END_VARIABLE)
    length_ps = partial["completed_ps"] + 2.0
    short = md_maker(cosine_system, tmp_path / "t", length_ps)
    document = MdMaker.make.original(short, candidate, 1000.0)
    assert document.run.key == partial["key"], "the end of the allocation is no part of what a trajectory is"
    assert document.run.resumed_from_step * 4e-3 == pytest.approx(partial["completed_ps"])
    whole = MdMaker.make.original(md_maker(cosine_system, tmp_path / "whole", length_ps), candidate, 1000.0)
    assert (Trajectory(document.run.folder).positions() == Trajectory(whole.run.folder).positions()).all()


def test_nothing_begins_in_the_margin(cosine_system, candidate, tmp_path, monkeypatch):
    """No continuation of zero steps follows another."""
    ends_in(monkeypatch, 50.0, margin_s=100.0)
    monkeypatch.setenv("SLURM_JOB_START_TIME", str(time.time() - 3600))
    maker = md_maker(cosine_system, tmp_path / "t", 4.0)
    results = store()
    for words in ("for the next one", "was stopped"):
        with pytest.raises(stop_request.LeaveProcess, match=words):
            run_locally(Flow([maker.make(candidate, 1000.0)]), store=results, root_dir=tmp_path, log=False)
    assert stop_request.stop_was_requested()
    assert results.count() == 0
    assert not (tmp_path / "t").exists()


def test_a_shorter_limit_of_the_users_stays(cosine_system, candidate, tmp_path, monkeypatch):
    """A limit of the run's own replaces the job in this process, as ever."""
    ends_in(monkeypatch, 10_000.0)
    let_steps_take(monkeypatch, 0.001)
    maker = md_maker(cosine_system, tmp_path / "t", 8.0, max_runtime_s=0.8)
    job = maker.make(candidate, 1000.0)
    results = store()
    responses = run_locally(Flow([job]), store=results, root_dir=tmp_path, log=False)[job.uuid]
    assert len(responses) > 1
    assert not stop_request.stop_was_requested()


def test_an_allocation_too_short_for_a_step_is_told(cosine_system, candidate, tmp_path, monkeypatch):
    """A job that had the whole allocation and came to no step would come back for ever."""
    ends_in(monkeypatch, 1e-3)
    monkeypatch.setenv("SLURM_JOB_START_TIME", str(time.time()))
    monkeypatch.setattr(stop_request, "time_left_s", lambda: 1e-3)
    with pytest.raises(ProtocolError, match="ask the queue for a longer time limit"):
        MdMaker.make.original(md_maker(cosine_system, tmp_path / "t", 4.0), candidate, 1000.0)
