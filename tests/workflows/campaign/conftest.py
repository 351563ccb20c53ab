"""What tests of campaigns on clusters share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.pilots import kill_pilots
from support.slurm_cluster import SlurmCluster

sys.path.append(str(Path(__file__).parent / "support"))
from cluster_campaign import findings_here
from quick_command import quick_coordinator
from watched_campaign import N_CANDIDATES, WatchedCampaign


@pytest.fixture(autouse=True)
def _quick_coordinator() -> Iterator[None]:
    with quick_coordinator():
        yield


@pytest.fixture(autouse=True)
def _no_pilots_are_left(request: pytest.FixtureRequest) -> Iterator[None]:
    folder = request.getfixturevalue("tmp_path") if "database" in request.fixturenames else None
    yield
    if folder is not None:
        kill_pilots(folder)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the campaign of two candidates finds on one machine."""
    return findings_here(tmp_path_factory.mktemp("here"), N_CANDIDATES)


@pytest.fixture
def watched(slurm_cluster: SlurmCluster, undisturbed: dict) -> Iterator[Callable[..., WatchedCampaign]]:
    """Start campaigns on Slurm, by folder and store, that end with the test."""
    campaigns: list[WatchedCampaign] = []

    def start(folder: Path, store: str, **options: str) -> WatchedCampaign:
        campaigns.append(WatchedCampaign(folder, store, undisturbed, **options))
        return campaigns[-1]

    yield start
    for campaign in campaigns:
        campaign.leave()
