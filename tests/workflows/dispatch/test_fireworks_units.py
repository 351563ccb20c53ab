"""Units on a launchpad, without any queue: handed over once, parked, shared between campaigns, found when stuck."""

from __future__ import annotations

import math
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jobflow
import psutil
import pytest
from bson import ObjectId
from fireworks import FWAction, FWorker
from jobflow import Flow, Job
from pymongo.errors import BulkWriteError
from superion.database.campaigns import CampaignCollections
from superion.workflows.dispatch.fireworks_engine.claims import CLAIMS, LEASE_S, claim_units
from superion.workflows.dispatch.fireworks_engine.engine import FireworksEngine
from superion.workflows.dispatch.fireworks_engine.halves import SETTLING_S, find_halves, remove_halves
from superion.workflows.dispatch.fireworks_engine.lost_jobs import MAXIMUM_DEATHS, give_back, put_back_launches
from superion.workflows.dispatch.fireworks_engine.marks import category_of
from superion.workflows.dispatch.fireworks_engine.settings import FireworksDispatch
from superion.workflows.dispatch.fireworks_engine.stale_locks import STALE_S
from superion.workflows.dispatch.fireworks_engine.submit import add_workflows, unit_workflow
from superion.workflows.dispatch.queue_engine import QueueEngine, UnitTicket

sys.path.append(str(Path(__file__).parents[1] / "campaign" / "support"))
from cluster_campaign import write_profile


@pytest.fixture
def engine(tmp_path, database):
    """An engine on a database of its own, for processes without a queue."""
    with CampaignCollections.open(database) as collections:
        settings = FireworksDispatch(engine="fireworks", cluster=str(write_profile(tmp_path, "shell")))
        engine = FireworksEngine(settings, collections)
        yield engine
        engine.close()


@jobflow.job
def add(a, b):
    """Add two numbers."""
    return a + b


def unit(key: str, campaign: str = "one"):
    """A unit of two jobs."""
    first = add(1, 2)
    second = add(first.output, 3)
    return UnitTicket(campaign, key, "sums", f"candidate-{key}", key), Flow([first, second], second.output, name=key)


def startable(engine: FireworksEngine) -> int:
    """Jobs that a pilot for analyses would take now."""
    category = category_of(engine.cluster, "analysis")
    query = FWorker(name=category, category=[category]).query
    return engine.launchpad.fireworks.count_documents({**query, "state": "READY"})


def test_it_is_an_engine(engine):
    assert isinstance(engine, QueueEngine)


def test_a_unit_is_handed_over_once(engine):
    assert sorted(engine.submit([unit("a"), unit("b")])) == ["a", "b"]
    assert engine.submit([unit("a"), unit("b"), unit("c")]) == ["c"]
    assert {key: (found.phase, found.n_jobs) for key, found in engine.units("one").items()} == dict.fromkeys(
        "abc", ("queued", 2)
    )


def test_a_claim_whose_coordinator_died_is_free_again(engine):
    claims = engine.launchpad.db[CLAIMS]
    assert claim_units(claims, ["a"], known=[]) == ["a"]
    assert claim_units(claims, ["a", "b"], known=[]) == ["b"]
    old = datetime.now(UTC) - timedelta(seconds=LEASE_S + 1)
    claims.update_one({"_id": "a"}, {"$set": {"claimed_at": old}})
    assert claim_units(claims, ["a", "b"], known=[]) == ["a"]


def block_next_job(engine: FireworksEngine) -> None:
    """Let the server refuse the next job, after it took the workflows: its number is taken."""
    number = engine.launchpad.fw_id_assigner.find_one({})["next_fw_id"]
    engine.launchpad.fireworks.insert_one({"fw_id": number, "state": "WAITING", "spec": {}})


def test_a_hand_over_that_fails_between_workflows_and_jobs_leaves_nothing(engine):
    engine.submit([unit("a")])
    block_next_job(engine)
    with pytest.raises(BulkWriteError):
        engine.submit([unit("a"), unit("b"), unit("c")])
    assert set(engine.units("one")) == {"a"}
    assert sorted(engine.submit([unit("a"), unit("b"), unit("c")])) == ["b", "c"]
    assert startable(engine) == 3


