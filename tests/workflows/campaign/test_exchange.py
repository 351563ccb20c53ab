"""Campaigns go from the embedded store to a MongoDB server and back by export and import."""

from __future__ import annotations

import json
import zipfile

import pytest
from pymatgen.core import Lattice, Structure
from superion.database.campaigns import CampaignCollections
from superion.database.documents import CampaignRecord, OrderingSummary, StageDoc, StageSummary
from superion.database.properties import PropertyEstimate
from superion.database.provenance import collect_provenance
from superion.structures.fingerprint import structure_fingerprint
from superion.workflows.campaign.archive import CANDIDATES, DOCUMENTS, RECORD
from superion.workflows.campaign.export import export_campaign
from superion.workflows.campaign.import_campaign import import_campaign
from support.candidate_rows import make_row
from support.mongo_server import database_on

LIF = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def fill(collections):
    """Three candidates with a structure and a stage document each."""
    collections.save_campaign(CampaignRecord(campaign_id="c", file_text="name: c\n"))
    ordering = OrderingSummary(fingerprint=structure_fingerprint(LIF), structure=LIF.as_dict())
    for number in range(3):
        key = f"{number:064x}"
        stages = {"probe": StageSummary(state="passed", stage_keys=[key])}
        collections.update_rows([make_row(number, formula="LiF", status="done", stages=stages, orderings=[ordering])])
        document = StageDoc(
            formula="LiF",
            label="LiF",
            provenance=collect_provenance(job_uuid=f"job-{number}"),
            stage="probe",
            stage_key=key,
            state="completed",
            properties={"sigma_300k_ms_cm": PropertyEstimate(value=0.3, interval_95=(0.1, float("inf")))},
        )
        stored = {"uuid": f"job-{number}", "index": 1, "name": "probe", "output": document.model_dump()}
        collections.jobs.update(stored, key=["uuid", "index"])


def members(path):
    """What an export says, but for when it was made and that it was imported."""
    with zipfile.ZipFile(path) as opened:
        found = {name: opened.read(name).decode().splitlines() for name in (RECORD, CANDIDATES, DOCUMENTS)}
    plain = {name: [json.loads(line) for line in lines] for name, lines in found.items()}
    for entry in plain[DOCUMENTS]:
        entry["extra"].pop("imported_from", None)
        entry["provenance"].pop("job_uuid")
    for entry in [*plain[RECORD], *plain[CANDIDATES]]:
        entry.pop("updated_at")
        entry.pop("created_at", None)
    return plain


@pytest.mark.services
@pytest.mark.parametrize("first", ["embedded", "mongo"])
def test_both_ways(first, mongo_server, tmp_path):
    with database_on(mongo_server) as uri:
        places = {"embedded": str(tmp_path / "a.db"), "mongo": uri}
        second = next(kind for kind in places if kind != first)
        with CampaignCollections.open(places[first]) as collections:
            fill(collections)
            there = export_campaign(collections.load_campaign("c"), collections, tmp_path / "there.zip")
        with CampaignCollections.open(places[second]) as collections:
            came = import_campaign(tmp_path / "there.zip", collections)
            assert (came.n_candidates, came.n_documents) == (there.n_candidates, there.n_documents) == (3, 3)
            again = import_campaign(tmp_path / "there.zip", collections)
            assert (again.n_candidates, again.n_documents) == (0, 0)
            export_campaign(collections.load_campaign("c"), collections, tmp_path / "back.zip")
        assert members(tmp_path / "back.zip") == members(tmp_path / "there.zip")
