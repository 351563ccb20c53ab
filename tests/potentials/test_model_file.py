"""Model files: written, read without torch, refused in one sentence where they do not fit."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from superion.errors import PotentialError
from superion.potentials.identity import potential_identity
from superion.potentials.mace_model import load_mace_model
from superion.potentials.model_file import (
    change_model_header,
    is_model_file,
    load_model,
    read_model_header,
    write_model_file,
)
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification


@pytest.fixture(scope="module")
def model_path(tiny_mace_path: Path, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "student.safetensors"
    model = load_mace_model(tiny_mace_path)
    write_model_file(path, model, {"name": "student", "metrics": {"force": 0.07}})
    return path


@pytest.fixture
def salt():
    atoms = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
    atoms.rattle(0.1, seed=3)
    return atoms


def specification(path: Path, **options) -> PotentialSpecification:
    return PotentialSpecification(name="mace", model=str(path), device="cpu", options=options)


def header_changed(path: Path, target: Path, change) -> Path:
    """Copy a file with another header, as another program or another version would write it."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    encoded = json.dumps(header).encode()
    target.write_bytes(struct.pack("<Q", len(encoded)) + encoded + content[8 + length :])
    return target


def test_energies_and_forces_are_those_of_the_model(model_path, tiny_mace_path, salt):
    given = load_potential(
        PotentialSpecification(name="mace", model=str(tiny_mace_path), device="cpu", dtype="float32")
    )
    salt.calc = given.calculator()
    energy, forces, stress = salt.get_potential_energy(), salt.get_forces(), salt.get_stress()
    salt.calc = load_potential(specification(model_path)).calculator()
    assert salt.get_potential_energy() == energy
    np.testing.assert_array_equal(salt.get_forces(), forces)
    np.testing.assert_array_equal(salt.get_stress(), stress)


def test_provenance_names_the_weights_and_not_the_verdict(model_path, tmp_path):
    header = read_model_header(model_path)
    accepted = tmp_path / "accepted.safetensors"
    change_model_header(model_path, accepted, verdict="accepted", reasons=("everything passed",), weights_sha256="no")
    assert read_model_header(accepted).verdict == "accepted"
    assert accepted.read_bytes() != model_path.read_bytes()
    provenances = [load_potential(specification(path)).provenance for path in (model_path, accepted)]
    assert {one.weights_sha256 for one in provenances} == {header.weights_sha256}
    assert (provenances[0].dtype, provenances[0].package) == ("float32", "mace-torch")


def test_the_header_is_read_without_torch(model_path):
    code = (
        "import sys\nfrom superion.potentials.model_file import read_model_header\n"
        f"print(read_model_header({str(model_path)!r}).name, 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["student", "False"]


def test_elements_are_checked_without_weights(model_path):
    potential = load_potential(specification(model_path))
    assert potential.check_elements_without_weights(["Li", "Cl"])
    with pytest.raises(PotentialError, match="does not know the element K"):
        potential.check_elements_without_weights(["K", "Cl"])
    assert "_model" not in vars(potential)


def test_a_rejected_model_is_used_only_by_force(model_path, tmp_path, salt):
    rejected = tmp_path / "rejected.safetensors"
    change_model_header(model_path, rejected, verdict="rejected", reasons=("it exploded at 1000 K",))
    with pytest.raises(PotentialError, match=r"was rejected by its validation \(it exploded at 1000 K\).*force: true"):
        load_potential(specification(rejected))
    salt.calc = load_potential(specification(rejected, force=True)).calculator()
    assert np.isfinite(salt.get_potential_energy())


def test_wrong_files_are_refused_in_one_sentence(model_path, tmp_path):
    def newer(header):
        content = json.loads(header["__metadata__"]["superion"])
        header["__metadata__"]["superion"] = json.dumps(content | {"format_version": 99, "superion_version": "9.0"})

    other = header_changed(model_path, tmp_path / "newer.safetensors", newer)
    with pytest.raises(PotentialError, match=r"layout version 99.*use the version of superion that wrote it \(9.0\)"):
        load_potential(specification(other))
    foreign = header_changed(model_path, tmp_path / "foreign.safetensors", lambda header: header.pop("__metadata__"))
    with pytest.raises(PotentialError, match="no description by superion"):
        load_potential(specification(foreign))
    half = tmp_path / "half.safetensors"
    half.write_bytes(model_path.read_bytes()[:-1000])
    assert is_model_file(half)
    with pytest.raises(PotentialError, match="do not fit the model"):
        load_model(half)
    with pytest.raises(PotentialError, match="cannot be read"):
        read_model_header(tmp_path / "missing.safetensors")


def test_changed_weights_are_noticed(model_path, tmp_path):
    content = bytearray(model_path.read_bytes())
    content[-2] ^= 0xFF
    changed = tmp_path / "changed.safetensors"
    changed.write_bytes(bytes(content))
    with pytest.raises(PotentialError, match="not those that its header names"):
        load_model(changed)


def test_torch_sim_takes_a_model_file(model_path, salt):
    torch_sim = pytest.importorskip("torch_sim")
    import torch

    potential = load_potential(specification(model_path))
    model = potential.torch_sim_model()
    state = torch_sim.io.atoms_to_state([salt], torch.device("cpu"), torch.float32)
    salt.calc = potential.calculator()
    assert float(model(state)["energy"][0]) == pytest.approx(salt.get_potential_energy(), abs=1e-4)


def test_another_verdict_is_the_same_potential_for_keys(model_path, tmp_path):
    accepted = tmp_path / "accepted.safetensors"
    change_model_header(model_path, accepted, verdict="accepted")
    identities = [potential_identity(specification(path)) for path in (model_path, accepted)]
    assert identities[0] == identities[1]
