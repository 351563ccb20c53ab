from __future__ import annotations

import json

import numpy as np
from pymatgen.core import Lattice, Structure
from superion.structures.fingerprint import structure_fingerprint


def salt() -> Structure:
    return Structure(Lattice.cubic(4.0), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_known_value():
    # the same on every platform: documents of one machine are found on another
    assert structure_fingerprint(salt()) == "3df8b5d51648b157ce454e234ac86c5636721ed562d8163dd3914e3bfb01d924"


def test_json_round_trip_keeps_it(li6ps5cl):
    again = Structure.from_dict(json.loads(json.dumps(li6ps5cl.as_dict())))
    assert structure_fingerprint(again) == structure_fingerprint(li6ps5cl)


def test_every_change_of_the_atoms_changes_it(li6ps5cl):
    seen = {structure_fingerprint(li6ps5cl)}
    moved = li6ps5cl.copy()
    moved.translate_sites([0], [1e-12, 0, 0], to_unit_cell=False)
    swapped = Structure.from_sites([li6ps5cl[1], li6ps5cl[0], *li6ps5cl[2:]])
    other = li6ps5cl.copy()
    other.replace(0, "Na")
    strained = li6ps5cl.copy()
    strained.apply_strain(1e-10)
    for variant in (moved, swapped, other, strained):
        seen.add(structure_fingerprint(variant))
    assert len(seen) == 5


def test_decoration_does_not_change_it():
    plain, decorated = salt(), salt()
    decorated.add_oxidation_state_by_element({"Li": 1, "Cl": -1})
    decorated.add_site_property("magmom", [0.0, 1.0])
    assert structure_fingerprint(plain) == structure_fingerprint(decorated)


def test_negative_zero_is_zero():
    negative = Structure(Lattice.cubic(4.0), ["Li", "Cl"], [[-0.0, 0, 0], [0.5, 0.5, 0.5]])
    assert np.signbit(negative.frac_coords[0, 0])
    assert structure_fingerprint(negative) == structure_fingerprint(salt())


def test_occupancies_count():
    half = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert structure_fingerprint(half) != structure_fingerprint(salt())