def test_units_of_a_coordinator_that_died_between_workflows_and_jobs_are_handed_over_again(engine):
    engine.submit([unit("a")])
    launchpad = engine.launchpad
    claim_units(launchpad.db[CLAIMS], ["b", "c"], known=[])
    block_next_job(engine)
    with pytest.raises(BulkWriteError):
        add_workflows(launchpad, [unit_workflow(*unit(key), engine.collections.jobs, engine.cluster) for key in "bc"])
    assert {key: found.phase for key, found in engine.units("one").items()} == dict.fromkeys("abc", "queued")
    # The jobs may be under way.
    assert engine.recover("one").left == ()
    assert set(engine.units("one")) == {"a", "b", "c"}
    for n, workflow in enumerate(list(launchpad.workflows.find({"metadata.superion.stage_key": {"$ne": "a"}}))):
        launchpad.workflows.delete_one({"_id": workflow["_id"]})
        then = datetime.now(UTC) - timedelta(seconds=SETTLING_S + 2 - n)
        launchpad.workflows.insert_one({**workflow, "_id": ObjectId.from_datetime(then)})
    assert [words.split()[0] for words in engine.recover("one").left] == ["b", "c"]
    assert set(engine.units("one")) == {"a"}
    assert sorted(engine.submit([unit("a"), unit("b"), unit("c")])) == ["b", "c"]
    assert startable(engine) == 3


def test_a_half_that_a_worker_has_in_hand_is_left_until_it_is_lost(engine):
    engine.submit([unit("a")])
    launchpad = engine.launchpad
    category = category_of(engine.cluster, "analysis")
    launchpad.checkout_fw(FWorker(name=category, category=[category]), str(engine.work_folder))
    launchpad.fireworks.delete_one({"state": "WAITING"})
    (half,) = find_halves(launchpad, launchpad.workflows.find({}))
    assert remove_halves(launchpad, [half], settling_s=0.0) == []
    assert launchpad.workflows.count_documents({}) == launchpad.fireworks.count_documents({}) == 1
    assert remove_halves(launchpad, [half], settling_s=0.0, is_lost=lambda launch: True) == ["a"]
    assert launchpad.workflows.count_documents({}) == launchpad.fireworks.count_documents({}) == 0


def test_parked_units_wait_and_others_go_on(engine):
    engine.submit([unit("a"), unit("b")])
    assert startable(engine) == 2
    assert engine.cancel("one", ["a"]) == 1
    assert startable(engine) == 1
    assert engine.pause("one") == 1
    assert startable(engine) == 0
    assert {key: found.phase for key, found in engine.units("one").items()} == {"a": "cancelled", "b": "paused"}
    assert engine.resume("one") == 1
    assert {key: found.phase for key, found in engine.units("one").items()} == {"a": "cancelled", "b": "queued"}
    assert engine.retry("one", ["a"]) == 1
    assert startable(engine) == 2


def test_a_unit_that_another_campaign_cancelled_goes_to_the_one_that_wants_it(engine):
    engine.submit([unit("a"), unit("b")])
    engine.cancel("one")
    assert engine.submit([unit("a", campaign="two")]) == []
    assert {key: found.phase for key, found in engine.units("two").items()} == {"a": "queued"}
    assert {key: found.phase for key, found in engine.units("one").items()} == {"b": "cancelled"}
    assert startable(engine) == 1


def test_a_unit_that_two_campaigns_want_is_one_and_goes_on_for_either(engine):
    engine.submit([unit("a")])
    assert engine.submit([unit("a", campaign="two")]) == []
    assert set(engine.units("one")) == set(engine.units("two")) == {"a"}
    assert engine.launchpad.workflows.count_documents({}) == 1
    assert engine.pause("one") == 0
    assert startable(engine) == 1
    assert engine.cancel("one") == 1
    assert not engine.units("one")
    assert startable(engine) == 1
    assert engine.cancel("two") == 1
    assert startable(engine) == 0


def test_a_mark_that_fireworks_wrote_over_is_no_trap(engine):
    engine.submit([unit("a")])
    engine.pause("one")
    engine.launchpad.workflows.update_many({}, {"$unset": {"metadata.superion.parked": ""}})
    assert startable(engine) == 0
    engine.recover("one")
    assert startable(engine) == 1


