"""What goes wrong while candidates are read is told with the line that asks for them."""

from __future__ import annotations

import re

import pytest
from superion.database.campaigns import CampaignCollections
from superion.structures.read import bundled_structures
from superion.workflows.campaign.file.load import load_campaign_file
from superion.workflows.campaign.file.problems import CampaignFileError
from superion.workflows.campaign.file.told_by_line import told_by_line
from superion.workflows.campaign.plan.make import plan_campaign
from superion.workflows.campaign.submit import submit_campaign

TEXT = """name: demo
candidates:
  - kind: files
    paths: [Li6PS5Cl]
  - SOURCE
mobile_ion: Li
potential: chgnet
stages: [{stage: validate}]
limits:
  maximum_candidates: 10
"""
MISTAKES = {
    "no table": ("{kind: table, path: t.csv, structure: '{a}.cif'}", "there is no table t.csv in "),
    "no column": ("{kind: table, path: there.csv, structure: '{b}.cif'}", "no column 'b': did you mean 'a'?"),
    "no file": ("{kind: files, paths: [no.cif]}", "there is no structure file "),
    "no parent": ("{kind: substitution, parents: [no.cif], maps: [{S: Se}]}", "there is no structure file "),
    "no key": ("{kind: materials_project, material_ids: [mp-1]}", "MP_API_KEY"),
    "no database": ("{kind: optimade, base_urls: ['http://127.0.0.1:9/'], filter: nsites<9}", "127.0.0.1"),
}


def write(folder, source):
    (folder / "there.csv").write_text("a\nx\n")
    file = folder / "demo.yaml"
    file.write_text(TEXT.replace("SOURCE", source))
    return file


@pytest.mark.parametrize("name", MISTAKES)
def test_a_source_that_cannot_be_read_has_a_line(tmp_path, monkeypatch, name):
    source, words = MISTAKES[name]
    if "optimade" in source:
        pytest.importorskip("optimade.client")
    monkeypatch.delenv("MP_API_KEY", raising=False)
    file = write(tmp_path, source)
    with pytest.raises(CampaignFileError) as planned, told_by_line(file):
        plan_campaign(load_campaign_file(file), tmp_path, with_timing=False)
    (problem,) = planned.value.problems
    assert (problem.line, problem.place) == (5, "candidates[2]")
    assert words in problem.sentence
    assert re.match(r"demo\.yaml, line 5: \S.*[^.][.?]$", str(planned.value))
    with (
        CampaignCollections.open(tmp_path / "results.db") as collections,
        pytest.raises(CampaignFileError) as submitted,
    ):
        submit_campaign(file, collections)
    assert str(submitted.value) == str(planned.value)


def test_too_many_candidates_have_the_line_of_the_limit(tmp_path):
    file = write(tmp_path, "{kind: files, paths: ['*.cif']}")
    text = bundled_structures()["Li6PS5Cl"].read_text()
    (tmp_path / "other.cif").write_text(text.replace("Cl", "Br"))
    file.write_text(file.read_text().replace("maximum_candidates: 10", "maximum_candidates: 1"))
    with pytest.raises(CampaignFileError, match="line 10: the campaign demo has 2 candidates"), told_by_line(file):
        plan_campaign(load_campaign_file(file), tmp_path, with_timing=False)
