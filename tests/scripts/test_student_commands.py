"""Potentials trained here on the command line: listed, shown, exported, asked for by name, refused when rejected."""

from __future__ import annotations

import hashlib

import pytest
from superion.database.job_store import open_job_store
from superion.database.project import find_project
from superion.potentials.model_file import read_model_header
from support.student import register_student, write_student


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("students")
    good = write_student(folder / "argyrodite.safetensors")
    weak = write_student(folder / "weak.safetensors", seed=8, verdict="rejected", reasons=["it exploded after 12 ps"])
    return good, weak


@pytest.fixture
def project(folder, models):
    """A project with an accepted and a rejected potential."""
    store = open_job_store(project=find_project(folder, create=True))
    for path in models:
        register_student(path, store)
    store.close()
    return folder


def test_listed_shown_and_exported(cli, project, models):
    rows = {row["name"]: row for row in cli("potential", "list", "--json").json()}
    assert rows["argyrodite"]["verdict"] == "accepted"
    assert (rows["argyrodite"]["teacher"], rows["argyrodite"]["elements"]) == ("chgnet", ["Cl", "Li", "P", "S"])
    text = cli("potential", "list").out
    assert all(word in text for word in ("chgnet", "argyrodite", "weak", "rejected"))

    shown = cli("potential", "show", "argyrodite").out
    for words in ("accepted", "67.0 meV/Å", "600 to 1000 K", "BSD-3-Clause", "360 frames", "D at 1000 K"):
        assert words in shown
    digest = hashlib.sha256(models[0].read_bytes()).hexdigest()
    document = cli("potential", "show", digest[:12], "--json").json()
    assert document["name"] == "argyrodite"
    assert "content_base64" not in document
    cli("potential", "show", "argyrodit").assert_sentence("no trained potential 'argyrodit'", "argyrodite, weak")

    exported = cli("potential", "export", "argyrodite", "mine.safetensors")
    assert exported.code == 0, exported.err
    assert (project / "mine.safetensors").read_bytes() == models[0].read_bytes()
    cli("potential", "export", "weak", "mine.safetensors").assert_sentence("is there already", "--force")
    assert cli("potential", "export", "weak", "mine.safetensors", "--force").code == 0
    assert read_model_header(project / "mine.safetensors").name == "weak"
    assert cli("potential", "export", "argyrodite", ".").code == 0
    assert (project / "argyrodite.safetensors").is_file()


def test_asked_for_by_name_wherever_a_potential_is(cli, project):
    (project / "mine.yaml").write_text(
        "description: with a student\nflow: conductivity\nsettings:\n  potential: {name: argyrodite, device: cpu}\n"
    )
    for words in (("--potential", "argyrodite"), ("--set", "md.potential=argyrodite"), ("--preset", "mine.yaml")):
        answer = cli("run", "conductivity", "Li6PS5Cl", "--dry-run", "--json", *words)
        assert answer.code == 0, answer.err
        settings = answer.json()["settings"]
        place = "md.potential" if "md.potential=argyrodite" in words else "potential"
        assert settings[f"{place}.name"] == "mace"
        assert settings[f"{place}.model"].startswith(str(project / ".superion" / "potentials"))
    checked = cli("potential", "check", "argyrodite", "--device", "cpu", "--json").json()
    assert checked["provenance"]["model"] == "argyrodite.safetensors"
    cli("potential", "check", "argyrodite:large").assert_sentence("its own model", "':large'")


def test_a_rejected_one_needs_force(cli, project):
    run = ("run", "conductivity", "Li6PS5Cl", "--dry-run", "--json", "--potential", "weak")
    cli(*run).assert_sentence("weak was rejected (it exploded after 12 ps)", "--force")
    answer = cli(*run, "--force")
    assert answer.code == 0, answer.err
    assert answer.json()["settings"]["potential.options"] == {"force": True}
    assert cli(*run, "--set", "potential.options={force: true}").code == 0


def test_outside_its_elements_it_is_refused(cli, project):
    (project / "oxide.vasp").write_text(
        "Li2O\n4.62\n0 .5 .5\n.5 0 .5\n.5 .5 0\nLi O\n2 1\nDirect\n.25 .25 .25\n.75 .75 .75\n0 0 0\n"
    )
    answer = cli("run", "conductivity", "oxide.vasp", "--dry-run", "--potential", "argyrodite")
    answer.assert_sentence("does not know the element O", "Cl, Li, P, S")


def test_unknown_names_are_told_as_ever(cli, project):
    cli("run", "conductivity", "Li6PS5Cl", "--dry-run", "--potential", "argirodite").assert_sentence("no potential")


def test_training_is_planned_by_the_commands(cli, project, models):
    distil = ("potential", "distil", "Li6PS5Cl", "--teacher", "chgnet", "--size", "small", "--temperature", "700,900")
    answer = cli(*distil, "--name", "mine", "--mobile-ion", "Li", "--dry-run", "--json")
    assert answer.code == 0, answer.err
    planned = answer.json()
    assert (planned["flow"], planned["settings"]["potential_name"]) == ("distil-potential", "mine")
    assert planned["settings"]["temperatures_k"] == [700.0, 900.0]
    assert planned["settings"]["teacher.name"] == "chgnet"
    assert "mean --size?" in cli(*distil, "--dry-run", "--sise", "tiny").err
    cli("potential", "distil", "Li6PS5Cl", "--size", "huge", "--dry-run").assert_sentence("huge", "tiny")

    (project / "frames.extxyz").touch()
    for model in (str(models[0]), "argyrodite"):
        answer = cli(
            "potential", "finetune", "frames.extxyz", "--model", model, "--name", "better", "--dry-run", "--json"
        )
        assert answer.code == 0, answer.err
        assert answer.json()["settings"]["model.name"] == "mace"
        assert answer.json()["settings"]["model.model"].endswith(".safetensors")
    cli("potential", "finetune", "no.extxyz", "--model", "argyrodite", "--dry-run").assert_sentence("no.extxyz")

    judge = ("potential", "validate", "Li6PS5Cl", "--teacher", "chgnet", "--dry-run", "--json", "--potential")
    answer = cli(*judge, "weak")
    assert answer.code == 0, answer.err
    assert answer.json()["plan"]["potential"] == "weak, compared with chgnet"
    cli(*judge, "chgnet").assert_sentence("no model file of superion")
