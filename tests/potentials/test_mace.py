from __future__ import annotations

import hashlib
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from superion.errors import PotentialError
from superion.potentials.mace import MacePotential, _find_foundation
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification


@pytest.fixture(scope="module")
def potential(tiny_mace_specification):
    return load_potential(tiny_mace_specification)


@pytest.fixture
def salt():
    atoms = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
    atoms.rattle(0.1, seed=3)
    return atoms


def test_provenance_has_the_digest_of_the_file(potential, tiny_mace_path: Path):
    provenance = potential.provenance
    assert provenance.weights_sha256 == hashlib.sha256(tiny_mace_path.read_bytes()).hexdigest()
    assert provenance.model == "tiny.model"
    assert (provenance.package, provenance.dtype, provenance.device) == ("mace-torch", "float64", "cpu")


def test_forces_are_the_gradient(potential, salt):
    from ase.calculators.fd import calculate_numerical_forces

    salt.calc = potential.calculator()
    forces = salt.get_forces()
    assert np.abs(forces).max() > 1e-4
    np.testing.assert_allclose(forces, calculate_numerical_forces(salt, eps=1e-4), atol=1e-7)


def test_precision_follows_the_request_and_auto_follows_the_file(tiny_mace_path: Path, salt):
    energies = {}
    for dtype in ("auto", "float32", "float64"):
        potential = load_potential(
            PotentialSpecification(name="mace", model=str(tiny_mace_path), device="cpu", dtype=dtype)
        )
        salt.calc = potential.calculator()
        energies[dtype] = salt.get_potential_energy()
        assert potential.provenance.dtype == ("float32" if dtype == "float32" else "float64")
    assert energies["auto"] == energies["float64"]
    assert energies["float32"] != energies["float64"]
    assert energies["float32"] == pytest.approx(energies["float64"], rel=1e-5)


def test_unknown_element_is_named(potential):
    with pytest.raises(PotentialError, match=r"mace \(tiny.model\) does not know the elements K, U"):
        potential.check_elements(["Li", "U", "K"])
    potential.check_elements(["Li", "P", "S", "Cl"])


def test_torch_sim_gives_the_energies_and_forces_of_ase(potential, salt):
    torch = pytest.importorskip("torch")
    torch_sim = pytest.importorskip("torch_sim")
    assert potential.supports_torch_sim
    model = potential.torch_sim_model()
    systems = [salt, salt * (2, 1, 1), salt[:5]]
    state = torch_sim.io.atoms_to_state(systems, torch.device("cpu"), torch.float64)
    batch = model(state)
    forces = []
    for index, atoms in enumerate(systems):
        atoms.calc = potential.calculator()
        assert float(batch["energy"][index]) == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
        forces.append(atoms.get_forces())
    np.testing.assert_allclose(batch["forces"].numpy(), np.vstack(forces), atol=1e-10)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("medium-mpa-0", ("mp", "medium-mpa-0")),
        ("mace-mpa-0-medium", ("mp", "medium-mpa-0")),
        ("small", ("mp", "small")),
        ("mace-omat-0-small", ("mp", "small-omat-0")),
        ("mace-matpes-r2scan-0", ("mp", "mace-matpes-r2scan-0")),
        ("off-small", ("off", "small")),
        ("mace_off23-medium", ("off", "medium")),
        ("omol-extra_large", ("omol", "extra_large")),
    ],
)
def test_foundation_models_by_any_spelling(name: str, meant: tuple[str, str]):
    assert _find_foundation(name) == meant


def test_unknown_foundation_model_names_the_nearest():
    with pytest.raises(PotentialError, match="no MACE model 'mediun': did you mean 'medium'"):
        load_potential(PotentialSpecification(name="mace", model="mediun"))


def test_missing_file_is_no_model_name():
    with pytest.raises(PotentialError, match="There is no MACE model file"):
        load_potential(PotentialSpecification(name="mace", model="nowhere/best.model"))


def test_without_network_the_sentence_names_what_to_fetch(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    for model, address in (("small", "github.com/ACEsuit/mace-mp"), ("off-small", "MACE-OFF23_small.model")):
        potential = load_potential(PotentialSpecification(name="mace", model=model))
        with pytest.raises(PotentialError, match=rf"cannot be downloaded .*{address}.* give the file's path"):
            potential.calculator()


def test_cached_foundation_model_is_used_and_digested(tmp_path, monkeypatch, tiny_mace_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("must not go to the network"))
    (tmp_path / "mace").mkdir()
    (tmp_path / "mace" / "MACE-OFF23_small.model").write_bytes(tiny_mace_path.read_bytes())
    potential = load_potential(PotentialSpecification(name="mace", model="off-small"))
    assert potential.provenance.weights_sha256 == hashlib.sha256(tiny_mace_path.read_bytes()).hexdigest()
    assert (potential.provenance.model, potential.provenance.dtype) == ("off-small", "float32")


def test_damaged_model_file_is_one_sentence(tmp_path, tiny_mace_path: Path):
    damaged = tmp_path / "half.model"
    damaged.write_bytes(tiny_mace_path.read_bytes()[:5000])
    with pytest.raises(PotentialError, match=r"half.model cannot be read as a MACE model"):
        load_potential(PotentialSpecification(name="mace", model=str(damaged))).calculator()


def test_unknown_head_is_refused_where_mace_would_take_another(tiny_mace_path: Path):
    potential = load_potential(PotentialSpecification(name="mace", model=str(tiny_mace_path), options={"head": "omat"}))
    with pytest.raises(PotentialError, match="no head 'omat': its heads are Default"):
        potential.calculator()


def test_loading_is_quiet(tiny_mace_specification, capfd):
    MacePotential(tiny_mace_specification).calculator()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
