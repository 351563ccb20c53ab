"""What may go wrong with a campaign through jobflow-remote: `resume` ends it, with nothing lost or done twice."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.slurm_cluster import QueueEntry, SlurmCluster
from support.wire_server import WireServer

pytest.importorskip("jobflow_remote")
sys.path.append(str(Path(__file__).parent / "support"))
sys.path.append(str(Path(__file__).parents[1] / "dispatch" / "jobflow_remote_engine" / "support"))
from cluster_campaign import findings, segment_stamps, wait_for, write_cluster_campaign
from remote_bench import PROJECT, RemoteBench, remote_bench
from superion.workflows.dispatch.jobflow_remote_engine.runner import look_for_runner
from watched_campaign import LONGEST_S, N_CANDIDATES, WatchedCampaign

SLURM_REQUEUES_AFTER_S = 125.0
"""Slurm lets its credentials run out before it starts a job once more."""

Start = Callable[..., AbstractContextManager[tuple[RemoteBench, WatchedCampaign]]]


@pytest.fixture
def through_jobflow_remote(watched: Callable[..., WatchedCampaign]) -> Start:
    """Start a campaign, and a runner, in a project for a cluster whose profile has these changes."""

    @contextmanager
    def start(
        folder: Path, store: str, *, seconds_per_step: str = "0.03", **profile: Any
    ) -> Iterator[tuple[RemoteBench, WatchedCampaign]]:
        with remote_bench(folder, store, "slurm", profile_changes={"heartbeat_s": 2} | profile) as bench:
            start_runner(bench)
            dispatch = {"engine": "jobflow_remote", "cluster": str(bench.cluster), "project": PROJECT}
            write_cluster_campaign(folder, "jobflow_remote", bench.cluster, N_CANDIDATES, dispatch=dispatch)
            campaign = watched(folder, store, seconds_per_step=seconds_per_step)
            try:
                yield bench, campaign
            finally:
                campaign.leave()

    return start


def start_runner(bench: RemoteBench) -> None:
    """Start a runner, and wait for its first sign of life."""
    bench.start_runner()
    wait_for(lambda: look_for_runner(bench.engine.controller).is_alive, "the runner lives")


def dynamics(bench: RemoteBench, **query: Any) -> list[dict[str, Any]]:
    """Jobs of dynamics, continuations included."""
    return bench.jobs(**{"job.name": {"$regex": "^probe"}}, **query)


def in_slurm(slurm: SlurmCluster, bench: RemoteBench) -> list[QueueEntry]:
    """Entries of the queue that run dynamics."""
    numbers = {job["remote"]["process_id"] for job in dynamics(bench)}
    return [entry for entry in slurm.squeue() if entry.job_id in numbers and entry.state == "RUNNING"]


def attempts(bench: RemoteBench) -> list[int]:
    """How often each job of dynamics was begun."""
    return sorted(sum(1 for _ in Path(job["run_dir"]).glob("attempt_*")) for job in dynamics(bench))


def test_a_killed_job_and_a_killed_runner_and_two_in_its_place(
    tmp_path, through_jobflow_remote, database, slurm_cluster
):
    with through_jobflow_remote(tmp_path, database) as (bench, campaign):
        before = campaign.wait_for_segments()
        victim = in_slurm(slurm_cluster, bench)[0]
        slurm_cluster.kill_job_processes(victim.job_id)
        bench.wait(lambda _: dynamics(bench, state="REMOTE_ERROR"))
        bench.runners[0].kill()
        # Without a runner nothing starts, and the status says so.
        wait_for(campaign.watch.standstills, "the status tells that no runner lives")
        campaign.speed_up()
        # Two at once, as when somebody starts one on each login node.
        start_runner(bench)
        start_runner(bench)
        campaign.resume(before, standstill="runner")
        assert "had lost its worker" in campaign.words()
        assert attempts(bench) == [1, 2]


@pytest.mark.slow
def test_scancel_writes_checkpoints_and_other_jobs_go_on(tmp_path, through_jobflow_remote, database, slurm_cluster):
    with through_jobflow_remote(tmp_path, database) as (bench, campaign):
        before = campaign.wait_for_segments()
        slurm_cluster.scancel(*(entry.job_id for entry in in_slurm(slurm_cluster, bench)))
        # Before that they might be over.
        bench.wait(lambda _: len(dynamics(bench, state="COMPLETED")) == 2)
        campaign.speed_up()
        campaign.resume(before)
        assert sorted(job["index"] for job in dynamics(bench, state="COMPLETED")) == [1, 1, 2, 2]
        assert attempts(bench) == [1, 1, 1, 1]


@pytest.mark.slow
def test_jobs_that_end_at_their_time_limit_are_continued(tmp_path, through_jobflow_remote, database, slurm_cluster):
    limits = {kind: {"cores": 1, "memory_gb": 0.4, "time_limit": "00:10:00"} for kind in ("relax", "analysis")}
    limits["md"] = {"cores": 2, "memory_gb": 0.4, "time_limit": "00:01:00"}
    changes = {"resources": limits, "stop_margin_s": 15, "seconds_per_step": "0.1"}
    with through_jobflow_remote(tmp_path, database, **changes) as (bench, campaign):
        before = campaign.wait_for_segments()
        bench.wait(lambda _: len(dynamics(bench)) >= 3)
        campaign.speed_up()
        campaign.resume(before)
        parts = bench.collections.jobs.query({"name": "probe 1000 K"}, properties=["output.run"])
        reasons = {
            part["output"]["run"]["stop_reason"] for part in parts if part["output"]["run"]["state"] == "partial"
        }
        assert reasons == {"walltime"}
        # No allocation was killed at its limit.
        assert not [job for job in slurm_cluster.squeue(finished=True) if job.state == "TIMEOUT"]


@pytest.mark.slow
def test_a_node_that_dies_with_its_daemon(tmp_path, through_jobflow_remote, database, slurm_cluster):
    with through_jobflow_remote(tmp_path, database) as (bench, campaign):
        before = campaign.wait_for_segments()
        node = in_slurm(slurm_cluster, bench)[0].node
        victims = [entry for entry in in_slurm(slurm_cluster, bench) if entry.node == node]
        slurm_cluster.kill_slurmd(node)
        for entry in victims:
            slurm_cluster.kill_job_processes(entry.job_id)
        slurm_cluster.set_node_down(node)
        campaign.speed_up()
        campaign.resume(before, SLURM_REQUEUES_AFTER_S + 180.0)


@pytest.mark.slow
def test_a_controller_that_dies_with_what_was_submitted(tmp_path, through_jobflow_remote, database, slurm_cluster):
    with through_jobflow_remote(tmp_path, database) as (bench, campaign):
        bench.wait(lambda _: dynamics(bench, state={"$in": ["SUBMITTED", "RUNNING"]}))
        slurm_cluster.kill_slurmctld()
        time.sleep(3.0)
        # Numbers that it had not saved are given once more.
        slurm_cluster.start()
        stranger = slurm_cluster.sbatch("sleep 600", folder=tmp_path)
        campaign.speed_up()
        campaign.resume({})
        assert slurm_cluster.job_state(stranger) == "RUNNING"


@pytest.mark.slow
def test_a_server_that_is_away_for_a_minute(tmp_path, through_jobflow_remote, mongo_server, slurm_cluster):
    server = WireServer(tmp_path / "server")
    server.start()
    try:
        with through_jobflow_remote(tmp_path / "campaign", server.uri) as (bench, campaign):
            before = campaign.wait_for_segments()
            server.kill()
            campaign.speed_up()
            time.sleep(60.0)
            server.start()
            campaign.wait_for_words("does not answer")
            assert [campaign.commands[-1].poll(), bench.runners[0].poll()] == [None, None]
            # After a failure the runner's scheduler rests for two minutes.
            campaign.resume(before, 480.0, server_was_away=True, standstill="rests")
            assert attempts(bench) == [1, 1]
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        ({"setup": ["ulimit -f 32"]}, "free some space"),
        ({"environment": {"OMP_NUM_THREADS": "1"}}, "troubled_calculator"),
    ],
    ids=["full disk", "no potential"],
)
def test_trouble_of_the_workers_is_told_and_a_retry_goes_on(
    tmp_path, through_jobflow_remote, database, slurm_cluster, trouble, word
):
    with through_jobflow_remote(tmp_path, database, **trouble) as (bench, campaign):
        campaign.speed_up()
        assert campaign.commands[-1].wait(LONGEST_S) == 1, campaign.words()
        reasons = [reason for _, reason, _ in findings(tmp_path, database).values()]
        assert [reason for reason in reasons if word not in reason] == []
        bench.runners[0].terminate()
        bench.runners[0].wait()
        slurm_cluster.scancel()
        slurm_cluster.wait_until_idle()
        before = segment_stamps(tmp_path)
        bench.profile_changes = {}
        bench.write_project()
        start_runner(bench)
        assert campaign.start("retry", "lattice", "--failed").wait(LONGEST_S) == 0, campaign.words()
        campaign.resume(before, failure=word)
