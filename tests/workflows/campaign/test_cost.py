"""What a campaign took, summed from its documents."""

from __future__ import annotations

import json

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.documents import CampaignRecord, StageSummary
from superion.scripts.cli import main
from superion.workflows.campaign.cost import NO_CANDIDATE, NO_HOST, NO_STAGE, campaign_cost
from support.candidate_rows import make_row

KINDS = ["embedded", pytest.param("mongo", marks=pytest.mark.services)]


def document(uuid, index=1, *, campaign="c", stage="probe", key="k0", usage=None, provenance=None):
    """A job's document; None in place of its times where it says nothing."""
    metadata = {"campaign_id": campaign, "stage": stage, "stage_key": key}
    if usage is not None:
        metadata["usage"] = dict(zip(("host", "wall_time_s", "cpu_time_s", "gpu_time_s"), usage, strict=True))
    output = None
    if provenance is not None:
        names = ("host", "wall_time_s", "cpu_time_s", "gpu_time_s")
        output = {"provenance": {"campaign_id": campaign} | dict(zip(names, provenance, strict=True))}
    return {"uuid": uuid, "index": index, "metadata": metadata, "output": output}


def fill(collections):
    collections.save_campaign(CampaignRecord(campaign_id="c", file_text=""))
    for number, key in enumerate(("k0", "k1", "k0")):
        collections.update_rows([make_row(number, stages={"probe": StageSummary(state="passed", stage_keys=[key])})])
    imported = document("e", provenance=("n2", 360.0, 720.0, None))
    imported["metadata"] = {}
    imported["output"]["stage_key"] = "k1"
    collections.jobs.update(
        [
            document("a", 1, usage=("n1", 3600.0, 7200.0, 3600.0), provenance=("n1", 1800.0, 3600.0, 1800.0)),
            document("a", 2, usage=("n2", 1800.0, 3600.0, 1800.0)),
            document("b", stage="relax", key="elsewhere", usage=(None, 900.0, 900.0, 0.0)),
            document("c", key="k1", provenance=("n1", 720.0, 720.0, 0.0)),
            document("d", key="k1"),
            imported,
            document("x", campaign="another", usage=("n1", 1e6, 1e6, 1e6)),
        ]
    )


@pytest.fixture(params=KINDS)
def location(request, tmp_path):
    if request.param == "embedded":
        return str(tmp_path / "results.db")
    return request.getfixturevalue("mongo_uri")


def test_every_part_counts_once(location):
    with CampaignCollections.open(location) as collections:
        fill(collections)
        found = campaign_cost("c", collections)
    assert (found.n_documents, found.n_without_times) == (6, 1)
    total = found.total
    assert (total.n_jobs, total.wall_hours, total.cpu_hours, total.gpu_hours) == (5, 2.05, 3.65, 1.5)
    wall = {cost.name: cost.wall_hours for cost in found.stages}
    assert wall == {"probe": 1.7, "relax": 0.25, NO_STAGE: 0.1}
    assert found.stages[0].name == "probe", "the costliest first"
    # A unit that two candidates share counts for the first.
    assert [(cost.name, cost.wall_hours) for cost in found.candidates] == [
        ("material 0 (0000)", 1.5),
        ("material 1 (0001)", 0.3),
        (NO_CANDIDATE, 0.25),
    ]
    assert {cost.name: cost.gpu_hours for cost in found.hosts} == {"n1": 1.0, "n2": 0.5, NO_HOST: 0.0}


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".superion").mkdir()
    with CampaignCollections.open() as collections:
        fill(collections)
    assert main(["campaign", "cost", "c", "--top", "1"]) == 0
    shown = capsys.readouterr()
    assert "material 0 (0000)" in shown.out
    assert "material 1" not in shown.out
    assert "1 of 6 documents do not say what their jobs took" in shown.err
    assert main(["campaign", "cost", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["gpu_hours"] == 1.5
    assert main(["campaign", "cost", "d"]) == 1
    assert "did you mean c?" in capsys.readouterr().err
