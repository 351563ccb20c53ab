"""A model file that is moved between two runs: the same potential, at another place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.project import find_project
from superion.scripts.cli import main as superion
from superion.workflows.campaign.folders import unit_folder
from superion.workflows.campaign.pause import set_paused
from superion.workflows.campaign.submit import submit_campaign

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import lattice_cell, open_campaigns, rows_of, run_here, write_campaign

CELLS = {"c0": lattice_cell(6, 0)}


@pytest.mark.slow
def test_a_unit_goes_on_with_the_file_where_it_is_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = [tmp_path / "models" / "mine.model", tmp_path / "moved" / "mine.model"]
    for place in places:
        place.parent.mkdir()
    places[0].write_bytes(b"no model at all, so that the unit fails")
    statuses, reasons, keys = [], [], []
    for place in places:
        write_campaign(tmp_path, CELLS, potential={"name": "mace", "model": str(place), "device": "cpu"})
        run_here(tmp_path, workers=1)
        (row,) = rows_of(tmp_path).values()
        statuses.append(row["status"])
        reasons.append(row["reason"])
        keys.append(row["stages"]["probe"]["stage_keys"])
        if place is places[0]:
            place.rename(places[1])
            write_campaign(tmp_path, CELLS, potential={"name": "mace", "model": str(places[1]), "device": "cpu"})
            assert superion(["campaign", "submit", "campaign.yaml"]) == 0
            assert superion(["campaign", "retry", "lattice", "--failed"]) == 0
    assert keys[0] == keys[1]
    # Of what cannot be loaded no structure is guilty, so that a retry tries again; nobody asked for the old place.
    assert statuses == ["failed", "failed"]
    assert all("cannot be read as a MACE model" in reason for reason in reasons), reasons
    flow = unit_folder(find_project(tmp_path), keys[0][0]) / "flow.json"
    assert str(places[1]) in flow.read_text()
    assert str(places[0]) not in flow.read_text()


def test_a_pause_by_somebody_who_looked_earlier_keeps_what_was_submitted_since(tmp_path):
    (tmp_path / ".superion").mkdir()
    with open_campaigns(tmp_path) as collections:
        assert isinstance(collections, CampaignCollections)
        write_campaign(tmp_path, CELLS)
        submit_campaign(tmp_path / "campaign.yaml", collections, workers=1)
        old = collections.load_campaign("lattice")
        write_campaign(tmp_path, CELLS, ranking={"top_k": 3})
        submit_campaign(tmp_path / "campaign.yaml", collections, workers=1)
        set_paused(collections, old, True)
        now = collections.load_campaign("lattice")
        assert now.paused
        assert "top_k: 3" in now.file_text
        assert not set_paused(collections, old, False).paused
        assert not collections.load_campaign("lattice").paused
