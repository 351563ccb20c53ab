"""Structures through plain JSON: the same crystal, and nothing else that the JSON names."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition, Element, Lattice, Species, Structure
from superion.errors import StructureError
from superion.structures.fingerprint import structure_fingerprint
from superion.structures.plain_structure import (
    iterate_plain_records,
    structure_from_plain,
    structure_to_plain,
)

SYMBOLS = ("Li", "Na", "P", "S", "Cl", "O", "Zr")
ELEMENTS = st.sampled_from(SYMBOLS).map(Element)
IONS = st.builds(Species, st.sampled_from(SYMBOLS), st.sampled_from([-2, -1, 0.5, 1, 4]))
OCCUPANTS = st.one_of(
    # not both of one element on one site: pymatgen adds them up, and such a composition is not equal to itself
    st.dictionaries(kind, st.floats(0.05, 0.3), min_size=1, max_size=3).map(Composition)
    for kind in (ELEMENTS, IONS)
)
COORDINATES = st.floats(-2, 2, allow_nan=False).map(lambda number: number + 0.0)


@given(
    st.lists(st.tuples(OCCUPANTS, st.tuples(COORDINATES, COORDINATES, COORDINATES)), min_size=1, max_size=6),
    st.floats(2.0, 30.0),
)
def test_comes_back_exactly(sites, edge):
    matrix = np.diag([edge, edge + 0.1, edge + 0.7]) + np.array([[0, 0, 0], [0.3, 0, 0], [0, 0.2, 0]])
    structure = Structure(Lattice(matrix), [species for species, _ in sites], [place for _, place in sites])
    for plain in (structure_to_plain(structure), structure.as_dict()):
        again = structure_from_plain(json.loads(json.dumps(plain)))
        assert structure_fingerprint(again) == structure_fingerprint(structure)
        assert [site.species for site in again] == [site.species for site in structure]


def test_keeps_a_charge_that_was_given():
    charged = Structure(Lattice.cubic(4), ["Li+"], [[0, 0, 0]], charge=1)
    assert structure_from_plain(structure_to_plain(charged)).charge == 1
    assert structure_from_plain(charged.as_dict()).charge == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["lattice", "matrix", "sites", "species", "abc", "element", "occu", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ).filter(lambda data: isinstance(data, dict))
)
def test_anything_else_is_refused_in_one_sentence(data):
    with pytest.raises(StructureError) as caught:
        structure_from_plain(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["json", "jsonl", "json.gz", "jsonl.gz"])
def test_reads_one_list_lines_and_compressed(tmp_path, ending):
    import gzip

    cells = [Structure(Lattice.cubic(edge), ["Li"], [[0, 0, 0]]).as_dict() for edge in (3.0, 3.5)]
    text = json.dumps(cells) if ending.startswith("json.") or ending == "json" else "\n".join(map(json.dumps, cells))
    path = tmp_path / f"cells.{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    assert [structure_from_plain(record).lattice.a for record in iterate_plain_records(path)] == [3.0, 3.5]
    assert len(list(iterate_plain_records(path))) == 2
