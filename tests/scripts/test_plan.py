from __future__ import annotations

import pytest
from superion.scripts.plan import make_plan


def test_a_dry_run_says_what_would_be_done_and_does_nothing(cli, folder):
    answer = cli("run", "conductivity", "--preset", "quickstart", "--dry-run")
    assert answer.code == 0, answer.err
    for words in ("preset quickstart", "Li6PS5Cl", "52 atoms", "mobile ion    Li+", "chgnet", "K", "steps"):
        assert words in answer.out
    assert "mobile ion guessed: Li" in answer.out
    assert not list(folder.iterdir())


def test_a_dry_run_as_json(cli, folder):
    arguments = ("--temperatures", "700,900", "--replicas", "2", "--duration-ps", "3", "--set", "md.time_step_fs=2")
    data = cli("run", "conductivity", "Li6PS5Cl", "--dry-run", "--json", *arguments).json()
    assert data["settings"]["temperatures_k"] == [700.0, 900.0]
    assert data["settings"]["md.protocol.time_step_fs"] == 2.0
    assert data["settings"]["md.limits.duration_ps"] == 3.0
    assert len(data["plan"]["trajectories"]) == 4
    assert data["plan"]["trajectories"][0]["n_steps"] == 1500
    assert data["plan"]["checkpoint_root"] == str(folder / ".superion" / "trajectories")
    assert data["warnings"] == []


def test_settings_win_over_options_and_options_over_presets():
    plan = make_plan(
        "conductivity",
        "Li6PS5Cl",
        preset="quickstart",
        options={"temperatures": [500.0], "potential": "mace:small", "device": "cpu", "replicas": None},
        settings=["temperatures_k=650,750", "potential.dtype=float64"],
    )
    assert plan.maker.temperatures_k == (650.0, 750.0)
    assert plan.maker.n_replicas == 1
    potential = plan.maker.potential
    assert (potential.name, potential.model, potential.device, potential.dtype) == ("mace", "small", "cpu", "float64")


def test_the_preset_of_the_flows_name_is_the_default():
    assert make_plan("conductivity", "Li6PS5Cl").preset_name == "conductivity"


def test_a_potential_that_is_not_installed_stops_a_run_but_not_a_plan(cli, folder, monkeypatch):
    from superion.potentials.sevennet import SevennetPotential

    monkeypatch.setattr(SevennetPotential, "is_installed", classmethod(lambda cls: False))
    arguments = ("run", "conductivity", "Li6PS5Cl", "--potential", "sevennet")
    answer = cli(*arguments, "--dry-run")
    assert answer.code == 0
    assert "warning" in answer.out
    assert "pip install" in answer.out
    cli(*arguments).assert_sentence("sevennet", "not installed", "pip install")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("preset", [None, "screening"])
def test_flow_show_lists_every_setting(cli, preset):
    arguments = [] if preset is None else ["--preset", preset]
    data = cli("flow", "show", "conductivity", "--json", *arguments).json()
    settings = {info["name"]: info for info in data["settings"]}
    assert settings["md.protocol.thermostat"]["value"] == "bussi"
    assert settings["temperatures_k"]["description"]
    assert settings["temperatures_k"]["value"][0] == (600.0 if preset is None else 700.0)
    assert "temperatures_k" in cli("flow", "show", "conductivity", *arguments).out


def test_flows_and_presets_are_listed(cli):
    data = cli("flow", "list", "--json").json()
    assert "conductivity" in [flow["name"] for flow in data["flows"]]
    assert "quickstart" in [preset["name"] for preset in data["presets"]]
    text = cli("flow", "list").out
    assert "quickstart" in text
    cli("flow", "show", "nonsense").assert_sentence("nonsense")