def test_a_lock_without_an_owner_is_taken_off_and_another_is_left(engine, monkeypatch):
    engine.submit([unit("a")])
    workflows, launches = engine.launchpad.workflows, engine.launchpad.launches
    # Its worker is killed with the lock in its hands.
    category = category_of(engine.cluster, "analysis")
    taken, _ = engine.launchpad.checkout_fw(FWorker(name=category, category=[category]), "/gone")
    (launch,) = launches.find()
    long_ago = [entry | {"created_on": "2026-01-01T00:00:00", "updated_on": None} for entry in launch["state_history"]]
    launches.update_one({}, {"$set": {"state_history": long_ago}})
    engine.submit([unit("b")])
    workflows.update_many({}, {"$set": {"locked": True}})
    now = [time.time()]
    monkeypatch.setattr("superion.workflows.dispatch.fireworks_engine.stale_locks.time.time", lambda: now[0])
    engine.recover("one")
    assert workflows.count_documents({"locked": True}) == 2
    # One of them is at work.
    workflows.update_one({"metadata.superion.stage_key": "b"}, {"$set": {"updated_on": datetime.now(UTC)}})
    now[0] += STALE_S + 1
    assert len(engine.recover("one").put_back) == 1
    assert engine.launchpad.fireworks.find_one({"fw_id": taken.fw_id})["state"] == "READY"
    assert [workflow["metadata"]["superion"]["stage_key"] for workflow in workflows.find({"locked": True})] == ["b"]


def test_an_error_is_the_reason_of_the_unit_and_what_depends_on_it_does_not_wait(engine, tmp_path, monkeypatch):
    from fireworks.core.rocket_launcher import rapidfire

    wrong = add(1, "one")
    after = add(wrong.output, 3)
    ticket = UnitTicket("one", "a", "sums", "candidate", "a")
    engine.submit([(ticket, Flow([wrong, after], after.output))])
    category = category_of(engine.cluster, "analysis")
    # FireWorks changes the current folder.
    monkeypatch.chdir(tmp_path)
    folder = engine.work_folder / "here"
    folder.mkdir(parents=True)
    worker = FWorker(name=category, category=[category])
    rapidfire(engine.launchpad, worker, m_dir=str(folder), strm_lvl="CRITICAL", nlaunches=2)
    found = engine.units("one")["a"]
    assert (found.phase, found.n_finished) == ("failed", 2)
    assert found.reason == "add: TypeError: unsupported operand type(s) for +: 'int' and 'str'"
    assert [log.state for log in engine.logs("one", "a")] == ["FIZZLED", "FIZZLED"]
    assert "TypeError" in engine.logs("one", "a")[0].text


def test_a_job_whose_trajectory_another_worker_writes_stays_in_hand(engine):
    engine.submit([unit("a")])
    launchpad = engine.launchpad
    category = category_of(engine.cluster, "analysis")
    firework, launch_id = launchpad.checkout_fw(FWorker(name=category, category=[category]), str(engine.work_folder))
    stack = "superion.errors.LockedTrajectoryError: The trajectory in x is being written by process 7."
    launchpad.complete_launch(launch_id, FWAction(stored_data={"_exception": {"_stacktrace": stack}}), "FIZZLED")
    # Handed in as failed, it would have let the job after it start.
    assert engine.units("one")["a"].phase == "running"
    assert startable(engine) == 0
    give_back(launchpad, {"fw_id": firework.fw_id, "launch_id": launch_id})
    assert startable(engine) == 1


def die(engine: FireworksEngine) -> list[int]:
    """Let a worker take a job and die under it; give the jobs that are put back."""
    category = category_of(engine.cluster, "analysis")
    worker = FWorker(name=category, category=[category])
    firework, launch_id = engine.launchpad.checkout_fw(worker, str(engine.work_folder))
    launch = {"fw_id": firework.fw_id, "launch_id": launch_id}
    return put_back_launches(engine.launchpad, [launch], "its pilot was gone without a word")


def test_a_job_whose_workers_die_is_put_back_twice_and_a_retry_gives_it_as_many_lives(engine):
    only = add(1, 2)
    engine.submit([(UnitTicket("one", "a", "sums", "candidate", "a"), Flow([only], only.output))])
    for _ in range(2):
        for _ in range(MAXIMUM_DEATHS - 1):
            assert len(die(engine)) == 1
            assert engine.units("one")["a"].phase == "queued"
        assert die(engine) == []
        found = engine.units("one")["a"]
        assert (found.phase, found.reason) == ("failed", "add: its pilot was gone without a word, 3 times in all")
        assert engine.retry("one", ["a"]) == 1
        assert startable(engine) == 1


