"""A relaxation with a potential whose numbers end fails, each time, and keeps nothing of it."""

from __future__ import annotations

import json

import pytest
from pymatgen.io.ase import AseAtomsAdaptor
from superion.errors import NonFiniteResultError
from superion.makers.prepare import PrepareMaker
from superion.makers.relax import RelaxMaker
from support.nan_calculator import nan_specification


@pytest.fixture
def candidate(cosine_system):
    cosine_system.atoms.rattle(0.05, seed=3)
    return PrepareMaker.make.original(PrepareMaker(), AseAtomsAdaptor.get_structure(cosine_system.atoms), "cosine")


@pytest.mark.parametrize(("wrong", "after"), [("nan energy", 0), ("infinite forces", 0), ("nan stress", 3)])
def test_it_fails_each_time(cosine_system, candidate, tmp_path, wrong, after):
    specification = nan_specification(cosine_system.specification, wrong, after=after)
    maker = RelaxMaker(potential=specification, checkpoint_root=str(tmp_path), maximum_steps=20)
    for _ in range(2):
        with pytest.raises(NonFiniteResultError, match="not numbers"):
            maker.document_of(candidate)
    assert not list(tmp_path.glob("relaxations/*.json"))


def test_what_an_earlier_version_kept_of_nan_is_done_again(cosine_system, candidate, tmp_path):
    maker = RelaxMaker(potential=cosine_system.specification, checkpoint_root=str(tmp_path), maximum_steps=3)
    first = maker.document_of(candidate)
    (kept,) = tmp_path.glob("relaxations/*.json")
    content = json.loads(kept.read_text())
    for damage in ({"max_force_ev_per_angstrom": None}, {"structure": {"@class": "Structure"}}):
        kept.write_text(json.dumps(content | damage))
        assert maker.document_of(candidate).energy_ev == first.energy_ev
        assert json.loads(kept.read_text()) == content
