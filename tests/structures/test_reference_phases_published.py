"""The shipped reference phases agree with published crystals, and claim no more agreement than there is."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np
import pymatgen.analysis.prototypes
import pytest
import spglib
import yaml
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from superion import configs
from superion.structures.reference_phases import PhaseRecord, shipped_phases

PUBLISHED = yaml.safe_load((Path(__file__).parent / "published_crystals.yaml").read_text(encoding="utf-8"))
LATTICE_TOLERANCE = 0.01
"""Temperatures and laboratories differ by less than this in each parameter; a slip seldom does."""
GREATEST_DISPLACEMENT = 0.06
"""Root mean square, in units of the cube root of the volume per atom."""
HALL_NUMBERS = {spglib.get_spacegroup_type(number).hall_symbol: number for number in range(1, 531)}
MATCHER = StructureMatcher(ltol=0.1, stol=0.3, angle_tol=4, scale=False)
TABLE = Path(configs.__file__).parent / "reference_phases" / "phases.yaml"
RECORDS = {
    entry["name"]: PhaseRecord.model_validate(entry)
    for entry in yaml.safe_load(TABLE.read_text(encoding="utf-8"))["phases"]
}


@cache
def ours(name):
    """Build one shipped phase, and the few of its chemical system."""
    (phase,) = [phase for phase in shipped_phases({site[0] for site in RECORDS[name].sites}) if phase.name == name]
    return phase


def crystal(hall, lattice, sites):
    """Build a crystal in the setting that it was published in."""
    operations = spglib.get_symmetry_from_database(HALL_NUMBERS[hall])
    symbols, places = [], []
    for symbol, *place in sites:
        orbit = []
        for rotation, shift in zip(operations["rotations"], operations["translations"], strict=True):
            image = rotation @ np.array(place) + shift
            if all(np.abs((image - other + 0.5) % 1.0 - 0.5).max() > 2e-3 for other in orbit):
                orbit.append(image)
        symbols += [symbol] * len(orbit)
        places += orbit
    return Structure(Lattice.from_parameters(*lattice), symbols, places, to_unit_cell=True)


def conventional(structure):
    """Give the parameters of the standardized conventional cell."""
    numbers = [site.specie.Z for site in structure]
    cell = spglib.standardize_cell((structure.lattice.matrix, structure.frac_coords, numbers), symprec=0.01)
    return Lattice(cell[0]).parameters


def departure(mine, theirs):
    """Give the greatest relative difference of lattice parameters."""
    return max(abs(own / their - 1.0) for own, their in zip(mine, theirs, strict=True))


def agrees(name, theirs):
    """Tell whether ours is the same crystal, in lattice and positions."""
    mine = ours(name).structure
    same_lattice = departure(conventional(mine), conventional(theirs)) < LATTICE_TOLERANCE
    distance = MATCHER.get_rms_dist(mine, theirs)
    return bool(same_lattice and distance is not None and distance[0] < GREATEST_DISPLACEMENT)


@cache
def aflow():
    folder = Path(pymatgen.analysis.prototypes.__file__).parent
    with gzip.open(folder / "aflow_prototypes.json.gz", "rt") as file:
        return [(entry["tags"]["aflow"], entry["snl"]) for entry in json.load(file)]


def aflow_crystal(label, formula):
    found = [Structure.from_dict(crystal) for name, crystal in aflow() if name == label]
    (match,) = [structure for structure in found if structure.composition.reduced_formula == formula]
    return match


WITH_SITES = [entry for entry in PUBLISHED["crystals"] if "sites" in entry]
LATTICES = [entry for entry in PUBLISHED["crystals"] if "sites" not in entry]
CUBIC = [(name, a) for table in PUBLISHED["cubic"].values() for name, a in table.items()]
"""Cubic crystals whose atoms all sit on special positions, so that the lattice is the structure."""


@pytest.mark.parametrize("entry", WITH_SITES, ids=lambda entry: f"{entry['phase']} {entry['entry']}")
def test_lattice_and_positions_are_those_of_the_entry(entry):
    theirs = crystal(entry["hall"], entry["lattice"], entry["sites"])
    assert theirs.composition.reduced_formula == ours(entry["phase"]).formula
    assert agrees(entry["phase"], theirs) is ("departs" not in entry)


@pytest.mark.parametrize("entry", LATTICES, ids=lambda entry: f"{entry['phase']} {entry['entry']}")
def test_the_lattice_is_that_of_the_entry(entry):
    assert departure(conventional(ours(entry["phase"]).structure), entry["lattice"]) < LATTICE_TOLERANCE


@pytest.mark.parametrize(("name", "length"), CUBIC)
def test_cubic_lattices_are_those_of_tables(name, length):
    a, b, c, *angles = conventional(ours(name).structure)
    assert angles == pytest.approx([90, 90, 90])
    assert (a, b, c) == pytest.approx((length, length, length), rel=LATTICE_TOLERANCE)


@pytest.mark.parametrize("name", PUBLISHED["aflow"])
def test_typed_phases_agree_with_prototypes_of_the_same_compound(name):
    assert agrees(name, aflow_crystal(PUBLISHED["aflow"][name], ours(name).formula))


@pytest.mark.parametrize("name", PUBLISHED["aflow_cells"])
def test_lattices_of_prototypes_whose_positions_are_not_ours(name):
    theirs = aflow_crystal(PUBLISHED["aflow_cells"][name], ours(name).formula)
    assert departure(conventional(ours(name).structure), conventional(theirs)) < LATTICE_TOLERANCE


def test_every_claim_of_agreement_is_one_that_was_tested_and_none_is_missing():
    agreeing = [entry for entry in WITH_SITES if "departs" not in entry]
    structures = {entry["phase"] for entry in agreeing if "positions_are_ours" not in entry}
    structures |= {name for name, _ in CUBIC} | set(PUBLISHED["aflow"])
    lattices = {entry["phase"] for entry in agreeing + LATTICES} | set(PUBLISHED["aflow_cells"])
    lattices -= structures
    claims = {name: phase.verified.scope for name, phase in RECORDS.items() if phase.verified}
    assert claims == dict.fromkeys(structures, "structure") | dict.fromkeys(lattices, "lattice")


def test_the_comparison_sees_the_slips_that_it_found():
    """Indium in the face-centred cell, and germanium dioxide with the positions of quartz, as once shipped."""
    indium = crystal("-I 4 2", [4.6002, 4.6002, 4.9463, 90, 90, 90], [["In", 0, 0, 0]])
    assert not agrees("In", indium)
    quartz = crystal(
        'P 31 2"', [4.987, 4.987, 5.652, 90, 90, 120], [["Ge", 0.4699, 0, 1 / 3], ["O", 0.413, 0.2668, 0.214]]
    )
    assert not agrees("GeO2 (quartz)", quartz)
