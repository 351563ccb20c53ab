"""CIFs after the conventions of databases, programs and journals, with what must come out of each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymatgen.core import Composition
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from superion.errors import StructureError
from superion.structures.read import read_structure_with_notes
from superion.structures.rejection import StructureRejection

FOLDER = Path(__file__).parent / "files"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "expectations.yaml").read_text("utf-8"))


def test_every_file_has_its_expectation():
    assert sorted(EXPECTED) == sorted(path.name for path in FOLDER.iterdir())
    assert len(EXPECTED) >= 60


@pytest.mark.parametrize("name", [name for name, wanted in EXPECTED.items() if "formula" in wanted])
def test_read(name: str):
    wanted = EXPECTED[name]
    reading = read_structure_with_notes(FOLDER / name)
    structure = reading.structure
    assert structure.composition.element_composition.almost_equals(Composition(wanted["formula"]), 1e-3, 1e-2), (
        structure.composition
    )
    assert len(structure) == wanted["sites"]
    for note in wanted.get("notes", []):
        assert any(note in said for said in reading.notes), reading.notes
    if not wanted.get("notes"):
        assert not reading.notes
    if "notes_count" in wanted:
        assert len(reading.notes) == wanted["notes_count"]
    if "space_group" in wanted:
        assert SpacegroupAnalyzer(structure, symprec=1e-3).get_space_group_symbol() == wanted["space_group"]
    for symbol, state in (wanted.get("oxidation") or {}).items():
        assert {s.oxi_state for site in structure for s in site.species if s.symbol == symbol} == {state}


@pytest.mark.parametrize("name", [name for name, wanted in EXPECTED.items() if "refused" in wanted])
def test_refused(name: str):
    wanted = EXPECTED[name]
    with pytest.raises(StructureError, match=wanted["refused"]) as caught:
        read_structure_with_notes(FOLDER / name)
    message = str(caught.value)
    assert name in message
    assert "\n" not in message
    assert message.endswith(".")
    assert not re.search(r"\.\.$", message)
    if "code" in wanted:
        assert isinstance(caught.value, StructureRejection)
        assert caught.value.code.value == wanted["code"]
