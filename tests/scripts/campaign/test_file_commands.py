"""`superion campaign check`, `plan` and `schema` as users meet them."""

from __future__ import annotations

import json

import pytest
import yaml
from superion.scripts.cli import main
from support.campaign_text import COSINE_POTENTIAL


@pytest.fixture
def call(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERION_STORE", raising=False)

    def run(*arguments):
        capfd.readouterr()
        code = main(["campaign", *map(str, arguments)])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


@pytest.fixture
def campaign_file(tmp_path, cosine_system):
    cosine_system.atoms.write(tmp_path / "cosine.cif")
    (tmp_path / "bad.cif").write_text("[bold]nothing[/bold]")
    data = {
        "name": "demo",
        "candidates": [{"kind": "files", "paths": ["*.cif"]}],
        "mobile_ion": "Li",
        "potential": COSINE_POTENTIAL,
        "stages": [{"stage": "validate", "must_be_neutral": False}, {"stage": "probe", "minimum_edge_angstrom": 0}],
    }
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    return file


def test_check_says_that_a_file_is_right(call, campaign_file):
    code, out, _ = call("check", campaign_file.name)
    assert code == 0
    assert "campaign demo, 1 sources, stages validate, probe" in out


def test_check_lists_every_mistake_with_its_line(call, campaign_file):
    campaign_file.write_text(
        campaign_file.read_text().replace("mobile_ion: Li", "mobil_ion: Li").replace("ase\n", "asse\n")
    )
    code, out, err = call("check", campaign_file.name)
    assert code == 1
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("error: campaign.yaml, line ") for line in lines)
    code, out, _ = call("check", campaign_file.name, "--json")
    answer = json.loads(out)
    assert code == 1
    assert answer["valid"] is False
    assert len(answer["problems"]) == 3


def test_check_warns_of_a_rule_that_can_cut_nobody(call, campaign_file):
    text = campaign_file.read_text()
    campaign_file.write_text(text + "  rules:\n  - {keep_best: 2, by: greatest_sigma_300k_ms_cm}\n")
    code, out, err = call("check", campaign_file.name)
    assert code == 0
    assert "is right" in out
    n_lines = len(text.splitlines())
    assert err.startswith(
        f"warning: campaign.yaml, line {n_lines + 2}: this rule can cut no candidate: the stage 'probe'"
    )
    assert len(err.splitlines()) == 1
    answer = json.loads(call("check", campaign_file.name, "--json")[1])
    assert answer["valid"] is True
    assert [warning["place"] for warning in answer["warnings"]] == ["stages[2].rules[1]"]


def test_check_as_json_gives_every_setting(call, campaign_file):
    code, out, _ = call("check", campaign_file.name, "--json")
    assert code == 0
    campaign = json.loads(out)["campaign"]
    assert campaign["stages"][1]["temperature_k"] == 1000.0
    assert campaign["candidates"][0] == {"kind": "files", "paths": ["*.cif"]}


def test_plan_shows_counts_rejections_and_cost_and_writes_nothing(call, campaign_file, tmp_path):
    before = sorted(path.name for path in tmp_path.rglob("*"))
    code, out, err = call("plan", campaign_file.name)
    assert code == 0, err
    for words in ("1 structures, 1 entries rejected", "bad.cif", "probe", "core-hours", "ms a step", "about "):
        assert words in out
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_plan_as_json_without_timing(call, campaign_file):
    code, out, _ = call("plan", campaign_file.name, "--no-timing", "--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["n_candidates"], answer["core_hours"]) == (1, None)
    assert answer["rejected"][0]["identifier"] == "bad.cif"


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_file_that_is_not_there_gets_one_sentence(call, command):
    code, _, err = call(command, "nowhere.yaml")
    assert code == 1
    assert err.strip().splitlines() == ["error: There is no campaign file nowhere.yaml: check its path."]


def test_schema_is_json_and_goes_into_a_file(call, tmp_path):
    code, out, _ = call("schema")
    assert code == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")
    code, out, err = call("schema", "--output", "s.json")
    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "s.json").read_text())["title"] == "superion campaign"
    assert "yaml-language-server" in err


def test_check_plan_and_submit_tell_what_a_stage_lacks_here(call, campaign_file, monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    data = yaml.safe_load(campaign_file.read_text())
    data["stages"] = [
        {"stage": "validate", "must_be_neutral": False},
        {"stage": "stability", "references": ["materials_project"]},
    ]
    campaign_file.write_text(yaml.safe_dump(data, sort_keys=False))
    line = campaign_file.read_text()[: campaign_file.read_text().index("stage: stability")].count("\n") + 1
    sentence = (
        "the stage 'stability' cannot run here: competing phases from the Materials Project need a key: set MP_API"
    )
    code, out, err = call("check", campaign_file.name)
    assert code == 0
    assert f"warning: campaign.yaml, line {line}: {sentence}" in err
    code, out, err = call("check", campaign_file.name, "--json")
    assert [warning["place"] for warning in json.loads(out)["warnings"]] == ["stages[2].stage"]
    code, out, err = call("plan", campaign_file.name, "--no-timing")
    assert f"note          {sentence}" in out
    code, out, err = call("submit", campaign_file.name)
    assert code == 0
    assert f"warning: {sentence}" in err
    monkeypatch.setenv("MP_API_KEY", "a key")
    pytest.importorskip("mp_api")
    assert "warning" not in call("check", campaign_file.name)[2]
