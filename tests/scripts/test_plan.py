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
    assert all(clause.startswith("not checked: ") for clause in data["warnings"])


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


@pytest.fixture
def refused_alike(cli, folder):
    """Both refuse in the same words, and leave nothing behind."""

    def check(*arguments, words):
        command = ("run", "conductivity", *arguments)
        for dry in (("--dry-run",), ()):
            cli(*command, *dry).assert_sentence(*words)
        assert not (folder / ".superion").exists()

    return check


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--potential", "mace:nofile.model"), ("There is no MACE model file 'nofile.model'",)),
        (("--potential", "mace:medum"), ("no MACE model 'medum'", "did you mean")),
        (("--potential", "mace:small", "--runtime", "fast"), ("no runtime 'fast'", "auto, torch or symmetrix")),
        (("--potential", "chgnet", "--device", "cuda:9"), ("device 'cuda:9' was asked for but torch sees",)),
        (("--potential", "chgnet", "--device", "gpu"), ("Unknown device 'gpu'",)),
        (("--potential", "chgnet", "--dtype", "float64"), ("CHGNet computes in float32 only",)),
        (("--potential", "ase:ase.calculators.emt.EMTT"), ("no calculator named 'EMTT'",)),
        (("--potential", "ase:superion.potentials.cosine_lattice.CosineLatticeCalculator"), ("cannot be built",)),
        (("--potential", "chgnet", "--name", "a/b"), ("--name wants a plain name",)),
        (("--potential", "chgnet", "--name", ""), ("--name wants a plain name",)),
        (("--potential", "chgnet", "--store", "results.xml"), ("names no store",)),
    ],
)
def test_a_dry_run_refuses_what_a_run_refuses(refused_alike, arguments, words):
    refused_alike("Li6PS5Cl", *arguments, words=words)


def test_a_dry_run_knows_elements(refused_alike, cosine):
    options = [option if "barriers" not in option else option.replace('"S"', '"Se"') for option in cosine.options]
    refused_alike(cosine.file, *options, words=("does not know the element S",))


def test_a_dry_run_says_what_it_did_not_check(cli, folder, tiny_mace_path):
    answer = cli("run", "conductivity", "Li6PS5Cl", "--potential", f"mace:{tiny_mace_path}", "--dry-run")
    assert answer.code == 0
    assert (
        "not checked: that the weights of the potential 'mace' can be read or that it knows Cl, Li, P, S" in answer.out
    )


def test_a_potential_that_is_not_installed_is_refused(refused_alike, monkeypatch):
    from superion.potentials.sevennet import SevennetPotential

    monkeypatch.setattr(SevennetPotential, "is_installed", classmethod(lambda cls: False))
    refused_alike("Li6PS5Cl", "--potential", "sevennet", words=("sevennet", "not installed", "pip install"))


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
