"""What may go wrong with a campaign through FireWorks: `resume` ends it, with nothing lost or done twice."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from fireworks import LaunchPad
from support.slurm_cluster import SlurmCluster
from support.wire_server import WireServer

sys.path.append(str(Path(__file__).parent / "support"))
from cluster_campaign import findings, segment_stamps, wait_for, write_cluster_campaign, write_profile
from watched_campaign import LONGEST_S, N_CANDIDATES, WatchedCampaign

ONE_AFTER_ANOTHER = {
    "relax": {"allocations": 1, "idle_s": 10},
    "md": {"jobs_at_a_time": 2, "allocations": 1, "idle_s": 10},
    "analysis": {"allocations": 1, "idle_s": 10},
}
PROBE = {"name": "probe 1000 K"}


@pytest.fixture
def launchpad(database: str) -> LaunchPad:
    """The launchpad beside the store."""
    return LaunchPad(host=database, name=database.rsplit("/", 1)[1], uri_mode=True, strm_lvl="CRITICAL")


@pytest.fixture
def through_fireworks(watched: Callable[..., WatchedCampaign]) -> Callable[..., WatchedCampaign]:
    """Start a campaign on a cluster whose profile has these changes."""

    def start(folder: Path, store: str, *, seconds_per_step: str = "0.03", **profile: Any) -> WatchedCampaign:
        write(folder, **profile)
        return watched(folder, store, seconds_per_step=seconds_per_step)

    return start


def write(folder: Path, **profile: Any) -> None:
    """Write campaign and profile."""
    profile = {"packing": ONE_AFTER_ANOTHER, "heartbeat_s": 2} | profile
    write_cluster_campaign(folder, "fireworks", write_profile(folder, "slurm", **profile), N_CANDIDATES)


def pilots_with_md(slurm: SlurmCluster) -> list[str]:
    """Numbers of the running allocations for dynamics."""
    return [job.job_id for job in slurm.squeue() if "superion-md" in job.name and job.state == "RUNNING"]


def n_probes(launchpad: LaunchPad, **query: Any) -> int:
    """Count jobs of dynamics, continuations included."""
    return launchpad.fireworks.count_documents(PROBE | query)


@pytest.mark.slow
def test_a_cancelled_allocation_writes_checkpoints_and_another_goes_on(
    tmp_path, through_fireworks, database, launchpad, slurm_cluster
):
    campaign = through_fireworks(tmp_path, database)
    before = campaign.wait_for_segments()
    slurm_cluster.scancel(*pilots_with_md(slurm_cluster))
    # Before that they might be over.
    wait_for(
        lambda: n_probes(launchpad, state="COMPLETED"),
        "both have written their checkpoints",
        until=lambda n: n >= 2,
    )
    campaign.speed_up()
    campaign.resume(before)
    # Both ended as partial, and their continuations, other jobs, went on.
    assert n_probes(launchpad, state="COMPLETED") == 4


@pytest.mark.slow
def test_an_allocation_that_ends_at_its_time_limit_is_continued(
    tmp_path, through_fireworks, database, launchpad, slurm_cluster
):
    limits = {kind: {"cores": 1, "memory_gb": 0.4, "time_limit": "00:10:00"} for kind in ("relax", "analysis")}
    limits["md"] = {"cores": 2, "memory_gb": 0.4, "time_limit": "00:01:00"}
    campaign = through_fireworks(tmp_path, database, resources=limits, stop_margin_s=15, seconds_per_step="0.1")
    before = campaign.wait_for_segments()
    wait_for(lambda: n_probes(launchpad), "continuations", until=lambda n: n >= 3)
    campaign.speed_up()
    campaign.resume(before)
    parts = [document["output"]["run"] for document in launchpad.db["outputs"].find(PROBE, {"output.run": 1})]
    assert {"walltime"} == {part["stop_reason"] for part in parts if part["state"] == "partial"}
    # No allocation was killed at its limit.
    assert not [job for job in slurm_cluster.squeue(finished=True) if job.state == "TIMEOUT"]


def test_a_killed_allocation_is_found_and_continued(tmp_path, through_fireworks, database, slurm_cluster):
    campaign = through_fireworks(tmp_path, database)
    before = campaign.wait_for_segments()
    for job_id in pilots_with_md(slurm_cluster):
        slurm_cluster.kill_job_processes(job_id)
    campaign.speed_up()
    campaign.resume(before)
    assert "had lost its worker" in campaign.words()


@pytest.mark.slow
def test_a_killed_worker_is_found_by_its_pilot(tmp_path, through_fireworks, database, launchpad, slurm_cluster):
    campaign = through_fireworks(tmp_path, database)
    before = campaign.wait_for_segments()
    (running,) = {path.parent for path in tmp_path.glob("work/pilots/md/*/job-*/alive")}
    victims = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(running / "worker-0") in (process.info["cmdline"] or [])
    ]
    assert victims
    for process in victims:
        process.send_signal(signal.SIGKILL)
    campaign.speed_up()
    campaign.resume(before)
    assert launchpad.launches.count_documents({"superion.lost": True}) == 1


@pytest.mark.slow
def test_a_node_that_dies_with_its_daemon(tmp_path, through_fireworks, database, slurm_cluster):
    campaign = through_fireworks(tmp_path, database)
    before = campaign.wait_for_segments()
    (job,) = [job for job in slurm_cluster.squeue() if "superion-md" in job.name]
    slurm_cluster.kill_slurmd(job.node)
    slurm_cluster.kill_job_processes(job.job_id)
    slurm_cluster.set_node_down(job.node)
    campaign.speed_up()
    campaign.resume(before)


@pytest.mark.slow
def test_a_node_that_only_its_controller_gave_up_keeps_its_jobs(
    tmp_path, through_fireworks, database, launchpad, slurm_cluster
):
    campaign = through_fireworks(tmp_path, database)
    before = campaign.wait_for_segments()
    (job,) = [job for job in slurm_cluster.squeue() if "superion-md" in job.name]
    slurm_cluster.kill_slurmd(job.node)
    slurm_cluster.set_node_down(job.node)
    campaign.speed_up()
    campaign.resume(before)
    # Its processes went on; nobody took their jobs away from them.
    assert launchpad.launches.count_documents({"superion.lost": True}) == 0


@pytest.mark.slow
def test_a_controller_that_dies_with_what_was_submitted(tmp_path, through_fireworks, database, slurm_cluster):
    campaign = through_fireworks(tmp_path, database)
    wait_for(lambda: list(tmp_path.glob("work/pilots/*/*/FW_submit.script")), "the first pilot is submitted")
    slurm_cluster.kill_slurmctld()
    campaign.wait_for_words("does not")
    slurm_cluster.start()
    # The coordinator has lived through it, and hands dynamics in.
    before = campaign.wait_for_segments()
    campaign.speed_up()
    campaign.resume(before)


@pytest.mark.slow
def test_a_server_that_is_away_for_a_minute(tmp_path, through_fireworks, mongo_server, slurm_cluster):
    server = WireServer(tmp_path / "server")
    server.start()
    try:
        folder = tmp_path / "campaign"
        folder.mkdir()
        campaign = through_fireworks(folder, server.uri)
        before = campaign.wait_for_segments()
        server.kill()
        campaign.speed_up()
        time.sleep(60.0)
        server.start()
        campaign.wait_for_words("does not answer")
        # The same command lives through it.
        assert campaign.commands[-1].poll() is None
        campaign.resume(before, server_was_away=True)
        # Nothing is left on the disk that should be in the store.
        assert not [path for path in folder.glob("work/spool/**/*") if path.is_file() and path.suffix == ".json"]
    finally:
        server.stop()


@pytest.mark.slow
def test_a_full_disk_fails_in_words_and_a_retry_goes_on(tmp_path, through_fireworks, database, slurm_cluster):
    campaign = through_fireworks(tmp_path, database, setup=["ulimit -f 16"])
    campaign.speed_up()
    assert campaign.commands[-1].wait(LONGEST_S) == 1, campaign.words()
    reasons = [reason for _, reason, _ in findings(tmp_path, database).values()]
    assert [reason for reason in reasons if "disk of its run folder is full" not in reason] == []
    slurm_cluster.scancel()
    slurm_cluster.wait_until_idle()
    before = segment_stamps(tmp_path)
    write(tmp_path)
    assert campaign.start("retry", "lattice", "--failed").wait(LONGEST_S) == 0, campaign.words()
    campaign.resume(before, failure="disk of its run folder is full")