def test_what_the_queue_says_of_a_dead_allocation_is_in_the_reason_and_in_the_logs(engine):
    only = add(1, 2)
    engine.submit([(UnitTicket("one", "a", "sums", "candidate", "a"), Flow([only], only.output))])
    launchpad, category = engine.launchpad, category_of(engine.cluster, "analysis")
    pilot = engine.work_folder / "pilots" / "analysis" / "superion-analysis-a1-b2"
    for number in range(7, 7 + MAXIMUM_DEATHS):
        worker = pilot / f"job-{number}" / "worker-0"
        worker.mkdir(parents=True)
        (worker / "log.txt").write_text("12:00:00 job 0: COMPLETED\nloading the potential\n")
        (pilot / f"{pilot.name}-{number}.error").write_text(
            f"slurmstepd: error: Detected 1 oom_kill event in {number}\n"
        )
        folder = str(worker / "launch-1-0001")
        firework, launch_id = launchpad.checkout_fw(FWorker(name=category, category=[category]), folder)
        launch = {"fw_id": firework.fw_id, "launch_id": launch_id, "launch_dir": folder}
        put_back_launches(launchpad, [launch], "its pilot was gone without a word")
        (log,) = engine.logs("one", "a")
        assert log.place.endswith(f":{worker}")
        assert log.text.endswith(f"Detected 1 oom_kill event in {number}")
        if number == 7:
            # Put back, it tells of its last worker.
            assert (log.state, log.text.splitlines()[0]) == ("READY", "loading the potential")
    reason = (
        "add: its pilot was gone without a word, 3 times in all (slurmstepd: error: Detected 1 oom_kill event in 9)"
    )
    assert engine.units("one")["a"].reason == reason


def test_a_job_that_ended_well_has_a_log(engine):
    only = add(1, 2)
    engine.submit([(UnitTicket("one", "a", "sums", "candidate", "a"), Flow([only], only.output))])
    worker = engine.work_folder / "pilots" / "analysis" / "superion-analysis-a1-b2" / "job-7" / "worker-0"
    worker.mkdir(parents=True)
    category = category_of(engine.cluster, "analysis")
    folder = str(worker / "launch-1-0001")
    firework, launch_id = engine.launchpad.checkout_fw(FWorker(name=category, category=[category]), folder)
    engine.launchpad.complete_launch(launch_id, FWAction())
    number = firework.fw_id
    (worker / "log.txt").write_text(f"adding\n12:00:00 job {number}: COMPLETED\nothers\n12:00:01 job 99: COMPLETED\n")
    (log,) = engine.logs("one", "a")
    assert (log.state, log.text) == ("COMPLETED", f"adding\n12:00:00 job {number}: COMPLETED")


def test_a_job_that_is_being_taken_is_not_stuck(engine):
    engine.submit([unit("a")])
    launchpad = engine.launchpad
    # What a look sees between a worker's two writes.
    launchpad.fireworks.update_one(
        {"state": "READY"}, {"$set": {"state": "RUNNING", "updated_on": datetime.now(UTC).isoformat()}}
    )
    engine.recover("one")
    assert startable(engine) == 0


def test_processes_inside_an_allocation_count_as_processes(engine, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "424242")
    monkeypatch.setenv("SUPERION_STORE", "mongodb://127.0.0.1:1/another")
    whole = Job(math.floor, function_args=(2.5,))
    engine.submit([(UnitTicket("one", "a", "sums", "candidate", "a"), Flow([whole], whole.output))])
    assert engine.feed("one").n_new == 1
    assert engine.feed("one").n_new == 0
    (pilot,) = engine._pilots()
    assert psutil.pid_exists(int(pilot.queue_id))
    try:
        deadline = time.monotonic() + 400.0
        while engine.units("one")["a"].phase != "finished":
            assert time.monotonic() < deadline, engine.units("one")
            time.sleep(0.3)
        assert engine._pilots() == [pilot]
    finally:
        psutil.Process(int(pilot.queue_id)).terminate()
