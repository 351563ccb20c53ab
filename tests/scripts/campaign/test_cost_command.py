"""`superion campaign cost` of a campaign that ran."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "workflows" / "campaign" / "support"))
from lattice_campaign import lattice_cell, write_campaign
from superion.scripts.cli import main


def test_every_job_says_what_it_took(tmp_path, monkeypatch, capfd):
    cells = {"c14": lattice_cell(14, 1), "c15": lattice_cell(15, 2)}
    write_campaign(tmp_path, cells, stages=[{"stage": "validate"}])
    (tmp_path / ".superion").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    assert main(["campaign", "submit", "campaign.yaml"]) == 0
    assert main(["campaign", "run", "--workers", "1"]) == 0
    capfd.readouterr()
    assert main(["campaign", "cost", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["n_documents"], found["n_without_times"]) == (2, 0)
    assert [cost["name"] for cost in found["stages"]] == ["validate"]
    assert [cost["name"] for cost in found["hosts"]] == [platform.node()]
    assert len(found["candidates"]) == 2
    assert 0 < found["total"]["wall_hours"] < 0.1
    assert found["total"]["gpu_hours"] == 0
