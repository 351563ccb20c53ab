from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from superion.errors import PotentialError
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification

pytest.importorskip("chgnet")


@pytest.fixture(scope="module")
def potential():
    return load_potential(PotentialSpecification(name="chgnet", device="cpu"))


def test_provenance_is_of_the_weights_in_the_wheel(potential):
    import chgnet

    weights = Path(chgnet.__file__).parent / "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"
    assert potential.provenance.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert (potential.provenance.model, potential.provenance.dtype) == ("0.3.0", "float32")


def test_energy_equals_the_library_called_directly(potential):
    from chgnet.model.model import CHGNet
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms = bulk("LiF", "rocksalt", a=4.0)
    atoms.calc = potential.calculator()
    direct = CHGNet.load(use_device="cpu", verbose=False).predict_structure(AseAtomsAdaptor.get_structure(atoms))
    assert atoms.get_potential_energy() == pytest.approx(2 * float(direct["e"]), abs=1e-4)
    np.testing.assert_allclose(atoms.get_forces(), direct["f"], atol=1e-4)


def test_what_is_left_out_changes_no_bit_of_the_forces(potential):
    from chgnet.model.dynamics import CHGNetCalculator
    from chgnet.model.model import CHGNet

    atoms = bulk("LiF", "rocksalt", a=4.0, cubic=True)
    ours, theirs = (
        potential.calculator(),
        CHGNetCalculator(CHGNet.load(use_device="cpu", verbose=False), use_device="cpu"),
    )
    for seed in range(3):
        atoms.rattle(0.05, seed=seed)
        reference = atoms.copy()
        atoms.calc, reference.calc = ours, theirs
        if seed == 2:
            np.testing.assert_array_equal(atoms.get_stress(), reference.get_stress())
            assert ours.get_property("magmoms", atoms).shape == (8,)
        np.testing.assert_array_equal(atoms.get_forces(), reference.get_forces())
        assert atoms.get_potential_energy() == reference.get_potential_energy()
        assert ("stress" in ours.results) == (seed == 2)


def test_float64_is_refused():
    with pytest.raises(PotentialError, match="float32 only"):
        load_potential(PotentialSpecification(name="chgnet", dtype="float64"))


def test_shipped_versions_differ_and_unknown_ones_are_named():
    old = load_potential(PotentialSpecification(name="chgnet", model="0.2.0", device="cpu")).provenance
    new = load_potential(PotentialSpecification(name="chgnet", model="0.3.0", device="cpu")).provenance
    assert old.weights_sha256 != new.weights_sha256
    with pytest.raises(
        PotentialError, match=r"no CHGNet model '0.9': the installed package ships 0.2.0, 0.3.0, r2scan"
    ):
        load_potential(PotentialSpecification(name="chgnet", model="0.9"))


def test_checkpoint_by_path_is_the_same_potential(potential):
    by_path = load_potential(PotentialSpecification(name="chgnet", model=str(potential.weights_path), device="cpu"))
    assert by_path.provenance.weights_sha256 == potential.provenance.weights_sha256
    assert by_path.provenance.model == potential.weights_path.name
    atoms = bulk("LiF", "rocksalt", a=4.0)
    energies = []
    for source in (potential, by_path):
        atoms.calc = source.calculator()
        energies.append(atoms.get_potential_energy())
    assert energies[0] == energies[1]


def test_elements_outside_the_training_data_are_refused(potential):
    with pytest.raises(PotentialError, match=r"chgnet \(0.3.0\) does not know the element Ra"):
        potential.check_elements(["Li", "Ra"])
    with pytest.raises(PotentialError, match="Am"):
        potential.check_elements(["Am"])
    potential.check_elements(["Li", "P", "S", "Cl", "Pu"])


def test_it_does_not_serve_torch_sim(potential):
    assert not potential.supports_torch_sim
    with pytest.raises(PotentialError, match="'chgnet' cannot serve torch-sim"):
        potential.torch_sim_model()


def test_unknown_option_is_one_sentence():
    broken = load_potential(PotentialSpecification(name="chgnet", device="cpu", options={"stres_weight": 1.0}))
    with pytest.raises(PotentialError, match="has no option 'stres_weight': did you mean 'stress_weight'"):
        broken.calculator()
