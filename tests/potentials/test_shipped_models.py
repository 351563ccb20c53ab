"""Models that ship with superion: loaded by name, accepted, small, and without pickled code."""

from __future__ import annotations

import numpy as np
import pytest
from superion.configs.shipped import shipped_files
from superion.errors import PotentialError
from superion.potentials.mace_model import model_header
from superion.potentials.model_file import SUFFIX
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.runtime.atoms import as_structure
from superion.structures.order import order_structure
from superion.structures.read import read_structure

MODELS = shipped_files("potentials", SUFFIX)
ARGYRODITE = "li6ps5cl-chgnet-tiny"


@pytest.mark.parametrize("name", MODELS)
def test_each_is_accepted_small_and_has_a_preset(name):
    header = model_header(MODELS[name])
    assert (header.name, header.verdict) == (name, "accepted")
    assert header.teacher.licence
    assert MODELS[name].stat().st_size < 2_000_000
    assert name in shipped_files("potentials")


@pytest.mark.parametrize("runtime", ["torch", "auto"])
def test_the_argyrodite_is_near_its_teacher(runtime):
    pytest.importorskip("chgnet")
    crystal = order_structure(read_structure("Li6PS5Cl"), n_starts=1).structure
    atoms = as_structure(crystal).to_ase_atoms()
    atoms.rattle(0.05, seed=1)
    forces = []
    specifications = (
        PotentialSpecification(name="mace", model=ARGYRODITE, device="cpu", options={"runtime": runtime}),
        PotentialSpecification(name="chgnet", device="cpu"),
    )
    for specification in specifications:
        atoms.calc = load_potential(specification).calculator()
        forces.append(atoms.get_forces())
    assert np.sqrt(((forces[0] - forces[1]) ** 2).mean()) < 0.15
    assert np.abs(forces[1]).max() > 0.5, "there is something to compare"


def test_a_name_nearly_right_is_corrected():
    with pytest.raises(PotentialError, match=f"did you mean '{ARGYRODITE}'"):
        load_potential(PotentialSpecification(name="mace", model="li6ps5cl-chgnet-tin", device="cpu"))
