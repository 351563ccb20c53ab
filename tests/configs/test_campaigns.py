"""The shipped campaigns: every key described, in step with the models, and planned for real."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
import yaml
from pymatgen.core import Lattice, Structure
from superion.structures.read import read_structure
from superion.workflows.campaign.file.json_schema import campaign_json_schema
from superion.workflows.campaign.file.load import check_campaign_file, load_campaign_file, parse_campaign
from superion.workflows.campaign.plan.make import plan_campaign
from superion.workflows.candidates.registry import source_kinds
from superion.workflows.stages.registry import stage_names
from support.campaign_text import COSINE_POTENTIAL

FOLDER = Path(str(resources.files("superion.configs"))) / "campaigns"
ROOT = Path(__file__).resolve().parents[2]
FULL = (FOLDER / "full.yaml").read_text(encoding="utf-8")
SECTIONS = (
    "OrderingSettings",
    "MdSettings",
    "PotentialSpecification",
    "RankingSettings",
    "LocalDispatch",
    "Limits",
    "FilesSettings",
    "TableSettings",
    "SubstitutionSettings",
    "OptimadeSettings",
    "MaterialsProjectSettings",
    "MeasuredColumn",
)
FILLED_IN = {"reference_fingerprint"}
"""What superion writes into the settings by itself."""


def test_full_names_every_key():
    schema = campaign_json_schema()
    definitions = [schema, *(schema["$defs"][name] for name in SECTIONS)]
    definitions += [schema["$defs"][f"stage_{name}"] for name in stage_names()]
    keys = {key for definition in definitions for key in definition["properties"]} - FILLED_IN
    assert len(keys) > 70
    assert sorted(key for key in keys if not re.search(rf"\b{key}:", FULL)) == []


def test_full_uses_every_stage_source_and_rule():
    campaign = load_campaign_file(FOLDER / "full.yaml")
    assert {entry.stage for entry in campaign.stages} == set(stage_names())
    assert {source.kind for source in campaign.candidates} == set(source_kinds())
    rules = {name for entry in campaign.stages for rule in entry.rules for name in rule.model_fields_set}
    assert rules == {"property", "at_least", "at_most", "keep_best", "keep_fraction", "by"}


def test_every_rule_of_every_shipped_file_can_cut_somebody():
    files = sorted(FOLDER.rglob("*.yaml"))
    assert len(files) >= 3
    assert [warning for file in files for warning in check_campaign_file(file).warnings] == []


def test_full_describes_every_key():
    lines = FULL.splitlines()
    described = False
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("#"):
            described = True
        elif not stripped:
            described = False
        else:
            assert described, f"no remark above line {number + 1}: {line}"


def test_the_documentation_shows_the_minimal_file_as_it_is():
    page = (ROOT / "docs" / "campaign_file.md").read_text(encoding="utf-8")
    assert (FOLDER / "minimal.yaml").read_text(encoding="utf-8").strip() in page


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cifs").mkdir()
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    cell.to(str(tmp_path / "cifs" / "a1.cif"))
    (tmp_path / "cifs" / "bad.cif").write_text("no crystal")
    (tmp_path / "measured.csv").write_text(
        "ID,name,composition,conductivity,DOI\na1,LiCl,LiCl,<1E-10,10.1/x\nnone,LiBr,LiBr,1e-6,\n"
    )
    return tmp_path


def test_minimal_is_planned(tmp_path):
    file = tmp_path / "minimal.yaml"
    file.write_text((FOLDER / "minimal.yaml").read_text(encoding="utf-8"))
    planned = plan_campaign(load_campaign_file(file), tmp_path, with_timing=False)
    assert planned.n_candidates == 1
    assert [stage.n_units for stage in planned.stages] == [1, 1, 1, 1]
    assert planned.stages[-1].n_steps > 100_000


def test_full_is_planned_with_a_database_on_the_loopback(folder):
    pytest.importorskip("optimade.client")
    from support.optimade_server import entry_of, optimade_server

    data = yaml.safe_load(FULL)
    # Not the Materials Project, which needs somebody's key.
    data["candidates"] = [source for source in data["candidates"] if source["kind"] != "materials_project"]
    data["potential"] = COSINE_POTENTIAL
    with optimade_server([entry_of(read_structure("Li6PS5Cl"), "same")]) as server:
        next(source for source in data["candidates"] if source["kind"] == "optimade")["base_urls"] = [server.url]
        campaign = parse_campaign(yaml.safe_dump(data, sort_keys=False), base_folder=folder)
        planned = plan_campaign(campaign, folder, with_timing=False)
    counts = {source.kind: (source.n_read, source.n_duplicates, source.n_rejected) for source in planned.sources}
    assert counts == {"files": (2, 0, 1), "table": (1, 1, 1), "substitution": (2, 0, 0), "optimade": (1, 1, 0)}
    assert planned.n_candidates == 4
    assert [stage.stage for stage in planned.stages] == [entry["stage"] for entry in data["stages"]]
