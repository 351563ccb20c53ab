"""What may go wrong between a campaign and its cluster: after each fault it ends, with nothing lost or done twice."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from fireworks import LaunchPad
from superion.database.campaigns import CampaignCollections
from superion.workflows.campaign.pause import set_paused
from support.wire_server import WireServer

sys.path.append(str(Path(__file__).parent / "support"))
from cluster_campaign import (
    coordinate,
    findings,
    findings_here,
    segment_stamps,
    wait_for,
    write_cluster_campaign,
    write_profile,
)
from status_watch import StatusWatch

ONE_AFTER_ANOTHER = {
    "relax": {"allocations": 1, "idle_s": 10},
    "md": {"jobs_at_a_time": 2, "allocations": 1, "idle_s": 10},
    "analysis": {"allocations": 1, "idle_s": 10},
}


@pytest.fixture
def launchpad(database):
    """The launchpad beside the store."""
    return LaunchPad(host=database, name=database.rsplit("/", 1)[1], uri_mode=True, strm_lvl="CRITICAL")


class Coordinating:
    """A campaign that a thread of this process sees through."""

    def __init__(self, undisturbed: dict, folder: Path, store: str, **profile) -> None:
        self.undisturbed, self.folder, self.store, self.events = undisturbed, folder, store, []
        (folder / "slow").write_text("0.03")
        profile = {"packing": ONE_AFTER_ANOTHER, "heartbeat_s": 2} | profile
        write_cluster_campaign(folder, "fireworks", write_profile(folder, "slurm", **profile), n_candidates=2)
        self.report = None
        self.watch = StatusWatch(folder, store)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.report = coordinate(self.folder, self.store, events=self.events)

    def wait_for_segments(self) -> dict[Path, int]:
        """Wait until each candidate's dynamics has one whole segment, give all of them."""
        return wait_for(
            lambda: segment_stamps(self.folder),
            "whole segments",
            until=lambda stamps: len({path.parent for path in stamps}) == 2,
        )

    def speed_up(self) -> None:
        """Let the dynamics run at full speed."""
        (self.folder / "slow").unlink()

    def finish(self, before: dict[Path, int], timeout_s: float = 240.0, *, server_was_away: bool = False) -> None:
        """See that the campaign ends, nothing is missing, no whole segment was written again, and no status lied."""
        self.thread.join(timeout_s)
        self.watch.end()
        assert not self.thread.is_alive(), self.events[-5:]
        assert self.report is not None
        assert (self.report.state, self.report.counts) == ("finished", {"done": 2}), self.events
        self.watch.must_have_told_the_truth(2, server_was_away=server_was_away)
        after = segment_stamps(self.folder)
        assert before.items() <= after.items()
        # Interrupted or not, the same trajectories.
        assert findings(self.folder, self.store) == self.undisturbed
        with CampaignCollections.open(self.store) as collections:
            keys = [row.stages["probe"].stage_keys[0] for row in collections.iter_rows("lattice")]
            documents = collections.jobs.count({"output.stage_key": {"$in": keys}, "output.state": "completed"})
        assert documents == 2

    def leave(self) -> None:
        """Let the threads end whatever became of the test: one would hand allocations to the next one's queue."""
        self.watch.end()
        if self.thread.is_alive():
            with CampaignCollections.open(self.store) as collections:
                record = collections.load_campaign("lattice")
                if record is not None:
                    set_paused(collections, record, True)
            self.thread.join(30)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the campaign finds on one machine."""
    return findings_here(tmp_path_factory.mktemp("here"), 2)


@pytest.fixture
def coordinating(slurm_cluster, undisturbed):
    """Start campaigns that end with the test."""
    campaigns = []

    def start(*arguments, **options) -> Coordinating:
        campaigns.append(Coordinating(undisturbed, *arguments, **options))
        return campaigns[-1]

    yield start
    for campaign in campaigns:
        campaign.leave()


def pilots_with_md(slurm) -> list[str]:
    """Numbers of the running allocations for dynamics."""
    return [job.job_id for job in slurm.squeue() if "superion-md" in job.name and job.state == "RUNNING"]


def test_a_cancelled_allocation_writes_checkpoints_and_another_goes_on(
    tmp_path, coordinating, database, launchpad, slurm_cluster
):
    campaign = coordinating(tmp_path, database)
    before = campaign.wait_for_segments()
    slurm_cluster.scancel(*pilots_with_md(slurm_cluster))
    # Before that they might be over.
    wait_for(
        lambda: launchpad.fireworks.count_documents({"name": "probe 1000 K", "state": "COMPLETED"}),
        "both have written their checkpoints",
        until=lambda n: n >= 2,
    )
    campaign.speed_up()
    campaign.finish(before)
    # Both ended as partial, and their continuations, other jobs, went on.
    assert launchpad.fireworks.count_documents({"name": "probe 1000 K", "state": "COMPLETED"}) == 4


@pytest.mark.slow
def test_an_allocation_that_ends_at_its_time_limit_is_continued(
    tmp_path, coordinating, database, launchpad, slurm_cluster
):
    limits = {kind: {"cores": 1, "memory_gb": 0.4, "time_limit": "00:10:00"} for kind in ("relax", "analysis")}
    limits["md"] = {"cores": 2, "memory_gb": 0.4, "time_limit": "00:01:00"}
    campaign = coordinating(tmp_path, database, resources=limits, stop_margin_s=15)
    (tmp_path / "slow").write_text("0.1")
    before = campaign.wait_for_segments()
    wait_for(
        lambda: launchpad.fireworks.count_documents({"name": "probe 1000 K"}), "continuations", until=lambda n: n >= 3
    )
    campaign.speed_up()
    campaign.finish(before)
    parts = [
        document["output"]["run"]
        for document in launchpad.db["outputs"].find({"name": "probe 1000 K"}, {"output.run": 1})
    ]
    assert {"walltime"} == {part["stop_reason"] for part in parts if part["state"] == "partial"}
    # No allocation was killed at its limit.
    assert not [job for job in slurm_cluster.squeue(finished=True) if job.state == "TIMEOUT"]


def test_a_killed_allocation_is_found_and_continued(tmp_path, coordinating, database, slurm_cluster):
    campaign = coordinating(tmp_path, database)
    before = campaign.wait_for_segments()
    for job_id in pilots_with_md(slurm_cluster):
        slurm_cluster.kill_job_processes(job_id)
    campaign.speed_up()
    campaign.finish(before)
    assert any("had lost its worker" in event.message for event in campaign.events)


@pytest.mark.slow
def test_a_killed_worker_is_found_by_its_pilot(tmp_path, coordinating, database, launchpad, slurm_cluster):
    campaign = coordinating(tmp_path, database)
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
    campaign.finish(before)
    assert launchpad.launches.count_documents({"superion.lost": True}) == 1


def test_a_node_that_dies_with_its_daemon(tmp_path, coordinating, database, slurm_cluster):
    campaign = coordinating(tmp_path, database)
    before = campaign.wait_for_segments()
    (job,) = [job for job in slurm_cluster.squeue() if "superion-md" in job.name]
    slurm_cluster.kill_slurmd(job.node)
    slurm_cluster.kill_job_processes(job.job_id)
    slurm_cluster.set_node_down(job.node)
    campaign.speed_up()
    campaign.finish(before)


@pytest.mark.slow
def test_a_node_that_only_its_controller_gave_up_keeps_its_jobs(
    tmp_path, coordinating, database, launchpad, slurm_cluster
):
    campaign = coordinating(tmp_path, database)
    before = campaign.wait_for_segments()
    (job,) = [job for job in slurm_cluster.squeue() if "superion-md" in job.name]
    slurm_cluster.kill_slurmd(job.node)
    slurm_cluster.set_node_down(job.node)
    campaign.speed_up()
    campaign.finish(before)
    # Its processes went on; nobody took their jobs away from them.
    assert launchpad.launches.count_documents({"superion.lost": True}) == 0


@pytest.mark.slow
def test_a_controller_that_dies_with_what_was_submitted(tmp_path, coordinating, database, slurm_cluster):
    campaign = coordinating(tmp_path, database)
    wait_for(lambda: list(tmp_path.glob("work/pilots/*/*/FW_submit.script")), "the first pilot is submitted")
    slurm_cluster.kill_slurmctld()
    wait_for(
        lambda: [event.message for event in campaign.events],
        "the coordinator says that the queue is away",
        until=lambda words: any("does not" in word for word in words),
    )
    slurm_cluster.start()
    before = campaign.wait_for_segments()
    campaign.speed_up()
    campaign.finish(before)


@pytest.mark.slow
@pytest.mark.parametrize("away_s", [20, 60])
def test_a_server_that_is_away(tmp_path, coordinating, mongo_server, slurm_cluster, caplog, away_s):
    server = WireServer(tmp_path / "server")
    server.start()
    try:
        folder = tmp_path / "campaign"
        folder.mkdir()
        campaign = coordinating(folder, server.uri)
        before = campaign.wait_for_segments()
        server.kill()
        campaign.speed_up()
        time.sleep(away_s)
        server.start()
        campaign.finish(before, server_was_away=True)
        assert "does not answer" in caplog.text
        # Nothing is left on the disk that should be in the store.
        assert not [path for path in folder.glob("work/spool/**/*") if path.is_file() and path.suffix == ".json"]
    finally:
        server.stop()


@pytest.mark.slow
def test_a_full_disk_fails_in_words_and_a_retry_goes_on(tmp_path, coordinating, database, slurm_cluster):
    write_profile(tmp_path, "slurm")
    campaign = coordinating(tmp_path, database, setup=["ulimit -f 16"])
    campaign.speed_up()
    campaign.thread.join(240)
    assert campaign.report is not None, campaign.events[-5:]
    reasons = {reason for _, reason, _ in findings(tmp_path, database).values()}
    assert all("disk" in reason for reason in reasons), reasons
    slurm_cluster.scancel()
    slurm_cluster.wait_until_idle()
    before = segment_stamps(tmp_path)
    from superion.scripts.cli import main as superion

    os.chdir(tmp_path)
    assert superion(["campaign", "retry", "lattice", "--failed", "--store", database]) == 0
    again = coordinating(tmp_path, database)
    again.speed_up()
    again.finish(before)
    assert json.dumps(list(findings(tmp_path, database)))
