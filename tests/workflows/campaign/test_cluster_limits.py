"""What a campaign may at most use, on a cluster: core-hours of all, hours of one unit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from superion.database.campaigns import CampaignCollections
from superion.scripts.cli import main as superion

sys.path.append(str(Path(__file__).parent / "support"))
from cluster_campaign import coordinate, findings, segment_stamps, write_cluster_campaign, write_profile

NONE = {"minimum_free_disk_gb": 0.0}


@pytest.mark.slow
def test_a_unit_beyond_its_hours_fails_and_a_retry_continues_its_trajectory(tmp_path, database, monkeypatch):
    monkeypatch.chdir(tmp_path)
    profile = write_profile(tmp_path, "shell")
    write_cluster_campaign(tmp_path, "fireworks", profile, 2, limits=NONE | {"maximum_unit_hours": 0.004})
    (tmp_path / "slow").write_text("0.2")
    report = coordinate(tmp_path, database)
    assert (report.state, report.counts) == ("finished", {"failed": 2})
    reasons = {reason for _, reason, _ in findings(tmp_path, database).values()}
    assert all("limits.maximum_unit_hours = 0.004: raise that limit" in reason for reason in reasons), reasons
    before = segment_stamps(tmp_path)
    (tmp_path / "slow").unlink()
    assert superion(["campaign", "retry", "lattice", "--failed", "--store", database]) == 0
    write_cluster_campaign(tmp_path, "fireworks", profile, 2, limits=NONE)
    assert coordinate(tmp_path, database).counts == {"done": 2}
    assert before.items() <= segment_stamps(tmp_path).items()


@pytest.mark.slow
def test_nothing_new_begins_when_the_core_hours_are_used_up(tmp_path, database):
    profile = write_profile(tmp_path, "shell")
    write_cluster_campaign(tmp_path, "fireworks", profile, 2, limits=NONE | {"maximum_core_hours": 1e-6})
    report = coordinate(tmp_path, database)
    assert report.state == "stopped"
    assert report.reason is not None
    assert "limits.maximum_core_hours = 1e-06 is used up" in report.reason
    write_cluster_campaign(tmp_path, "fireworks", profile, 2, limits=NONE)
    assert coordinate(tmp_path, database).counts == {"done": 2}
    with CampaignCollections.open(database) as collections:
        assert collections.count_by_status("lattice") == {"done": 2}
