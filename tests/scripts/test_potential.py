from __future__ import annotations

from importlib import metadata

from ase.build import bulk
from ase.io import write


def test_every_registered_potential_is_listed(cli):
    rows = cli("potential", "list", "--json").json()
    assert {row["name"] for row in rows} == {point.name for point in metadata.entry_points(group="superion.potentials")}
    for row in rows:
        assert row["installed"] or row["install_command"]
    text = cli("potential", "list").out
    assert "chgnet" in text


def test_a_potential_is_tried(cli, folder):
    write("copper.cif", bulk("Cu", cubic=True).repeat(2))
    answer = cli("potential", "check", "ase:ase.calculators.emt.EMT", "--structure", "copper.cif", "--json")
    assert answer.code == 0, answer.err
    check = answer.json()
    assert check["n_atoms"] == 32
    assert check["provenance"]["package"] == "ase"
    assert check["has_stress"] is True
    text = cli("potential", "check", "ase:ase.calculators.emt.EMT", "--structure", "copper.cif").out
    assert "eV/atom" in text
    assert check["provenance"]["weights_sha256"] in text


def test_options_reach_the_calculator(cli, folder, cosine, cosine_system):
    import json

    options = [f"{name}={json.dumps(value)}" for name, value in cosine_system.specification.options.items()]
    answer = cli(
        *("potential", "check", cosine.options[1], "--structure", cosine.file, "--json"),
        *(word for option in options for word in ("--option", option)),
    )
    assert answer.code == 0, answer.err
    assert answer.json()["n_atoms"] == 45


def test_what_does_not_work_is_a_sentence(cli, folder):
    write("salt.cif", bulk("LiCl", "rocksalt", a=5.13, cubic=True))
    cli("potential", "check", "chgnt").assert_sentence("did you mean 'chgnet'")
    cli("potential", "check", "ase:no.such.Calculator").assert_sentence("no.such.Calculator")
    emt = "ase:ase.calculators.emt.EMT"
    cli("potential", "check", emt, "--structure", "salt.cif").assert_sentence("EMT", "Cl")
    cli("potential", "check", emt, "--structure", "nowhere.cif").assert_sentence("nowhere.cif")
    cli("potential", "check", "mace:no/such/file.model").assert_sentence("file.model")
