from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest
from superion import plugins
from superion.errors import PotentialError
from superion.potentials import registry
from superion.potentials.ase_calculator import AseCalculatorPotential
from superion.potentials.registry import list_potentials, load_potential
from superion.potentials.specification import PotentialSpecification


def test_default_is_mace():
    assert PotentialSpecification().name == "mace"


def test_all_kinds_are_listed_with_what_installs_them():
    infos = {info.name: info for info in list_potentials()}
    assert {"mace", "chgnet", "sevennet", "matgl", "ase"} <= set(infos)
    assert infos["mace"].supports_torch_sim
    assert not infos["chgnet"].supports_torch_sim
    for info in infos.values():
        assert info.install_command.startswith("pip install")
        assert info.installed == (info.package_version is not None)


def test_listing_loads_nothing_heavy():
    program = (
        "import sys; from superion.potentials.registry import list_potentials; assert list_potentials();"
        "heavy = {'torch', 'mace', 'chgnet', 'e3nn', 'pymatgen', 'atomate2'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(("name", "meant"), [("mcae", "mace"), ("CHGnet", "chgnet"), ("sevenet", "sevennet")])
def test_unknown_name_names_the_nearest(name: str, meant: str):
    with pytest.raises(PotentialError, match=f"There is no potential '{name}': did you mean '{meant}'"):
        load_potential(PotentialSpecification(name=name))


def test_unknown_name_without_neighbour_lists_all():
    with pytest.raises(PotentialError, match="known names are ase, chgnet, mace"):
        load_potential(PotentialSpecification(name="zzzzzz"))


def test_third_party_registers_by_entry_point(tmp_path, monkeypatch):
    (tmp_path / "acme_potential.py").write_text(
        "from superion.potentials.ase_calculator import AseCalculatorPotential\n"
        "class Acme(AseCalculatorPotential):\n"
        "    name = 'acme'\n"
        "    description = 'a potential of another package'\n"
    )
    folder = tmp_path / "acme-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[superion.potentials]\nacme = acme_potential:Acme\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    potential = load_potential(PotentialSpecification(name="acme", model="ase.calculators.emt.EMT"))
    assert isinstance(potential, AseCalculatorPotential)
    assert potential.provenance.name == "acme"
    assert "acme" in [info.name for info in list_potentials()]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [("no_such_module:Thing", "does not load"), ("collections:OrderedDict", "not a subclass")],
)
def test_broken_registration_is_one_sentence_and_does_not_hide_the_others(monkeypatch, target: str, sentence: str):
    point = metadata.EntryPoint(name="broken", value=target, group=registry.POTENTIALS.entry_point_group)
    known = tuple(plugins.entry_points(group=registry.POTENTIALS.entry_point_group))
    monkeypatch.setattr(plugins, "entry_points", lambda group: (*known, point))
    with pytest.raises(PotentialError, match=sentence):
        load_potential(PotentialSpecification(name="broken"))
    infos = {info.name: info for info in list_potentials()}
    assert not infos["broken"].installed
    assert infos["ase"].installed


@pytest.mark.parametrize(("name", "command"), [("sevennet", "sevenn==0.10.4"), ("matgl", "matgl")])
def test_missing_package_names_the_command(name: str, command: str):
    infos = {info.name: info for info in list_potentials()}
    if infos[name].installed:
        pytest.skip(f"{name} is installed here")
    with pytest.raises(PotentialError, match=rf"is not installed: run pip install '{command}"):
        load_potential(PotentialSpecification(name=name))


def test_missing_chgnet_names_the_extra(monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "chgnet" else find(name, *rest)
    )
    with pytest.raises(PotentialError, match=r"run pip install 'superion\[chgnet\]'"):
        load_potential(PotentialSpecification(name="chgnet"))
