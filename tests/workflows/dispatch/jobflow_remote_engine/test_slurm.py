"""The engine on a real Slurm: packed and single allocations, kills, scancel, cancel, numbers that mean another job."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mongo_server import database_on
from support.slurm_cluster import SlurmCluster

pytest.importorskip("jobflow_remote")
sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import PROBE, RemoteBench, remote_bench

STAGES = [{"stage": "validate"}, PROBE | {"duration_ps": 50.0, "minimum_ps": 49.0, "segment_ps": 2.0}]


@pytest.fixture
def bench(tmp_path: Path, mongo_server: str, slurm_cluster: SlurmCluster) -> Iterator[RemoteBench]:
    # The queue tells folders without their links, as on clusters whose disks have short names for people.
    (tmp_path / "disk").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "disk")
    changes = {"work_folder": str(tmp_path / "linked" / "work")}
    with (
        database_on(mongo_server) as store,
        remote_bench(tmp_path, store, "slurm", stages=STAGES, profile_changes=changes) as made,
    ):
        yield made


def start_dynamics(bench: RemoteBench, n_segments: int = 2):
    """Submit a unit, start a runner, and wait until its trajectory has some segments; give ticket and job."""
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    bench.start_runner()
    return ticket, wait_for_dynamics(bench, ticket.stage_key, n_segments)


def wait_for_dynamics(bench: RemoteBench, key: str, n_segments: int = 2):
    units = bench.wait(lambda units: any(job.name.startswith("probe") for job in units[key].running))
    deadline = time.monotonic() + 400.0
    while len(segments(bench)) < n_segments:
        assert time.monotonic() < deadline, bench.words()
        time.sleep(0.1)
    return units[key].running[0]


def segments(bench: RemoteBench) -> list[Path]:
    """Files of frames of the one trajectory."""
    return sorted(Path(bench.engine.checkpoint_root).glob("*/segment-*.h5md"))


@pytest.mark.slow
def test_scancel_brings_a_continuation_on_the_same_worker_and_cancel_stops_until_retry(
    bench: RemoteBench, slurm_cluster: SlurmCluster
) -> None:
    ticket, dynamics = start_dynamics(bench)
    key = ticket.stage_key
    slurm_cluster.scancel(dynamics.queue_id)
    bench.wait(lambda units: any(job["index"] == 2 and job["state"] == "RUNNING" for job in bench.jobs()))
    first, second = sorted(bench.jobs(uuid=dynamics.uuid), key=lambda job: job["index"])
    assert first["state"] == "COMPLETED"
    assert second["worker"] == first["worker"]
    assert second["run_dir"] != first["run_dir"]
    assert bench.engine.cancel("lattice", [key]) == 1
    assert bench.standing()[key].phase == "cancelled"
    number = second["remote"]["process_id"]
    slurm_cluster.wait_for_state(number, ["CANCELLED", "COMPLETED", "FAILED"])
    # Nothing brings it back but a retry.
    assert bench.engine.recover("lattice").put_back == ()
    time.sleep(3.0)
    assert bench.standing()[key].phase == "cancelled"
    assert bench.engine.retry("lattice", [key]) == 1
    bench.wait_for_phase("finished")
    assert bench.document(key).state == "completed"


def test_a_number_that_slurm_gave_to_another_job_proves_nothing(
    bench: RemoteBench, slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    _, dynamics = start_dynamics(bench, n_segments=1)
    assert bench.engine.recover("lattice").put_back == ()
    stranger = slurm_cluster.sbatch("sleep 600", folder=tmp_path)
    bench.runners[0].kill()
    slurm_cluster.scancel(dynamics.queue_id)
    slurm_cluster.wait_for_state(stranger, "RUNNING")
    bench.engine.controller.jobs.update_one(
        {"uuid": dynamics.uuid}, {"$set": {"remote.process_id": stranger, "state": "RUNNING"}}
    )
    report = bench.engine.recover("lattice")
    assert any("another job" in name for name in report.put_back), report
    assert bench.jobs(uuid=dynamics.uuid)[0]["state"] == "READY"
    assert slurm_cluster.job_state(stranger) == "RUNNING"


@pytest.mark.slow
def test_packed_dynamics_lives_through_a_kill_and_the_loss_of_its_allocation(
    tmp_path: Path, mongo_server: str, slurm_cluster: SlurmCluster
) -> None:
    packing = {"jobs_at_a_time": 2, "allocations": 1, "idle_s": 40}
    changes = {"packing": dict.fromkeys(("relax", "md", "analysis"), packing)}
    with (
        database_on(mongo_server) as store,
        remote_bench(tmp_path, store, "slurm", stages=STAGES, profile_changes=changes) as bench,
    ):
        units = [bench.unit(1), bench.unit(2)]
        bench.engine.submit(units)
        bench.start_runner()
        bench.wait(lambda found: all(any(j.name.startswith("probe") for j in u.running) for u in found.values()))
        running = [unit.running[0] for unit in bench.standing().values()]
        assert len({job.queue_id for job in running}) == 1
        bench.wait(lambda _: len(segments(bench)) >= 3)
        # One process dies, as for want of memory; then the allocation goes, with the other one.
        bench.job_process_of(running[0].uuid).kill()
        slurm_cluster.scancel(running[0].queue_id)
        # The other one may write its continuation in time, or be found with its allocation gone.
        bench.wait(lambda _: bench.jobs(uuid=running[0].uuid)[0]["state"] == "REMOTE_ERROR")
        assert bench.standing().keys() == {ticket.stage_key for ticket, _ in units}
        assert {unit.phase for unit in bench.standing().values()} <= {"queued", "running"}
        assert any(name.startswith("probe") for name in bench.recover_until("finished"))
        for ticket, _ in units:
            assert bench.document(ticket.stage_key).state == "completed"
