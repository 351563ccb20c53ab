"""What a user says to a campaign while its coordinator lives."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest
from fireworks import LaunchPad
from superion.scripts.cli import main as superion
from support.wire_server import WireServer

sys.path.append(str(Path(__file__).parent / "support"))
from cluster_campaign import coordinate, findings, segment_stamps, wait_for, write_cluster_campaign, write_profile
from watched_campaign import WatchedCampaign

NO_LIMIT = {"minimum_free_disk_gb": 0.0}


@pytest.mark.slow
@pytest.mark.parametrize("word", ["pause", "cancel"])
def test_a_living_coordinator_hands_nothing_over_once_it_is_told(tmp_path, database, word):
    write_cluster_campaign(tmp_path, "fireworks", write_profile(tmp_path, "shell"), 2)
    campaign = WatchedCampaign(tmp_path, database, {})
    try:
        campaign.wait_for_segments()
        assert superion(["campaign", word, "lattice", "--store", database]) == 0
        launchpad = LaunchPad(host=database, name=database.rsplit("/", 1)[1], uri_mode=True, strm_lvl="CRITICAL")
        known = launchpad.workflows.count_documents({})
        assert campaign.commands[-1].wait(300) == 1
        assert "stopped: it was paused; go on with" in campaign.words()
        assert launchpad.workflows.count_documents({}) == known
        if word == "cancel":
            wait_for(
                lambda: campaign.watch.seen[-1].engine.units, "units", until=lambda units: units.get("cancelled") == 2
            )
            # Checkpoints are written, and nobody takes up what would go on from them.
            wait_for(lambda: launchpad.fireworks.count_documents({"state": "RUNNING"}) == 0, "running jobs end")
            assert campaign.watch.seen[-1].engine.units == {"cancelled": 2, "finished": 2}
        assert campaign.watch.seen[-1].state == "paused"
    finally:
        campaign.leave()
    before = segment_stamps(tmp_path)
    campaign.speed_up()
    assert superion(["campaign", "resume", "lattice", "--store", database]) == 0
    assert before.items() <= segment_stamps(tmp_path).items()
    assert {status for status, _, _ in findings(tmp_path, database).values()} == {"done"}


@pytest.mark.slow
def test_passes_by_cron_keep_the_limit_of_core_hours(tmp_path, database):
    profile = write_profile(tmp_path, "shell")
    write_cluster_campaign(tmp_path, "fireworks", profile, 2, limits=NO_LIMIT | {"maximum_core_hours": 1e-6})

    def pass_once():
        time.sleep(2.0)
        return coordinate(tmp_path, database, once=True).reason

    wait_for(pass_once, "the limit", until=lambda reason: "maximum_core_hours = 1e-06 is used up" in reason)
    # What is done has been taken in, and nothing more is handed over.
    launchpad = LaunchPad(host=database, name=database.rsplit("/", 1)[1], uri_mode=True, strm_lvl="CRITICAL")
    known = launchpad.workflows.count_documents({})
    assert "is used up" in (pass_once() or "")
    assert launchpad.workflows.count_documents({}) == known


@pytest.mark.slow
def test_a_second_interrupt_does_not_wait_for_a_server_that_is_away(tmp_path):
    server = WireServer(tmp_path / "server")
    server.start()
    folder = tmp_path / "campaign"
    folder.mkdir()
    write_cluster_campaign(folder, "fireworks", write_profile(folder, "shell"), 2)
    campaign = WatchedCampaign(folder, server.uri, {})
    try:
        campaign.wait_for_segments()
        server.kill()
        campaign.wait_for_words("does not answer")
        coordinator = campaign.commands[-1]
        coordinator.send_signal(signal.SIGINT)
        time.sleep(2.0)
        coordinator.send_signal(signal.SIGINT)
        assert coordinator.wait(60) == 130
        assert "Traceback" not in campaign.words()
        # Else who watches the status would wait for it.
        server.start()
    finally:
        campaign.leave()
        server.stop()
