"""A node's daemon dies, and Slurm gives up a job that goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mongo_server import database_on
from support.slurm_cluster import SlurmCluster

pytest.importorskip("jobflow_remote")
sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import PROBE, RemoteBench, remote_bench

STAGES = [{"stage": "validate"}, PROBE | {"duration_ps": 50.0, "minimum_ps": 49.0, "segment_ps": 2.0}]
SLURM_REQUEUES_AFTER_S = 125.0
"""Slurm lets its credentials run out before it starts a job once more."""


@pytest.fixture
def bench(tmp_path: Path, mongo_server: str, slurm_cluster: SlurmCluster) -> Iterator[RemoteBench]:
    with database_on(mongo_server) as store, remote_bench(tmp_path, store, "slurm", stages=STAGES) as made:
        yield made


@pytest.mark.slow
def test_a_job_whose_node_is_given_up_while_its_process_lives_runs_once(
    bench: RemoteBench, slurm_cluster: SlurmCluster
) -> None:
    ticket, flow = bench.unit(1)
    bench.engine.submit([(ticket, flow)])
    bench.start_runner()
    key = ticket.stage_key
    dynamics = bench.wait(lambda units: any(j.name.startswith("probe") for j in units[key].running))[key].running[0]
    job = bench.jobs(uuid=dynamics.uuid)[0]
    bench.wait(lambda _: list(Path(job["run_dir"]).glob("attempt_1")))
    node = next(entry.node for entry in slurm_cluster.squeue() if entry.job_id == dynamics.queue_id)
    slurm_cluster.kill_slurmd(node)
    slurm_cluster.set_node_down(node)
    bench.recover_until("finished", SLURM_REQUEUES_AFTER_S + 120.0)
    assert bench.document(key).state == "completed"
    assert [path.name for path in Path(job["run_dir"]).glob("attempt_*")] == ["attempt_1"]
