"""What the engine does to the queue's database, without any runner."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from pymongo import monitoring
from superion.errors import SettingsError
from superion.workflows.clusters.find import load_cluster
from superion.workflows.clusters.profile import PackingByKind
from superion.workflows.dispatch.jobflow_remote_engine.project_file import (
    describe_project,
    describe_worker,
    projects_folder,
    write_project,
)
from superion.workflows.dispatch.jobflow_remote_engine.settings import JobflowRemoteDispatch
from superion.workflows.dispatch.queue_engine import QueueEngine
from support.mongo_server import database_on

pytest.importorskip("jobflow_remote")
sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import PROJECT, RemoteBench, remote_bench


@pytest.fixture(scope="module")
def module_bench(tmp_path_factory: pytest.TempPathFactory, mongo_server: str) -> Iterator[RemoteBench]:
    with (
        database_on(mongo_server) as store,
        remote_bench(tmp_path_factory.mktemp("bench"), store, "shell") as made,
    ):
        yield made


@pytest.fixture
def bench(module_bench: RemoteBench) -> RemoteBench:
    module_bench.engine.controller.jobs.delete_many({})
    module_bench.engine.controller.flows.delete_many({})
    module_bench.set_campaign("lattice")
    return module_bench


def set_states(bench: RemoteBench, **states: str) -> None:
    """Set the states of jobs by the first word of their names."""
    for word, state in states.items():
        bench.engine.controller.jobs.update_many({"job.name": {"$regex": f"^{word}"}}, {"$set": {"state": state}})


def states(bench: RemoteBench) -> dict[str, str]:
    return {job["job"]["name"].split()[0]: job["state"] for job in bench.jobs()}


def test_the_engine_is_one(bench: RemoteBench) -> None:
    assert isinstance(bench.engine, QueueEngine)


def test_a_unit_is_submitted_once_whoever_submits(bench: RemoteBench) -> None:
    units = [bench.unit(1), bench.unit(2)]
    assert len(bench.engine.submit(units)) == 2
    assert bench.engine.submit([bench.unit(1), bench.unit(2), bench.unit(3)]) == [bench.unit(3)[0].stage_key]
    other = bench.new_engine()
    assert other.submit([bench.unit(2)]) == []
    other.close()
    assert len(bench.standing()) == 3
    assert len(bench.jobs()) == 12
    assert len({job["db_id"] for job in bench.jobs()}) == 12


def test_jobs_go_to_the_worker_of_their_kind(bench: RemoteBench) -> None:
    bench.engine.submit([bench.unit(1)])
    workers = {job["job"]["name"].split()[0]: job["worker"] for job in bench.jobs()}
    assert workers["probe"] == "bench_cluster_md"
    assert workers["diffusion"] == "bench_cluster_analysis"


def test_a_unit_that_two_campaigns_want_stays_when_one_lets_go(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    bench.set_campaign("other")
    second, flow = bench.unit(1)
    assert second.stage_key == ticket.stage_key
    assert bench.engine.submit([(second, flow)]) == []
    assert bench.engine.cancel("lattice") == 1
    assert bench.engine.units("lattice") == {}
    assert bench.engine.units("other")[ticket.stage_key].phase == "queued"
    assert bench.engine.cancel("other") == 1
    assert bench.engine.units("other")[ticket.stage_key].phase == "cancelled"


def test_pause_and_resume(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    before = states(bench)
    assert bench.engine.pause("lattice") == 1
    assert set(states(bench).values()) == {"PAUSED"}
    assert bench.standing()[ticket.stage_key].phase == "paused"
    assert bench.engine.controller.flows.find_one()["state"] == "PAUSED"
    assert bench.engine.resume("lattice") == 1
    assert states(bench) == before
    assert bench.standing()[ticket.stage_key].phase == "queued"
    assert bench.engine.resume("lattice") == 0


def test_pause_holds_what_the_runner_has_prepared(tmp_path: Path, mongo_server: str) -> None:
    from jobflow_remote.jobs.batch import RemoteBatchManager

    with database_on(mongo_server) as store, remote_bench(tmp_path, store, "slurm") as bench:
        ticket, flow = bench.unit(1)
        bench.engine.submit([(ticket, flow)])
        supercell = bench.jobs(**{"job.name": "supercell"})[0]
        worker, hosts = supercell["worker"], bench.engine.hosts
        manager = RemoteBatchManager(hosts.of(worker), hosts.batch_of(worker).jobs_handle_dir)
        manager.submit_job(supercell["uuid"], supercell["index"])
        prepared = {"supercell": "BATCH_SUBMITTED", "probe": "UPLOADED"}
        set_states(bench, **prepared)
        assert bench.engine.pause("lattice") == 1
        assert manager.get_submitted() == []
        assert set(states(bench).values()) == {"PAUSED"}
        assert bench.engine.resume("lattice") == 1
        assert states(bench)["supercell"] == "READY"
        # An allocation has taken it meanwhile: it goes on.
        set_states(bench, **prepared)
        bench.engine.pause("lattice")
        assert states(bench)["supercell"] == "BATCH_SUBMITTED"
        assert states(bench)["probe"] == "PAUSED"


def test_trouble_of_the_runner_is_no_death(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    trouble = {
        "state": "REMOTE_ERROR",
        "previous_state": "UPLOADED",
        "remote.error": "Remote error: submission failed. Unable to contact slurm controller",
    }
    for _ in range(8):
        bench.engine.controller.jobs.update_many({"job.name": {"$regex": "^probe"}}, {"$set": trouble})
        report = bench.engine.recover("lattice")
        assert report.put_back == ()
        assert "did not get through (submission failed. Unable to contact slurm controller)" in report.left[0]
        assert states(bench)["probe"] == "UPLOADED"
    death = {
        "state": "REMOTE_ERROR",
        "previous_state": "RUNNING",
        "remote.error": "x.json was likely killed before completing",
    }
    bench.engine.controller.jobs.update_many({"job.name": {"$regex": "^probe"}}, {"$set": death})
    assert len(bench.engine.recover("lattice").put_back) == 1


def test_cancel_and_retry(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    set_states(bench, supercell="COMPLETED", probe="READY")
    assert bench.engine.cancel("lattice", []) == 0
    assert bench.engine.cancel("lattice", [ticket.stage_key]) == 1
    assert bench.standing()[ticket.stage_key].phase == "cancelled"
    assert bench.engine.resume("lattice") == 0
    assert bench.engine.retry("lattice", [ticket.stage_key]) == 1
    assert states(bench) == {"supercell": "COMPLETED", "probe": "READY", "diffusion": "WAITING", "judge": "WAITING"}


def test_a_job_that_waits_for_a_failure_does_not_hold_the_last_one_up(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    # As if a job that needs all its inputs stood between the failure and a last job that has another input.
    set_states(bench, supercell="COMPLETED", probe="FAILED")
    supercell = bench.jobs(**{"job.name": "supercell"})[0]["uuid"]
    bench.engine.controller.jobs.update_many({"job.name": "judge probe"}, {"$push": {"parents": supercell}})
    bench.engine.controller.jobs.update_many(
        {"job.name": "diffusion"}, {"$set": {"job.config.on_missing_references": "error"}}
    )
    bench.engine.controller.jobs.update_many({"job.name": {"$regex": "^probe"}}, {"$set": {"error": "boom"}})
    assert bench.standing()[ticket.stage_key].phase == "queued"
    bench.engine.recover("lattice")
    assert states(bench) == {"supercell": "COMPLETED", "probe": "FAILED", "diffusion": "FAILED", "judge": "READY"}


def test_a_job_that_dies_is_put_back_five_times(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    death = {
        "state": "REMOTE_ERROR",
        "previous_state": "DOWNLOADED",
        "remote.error": "Remote error: Traceback (most recent call last):\n\njson.JSONDecodeError: Expecting value",
        "remote.queue_err": "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 12:00 DUE TO TIME LIMIT ***",
    }
    for _ in range(5):
        bench.engine.controller.jobs.update_many({"job.name": {"$regex": "^probe"}}, {"$set": death})
        assert bench.standing()[ticket.stage_key].phase == "queued"
        assert len(bench.engine.recover("lattice").put_back) == 1
        assert states(bench)["probe"] == "READY"
    bench.engine.controller.jobs.update_many({"job.name": {"$regex": "^probe"}}, {"$set": death})
    report = bench.engine.recover("lattice")
    assert report.put_back == ()
    assert "given up" in report.left[0]
    # What takes missing inputs goes on without it.
    assert states(bench) == {"supercell": "READY", "probe": "FAILED", "diffusion": "WAITING", "judge": "WAITING"}
    set_states(bench, supercell="COMPLETED", diffusion="FAILED")
    unit = bench.standing()[ticket.stage_key]
    assert unit.phase == "failed"
    assert "died 6 times" in unit.reason
    assert "DUE TO TIME LIMIT" in unit.reason
    # Whoever says retry gives it five more.
    assert bench.engine.retry("lattice", [ticket.stage_key]) == 1
    assert states(bench)["probe"] == "READY"
    bench.engine.controller.jobs.update_many({"job.name": {"$regex": "^probe"}}, {"$set": death})
    assert bench.standing()[ticket.stage_key].phase == "queued"


@pytest.mark.parametrize("written", [{}, {"state": "READY"}], ids=["no job", "some jobs"])
def test_a_flow_whose_submitter_died_in_between_is_submitted_again(bench: RemoteBench, written: dict) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    bench.engine.controller.jobs.delete_many({"state": {"$ne": written["state"]}} if written else {})
    assert len(bench.jobs()) == len(written)
    assert bench.engine.recover("lattice").put_back == ()
    bench.engine.controller.flows.update_many({}, {"$set": {"created_on": datetime.now(UTC) - timedelta(minutes=2)}})
    assert len(bench.engine.recover("lattice").put_back) == 1
    assert bench.jobs() == []
    assert bench.engine.submit([bench.unit(1)]) == [ticket.stage_key]


def test_a_job_that_a_dying_runner_named_twice_is_not_missing(bench: RemoteBench) -> None:
    bench.engine.submit([bench.unit(1)])
    flows, n_jobs = bench.engine.controller.flows, len(bench.jobs())
    number, uuid, index = flows.find_one({})["ids"][0]
    then = datetime.now(UTC) - timedelta(minutes=2)
    flows.update_many({}, {"$push": {"ids": [f"{number}0", uuid, index]}, "$set": {"created_on": then}})
    assert bench.engine.recover("lattice").put_back == ()
    assert len(bench.jobs()) == n_jobs


def test_locks_of_a_dead_runner_are_taken_away(bench: RemoteBench) -> None:
    bench.engine.submit([bench.unit(1)])
    for age_s, left in ((10.0, 5), (100.0, 0)):
        then = datetime.now(UTC) - timedelta(seconds=age_s)
        for collection in (bench.engine.controller.jobs, bench.engine.controller.flows):
            collection.update_many({}, {"$set": {"lock_id": "dead", "lock_time": then}})
        bench.engine.recover("lattice")
        counts = [
            collection.count_documents({"lock_id": "dead"})
            for collection in (bench.engine.controller.jobs, bench.engine.controller.flows)
        ]
        assert sum(counts) == left


def test_states_of_many_units_take_two_round_trips(bench: RemoteBench) -> None:
    trips: list[str] = []

    class Counter(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            trips.append(event.command_name)

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
            pass

        def failed(self, event: monitoring.CommandFailedEvent) -> None:
            pass

    units = [bench.unit(seed) for seed in range(30)]
    monitoring.register(Counter())
    counted = bench.new_engine()
    try:
        trips.clear()
        counted.submit(units)
        assert len(trips) <= 6, trips
        trips.clear()
        assert len(counted.units("lattice")) == 30
        assert len([name for name in trips if name == "find"]) == 2
        assert set(trips) <= {"find", "getMore"}
    finally:
        counted.close()
        monitoring._LISTENERS.command_listeners.pop()


def test_a_project_file_is_private_and_can_do_without_the_password(bench: RemoteBench, tmp_path: Path) -> None:
    profile = load_cluster(str(bench.cluster))
    path = write_project("mine", str(bench.cluster), profile, bench.store, folder=tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(SettingsError, match="already"):
        write_project("mine", str(bench.cluster), profile, bench.store, folder=tmp_path)
    secret = "mongodb://ann:s3cret@127.0.0.1:1/superion"
    from jobflow import JobStore
    from superion.database.mongo_server import GridFileStore, MongoServerStore

    jobs = JobStore(MongoServerStore(secret, "outputs"), additional_stores={"data": GridFileStore(secret, "blobs")})
    without = yaml.safe_dump(describe_project("p", "c", profile, jobs, folder=tmp_path))
    assert "s3cret" not in without
    full = describe_project("p", "c", profile, jobs, folder=tmp_path, address=secret)
    assert full["queue"]["store"]["uri"] == secret
    assert full["jobstore"]["additional_stores"]["data"]["uri"] == secret
    assert "s3cret" not in yaml.safe_dump(full["workers"])


@pytest.mark.parametrize(
    ("packing", "batched"),
    [
        ({"jobs_at_a_time": 1}, False),
        ({"jobs_at_a_time": 1, "shared": True}, True),
        ({"jobs_at_a_time": 2}, True),
    ],
)
def test_short_dynamics_may_share_allocations_one_after_the_other(bench: RemoteBench, packing, batched) -> None:
    profile = load_cluster(str(bench.cluster)).model_copy(update={"scheduler": "slurm"})
    packed = PackingByKind.model_validate({"md": packing})
    worker = describe_worker("c", profile.model_copy(update={"packing": packed}), "md")
    assert ("batch" in worker) == batched
    if batched:
        assert worker["batch"]["parallel_jobs"] == packing["jobs_at_a_time"]


def test_wrong_settings_get_one_sentence(bench: RemoteBench, tmp_path: Path) -> None:
    settings = JobflowRemoteDispatch(cluster=str(bench.cluster), project="nowhere")
    with pytest.raises(SettingsError, match="no jobflow-remote project nowhere"):
        settings.open_engine(bench.collections)
    broken = bench.folder / "projects" / "broken.yaml"
    content = yaml.safe_load((bench.folder / "projects" / f"{PROJECT}.yaml").read_text()) | {"name": "broken"}
    content["jobstore"]["docs_store"]["uri"] = "mongodb://127.0.0.1:1"
    broken.write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError, match="jobstore") as told:
        JobflowRemoteDispatch(cluster=str(bench.cluster), project="broken").open_engine(bench.collections)
    assert "\n" not in str(told.value)
    with pytest.raises(SettingsError, match="MongoDB server"):
        write_project("embedded", str(bench.cluster), load_cluster(str(bench.cluster)), str(tmp_path / "results.db"))


def test_resources_of_a_campaign_reach_the_queue_where_jobs_have_allocations_of_their_own(
    bench: RemoteBench, tmp_path: Path
) -> None:
    profile = yaml.safe_load(bench.cluster.read_text()) | {"scheduler": "slurm"}
    cluster = tmp_path / "resources_cluster.yaml"
    cluster.write_text(yaml.safe_dump(profile))
    write_project("resources", str(cluster), load_cluster(str(cluster)), bench.store, folder=projects_folder())
    wanted = {"cluster": str(cluster), "project": "resources"}
    settings = JobflowRemoteDispatch.model_validate(wanted | {"resources": {"md": {"time_limit": "00:20:00"}}})
    engine = settings.open_engine(bench.collections)
    try:
        engine.submit([bench.unit(1)])
        jobs = {job["job"]["name"].split()[0]: job for job in engine.controller.jobs.find()}
    finally:
        engine.close()
    assert jobs["probe"]["worker"] == "resources_cluster_md"
    assert jobs["probe"]["resources"]["time"] == "0-0:20:0"
    assert jobs["diffusion"]["resources"] is None
    settings = JobflowRemoteDispatch.model_validate(wanted | {"resources": {"relax": {"cores": 3}}})
    with pytest.raises(SettingsError, match="share allocations"):
        settings.open_engine(bench.collections)


def test_check_tells_what_is_missing(bench: RemoteBench) -> None:
    (bench.folder / "projects" / f"{PROJECT}.yaml").chmod(0o644)
    try:
        findings = {finding.subject: finding for finding in bench.engine.check()}
    finally:
        (bench.folder / "projects" / f"{PROJECT}.yaml").chmod(0o600)
    assert findings["project file"].state == "error"
    assert "chmod 600" in findings["project file"].message
    assert findings["runner"].state == "warning"
    assert findings["job store"].state == "ok"
    assert findings["python of bench_cluster_md"].state == "ok"
