"""NEP files: computed by calorine, known by their first line, refused in a sentence."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from ase.build import bulk
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.errors import PotentialError, UnknownElementError
from superion.potentials.check import check_potential
from superion.potentials.nep_completeness import missing_numbers
from superion.potentials.nep_header import read_nep_header
from superion.potentials.readiness import check_readiness
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from support.tiny_nep import write_tiny_nep

pytest.importorskip("calorine")


@pytest.fixture
def path(tmp_path):
    return write_tiny_nep(tmp_path / "nep.txt")


@pytest.fixture
def salt():
    atoms = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
    atoms.rattle(0.1, seed=3)
    return atoms


def specify(path, **fields):
    return PotentialSpecification(name="nep", model=str(path), **fields)


def test_provenance_has_the_digest_of_the_file(path):
    provenance = load_potential(specify(path)).provenance
    assert provenance.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (provenance.model, provenance.package) == ("nep.txt", "calorine")
    assert (provenance.dtype, provenance.device, provenance.runtime) == ("float64", "cpu", None)


def test_forces_and_stress_are_the_gradient(path, salt):
    from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

    salt.calc = load_potential(specify(path)).calculator()
    forces, stress = salt.get_forces(), salt.get_stress()
    assert np.abs(forces).max() > 1e-2
    np.testing.assert_allclose(forces, calculate_numerical_forces(salt, eps=1e-4), atol=1e-5)
    np.testing.assert_allclose(stress, calculate_numerical_stress(salt, eps=1e-5, force_consistent=False), atol=1e-6)


def test_elements_are_read_off_the_first_line(path):
    potential = load_potential(specify(path))
    assert potential.known_elements() == {"Li", "P", "S", "Cl"}
    assert potential.check_elements_without_weights(["Li", "Cl"])
    with pytest.raises(UnknownElementError, match=r"nep \(nep.txt\) does not know the element K"):
        potential.check_elements(["Li", "K"])
    assert check_readiness(specify(path), ["Li"]) == []


def test_header(tmp_path):
    path = tmp_path / "nep.txt"
    path.write_text("nep5_zbl 1 Si\n")
    header = read_nep_header(path)
    assert (header.version, header.has_zbl, header.elements) == (5, True, ("Si",))


def test_a_step_is_timed(path, salt):
    check = check_potential(specify(path), salt)
    assert check.has_stress
    assert not check.supports_torch_sim
    assert check.net_force_ev_per_angstrom < 1e-6


def test_dynamics_continues_bit_by_bit(path, tmp_path):
    potential = load_potential(specify(path))
    salt = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
    protocol = MdProtocol(temperature_k=300, time_step_fs=1.0, frame_interval_fs=5.0)
    short, long = (RunLimits(duration_ps=length, segment_ps=0.02) for length in (0.02, 0.06))
    run_md(salt, potential, protocol, short, tmp_path / "a")
    continued = run_md(salt, load_potential(specify(path)), protocol, long, tmp_path / "a")
    whole = run_md(salt, potential, protocol, long, tmp_path / "b")
    assert continued.resumed_from_step == 20
    assert continued.segments == whole.segments


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a NEP file"),
        ("data_LiCl\n", "is not a NEP file"),
        ("nep4_dipole 2 Li Cl\n", "holds a NEP model of the kind 'nep4_dipole'"),
        ("nep4 3 Li Cl\n", "should name its elements after their number"),
        ("nep4 2 Li Xx1\n", "should name its elements after their number"),
    ],
)
def test_another_file_is_refused_in_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "other.txt"
    path.write_text(text)
    with pytest.raises(PotentialError, match=sentence):
        load_potential(specify(path)).calculator()


@pytest.mark.parametrize("n_kept", [1, 4, 40, -1])
def test_a_file_that_is_cut_off_is_refused(path, n_kept):
    """calorine would read it, and compute with numbers that are not there."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:n_kept]))
    with pytest.raises(PotentialError, match=r"The NEP file nep.txt is cut off"):
        load_potential(specify(path)).calculator()


@pytest.mark.parametrize("zbl", [True, False])
def test_a_whole_file_lacks_nothing(tmp_path, zbl):
    path = write_tiny_nep(tmp_path / "nep.txt", zbl=zbl)
    assert missing_numbers(path, 4, 4) == 0


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"dtype": "float32"}, "computed in float64 only"),
        ({"device": "cuda"}, "computed on the CPU only"),
        ({"options": {"debg": True}}, "no option 'debg'"),
    ],
)
def test_what_it_cannot_do_is_a_sentence(path, fields, sentence):
    with pytest.raises(PotentialError, match=sentence):
        load_potential(specify(path, **fields)).calculator()


def test_without_a_file_the_sentence_says_so(tmp_path):
    with pytest.raises(PotentialError, match="needs the path of a NEP file"):
        load_potential(PotentialSpecification(name="nep"))
    with pytest.raises(PotentialError, match="There is no NEP file"):
        load_potential(specify(tmp_path / "nowhere.txt"))
