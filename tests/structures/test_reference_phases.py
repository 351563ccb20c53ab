"""The shipped reference phases are what they say; a user's folder is read strictly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pymatgen.core import Composition, Lattice, Structure
from pymatgen.core.periodic_table import Element
from superion import configs
from superion.errors import StructureError
from superion.structures.reference_phases import (
    PhaseRecord,
    folder_fingerprint,
    folder_phases,
    phases_known_to_be_missing,
    phases_within,
    shipped_phases,
)
from superion.structures.validate import validate_structure

FOLDER = Path(configs.__file__).parent / "reference_phases"
RECORDS = [
    PhaseRecord.model_validate(entry) for entry in yaml.safe_load((FOLDER / "phases.yaml").read_text())["phases"]
]
SAMPLE = ["Li", "P", "S", "Cl"]


def formula_of(name):
    return Composition(re.sub(r" \(.*\)", "", name)).reduced_formula


def built(phase_name):
    (record,) = [record for record in RECORDS if record.name == phase_name]
    elements = {site[0] for site in record.sites}
    (phase,) = [phase for phase in shipped_phases(elements) if phase.name == phase_name]
    return phase


def check(phase, record):
    from pymatgen.symmetry.groups import SpaceGroup

    assert phase.formula == formula_of(record.name)
    assert record.source
    if record.is_molecule:
        return
    validate_structure(phase.structure)
    number = phase.structure.get_space_group_info(symprec=0.01)[1]
    group = record.space_group
    wanted = group if isinstance(group, int) else SpaceGroup(group).int_number
    assert number == wanted


def test_names_are_unique_and_all_elements_are_real():
    assert len({record.name for record in RECORDS}) == len(RECORDS)
    for record in RECORDS:
        assert all(Element.is_valid_symbol(site[0]) for site in record.sites)


@pytest.mark.parametrize("phase", shipped_phases(SAMPLE), ids=lambda phase: phase.name)
def test_shipped_phases_of_a_system_are_what_they_say(phase):
    (record,) = [record for record in RECORDS if record.name == phase.name]
    check(phase, record)


@pytest.mark.slow
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_every_shipped_phase_is_what_it_says(record):
    check(built(record.name), record)


def test_every_element_of_a_shipped_compound_has_its_own_phase():
    """Without its elements a compound would compete in no hull."""
    systems = [{site[0] for site in record.sites} for record in RECORDS]
    elements = {symbol for system in systems if len(system) == 1 for symbol in system}
    used = {symbol for system in systems for symbol in system}
    assert used - elements == {"Pb"}


@pytest.mark.parametrize(
    ("name", "density"),
    [
        ("LiCl", 2.07),
        ("S8", 2.07),
        ("Li2S", 1.64),
        ("P2S5 (stand-in)", 2.07),
        ("Li3PS4 (gamma)", 1.93),
        ("P (black)", 2.69),
    ],
)
def test_densities_are_those_of_handbooks(name, density):
    assert built(name).structure.density == pytest.approx(density, rel=0.03)


def test_bonds_of_the_stand_in_are_those_of_the_molecule():
    structure = built("P2S5 (stand-in)").structure
    phosphorus = next(site for site in structure if site.specie.symbol == "P")
    lengths = sorted(neighbour.nn_distance for neighbour in structure.get_neighbors(phosphorus, 2.6))
    assert lengths == pytest.approx([1.908, 2.095, 2.095, 2.095], abs=0.01)


def test_what_is_named_as_missing_is_not_shipped():
    shipped = {formula_of(record.name) for record in RECORDS}
    listed = yaml.safe_load((FOLDER / "not_shipped.yaml").read_text())["phases"]
    assert len(set(listed)) == len(listed)
    assert not shipped & {Composition(formula).reduced_formula for formula in listed}
    assert "Li7PS6" in phases_known_to_be_missing(["Li", "P", "S", "Cl"])
    assert phases_known_to_be_missing(["Ag", "I"]) == []
    # what a user's own set holds is not missing, what ships and is not in it is
    held = ["Li", "P", "S8", "Li7PS6", "Li6P2S8"]
    missing = phases_known_to_be_missing(["Li", "P", "S"], held)
    assert not {"Li7PS6", "Li3PS4", "Li"} & set(missing)
    assert {"Li2S", "P4S7", "Li3P"} <= set(missing)
    assert len(set(missing)) == len(missing)


def test_a_folder_of_ones_own(tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.14), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    salt.to(str(tmp_path / "salt.cif"))
    (tmp_path / "notes.txt").write_text("no structure")
    (phase,) = folder_phases(tmp_path)
    assert (phase.name, phase.formula) == ("salt", "LiCl")
    assert phases_within([phase], ["Li", "Cl", "S"]) == [phase]
    assert phases_within([phase], ["Li"]) == []
    before = folder_fingerprint(tmp_path)
    salt.scale_lattice(1.1 * salt.volume)
    salt.to(str(tmp_path / "salt.cif"))
    assert folder_fingerprint(tmp_path) != before
    assert folder_phases(tmp_path)[0].structure.volume != phase.structure.volume


@pytest.mark.parametrize("kind", ["no folder", "empty", "disordered"])
def test_folders_that_cannot_be_read(tmp_path, kind):
    folder = tmp_path / "phases"
    if kind != "no folder":
        folder.mkdir()
    if kind == "disordered":
        structure = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        structure.to(str(folder / "half.cif"))
    with pytest.raises(StructureError):
        folder_phases(folder)
