"""MACE models by symmetrix: converted once, checked against mace-torch, part of provenance and keys."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from superion.dynamics.engine import run_md
from superion.dynamics.identity import trajectory_key
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.errors import PotentialError, RuntimeUnavailableError
from superion.potentials.model_file import write_model_file
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.potentials.symmetrix import backends, conversion
from superion.potentials.symmetrix.agreement import Agreement, check_structures, compare
from superion.potentials.symmetrix.cache import MODEL_FILE, REFUSAL_FILE
from superion.potentials.symmetrix.check_record import CheckRecord
from superion.potentials.symmetrix.conversion import MaceModelFile, convert
from support.tiny_mace import build_tiny_mace

pytest.importorskip("symmetrix")

ELEMENTS = ("Li", "P", "S", "Cl")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of converted models that the tests of this file share."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("SUPERION_CACHE")
    os.environ["SUPERION_CACHE"] = str(folder)
    yield folder
    os.environ["SUPERION_CACHE"] = before or "off"


@pytest.fixture(scope="module")
def path(tmp_path_factory, cache):
    """A real model of the kind that symmetrix is made for, with random weights."""
    return build_tiny_mace(
        tmp_path_factory.mktemp("mace") / "scalar.model",
        dtype="float32",
        elements=ELEMENTS,
        channels=4,
        max_ell=3,
        correlation=3,
    )


@pytest.fixture
def salt():
    atoms = bulk("LiCl", "rocksalt", a=5.1, cubic=True).repeat((2, 1, 1))
    atoms.rattle(0.1, seed=3)
    return atoms


def specify(path, runtime=None, **fields):
    options = fields.pop("options", {}) | ({} if runtime is None else {"runtime": runtime})
    return PotentialSpecification(name="mace", model=str(path), device="cpu", options=options, **fields)


def converted_folders(cache) -> list[Path]:
    return sorted(folder for folder in (cache / "symmetrix").iterdir() if (folder / MODEL_FILE).is_file())


def test_it_computes_what_mace_torch_computes(path, salt):
    compiled, torch = (load_potential(specify(path, runtime)) for runtime in ("symmetrix", "torch"))
    difference = compare(salt, compiled.calculator(), torch.calculator())
    assert difference.is_close
    assert compiled.known_elements() == torch.known_elements() == set(ELEMENTS)
    # the compiled code leaves the arithmetic of the process alone
    assert np.float64(np.finfo(float).tiny) / 4 > 0


def test_the_runtime_that_ran_is_recorded(path, salt):
    compiled, torch, auto, plain = (
        load_potential(specify(path, runtime)).provenance for runtime in ("symmetrix", "torch", "auto", None)
    )
    assert compiled == auto
    assert torch == plain
    assert (compiled.runtime, compiled.package) == ("symmetrix", "symmetrix-xl")
    assert (torch.runtime, torch.package) == (None, "mace-torch")
    assert compiled.weights_sha256 == torch.weights_sha256
    protocol = MdProtocol(temperature_k=600)
    assert trajectory_key(salt, compiled, protocol) != trajectory_key(salt, torch, protocol)
    before_runtimes = torch.model_dump(exclude={"runtime"})
    assert type(torch).model_validate(before_runtimes).identity == torch.identity


def test_a_model_is_converted_once(path, cache, monkeypatch):
    load_potential(specify(path, "symmetrix")).calculator()
    (folder,) = converted_folders(cache)

    def refuse(*_, **__):
        raise AssertionError("converted again")

    monkeypatch.setattr(conversion, "_convert_into", refuse)
    load_potential(specify(path, "symmetrix")).calculator()
    assert converted_folders(cache) == [folder]


def test_the_structure_at_hand_is_compared_once(path, salt, cache):
    (folder,) = converted_folders(cache)
    record = CheckRecord(folder / "agreement-float32-cpu.json")
    made = [agreement for agreement in record.agreements() if not agreement.is_given]
    assert [agreement.elements for agreement in made] == [tuple(sorted(ELEMENTS))] * 2
    potential = load_potential(specify(path, "symmetrix"))
    for _ in range(2):
        salt.calc = potential.calculator()
        salt.get_potential_energy()
    given = [agreement for agreement in record.agreements() if agreement.is_given]
    assert [agreement.elements for agreement in given] == [("Cl", "Li")]


def test_a_model_that_disagrees_is_refused_or_left_to_torch(path, salt, cache, tmp_path, caplog):
    other = build_tiny_mace(
        tmp_path / "other.model", dtype="float32", elements=ELEMENTS, channels=4, max_ell=3, correlation=3, seed=8
    )
    sha256 = load_potential(specify(other)).provenance.weights_sha256
    (folder,) = converted_folders(cache)
    # what would be a bug of the converter: the weights of another model under this one's digest
    wrong = folder.parent / folder.name.replace(folder.name[:64], sha256)
    wrong.mkdir()
    (wrong / MODEL_FILE).write_bytes((folder / MODEL_FILE).read_bytes())
    with pytest.raises(
        RuntimeUnavailableError, match=r"differs from mace-torch for the MACE model other.model by .*eV/Å"
    ):
        load_potential(specify(other, "symmetrix")).calculator()
    with caplog.at_level(logging.WARNING):
        potential = load_potential(specify(other, "auto"))
        assert potential.provenance.runtime is None
    assert "mace-torch evaluates the model other.model: symmetrix differs" in caplog.text
    salt.calc = potential.calculator()
    assert np.isfinite(salt.get_potential_energy())


def test_dynamics_continues_bit_by_bit(path, salt, tmp_path):
    protocol = MdProtocol(temperature_k=300, time_step_fs=1.0, frame_interval_fs=5.0)
    short, long = (RunLimits(duration_ps=length, segment_ps=0.03) for length in (0.03, 0.12))
    run_md(salt, load_potential(specify(path, "symmetrix")), protocol, short, tmp_path / "a")
    continued = run_md(salt, load_potential(specify(path, "symmetrix")), protocol, long, tmp_path / "a")
    whole = run_md(salt, load_potential(specify(path, "symmetrix")), protocol, long, tmp_path / "b")
    assert continued.resumed_from_step == 30
    assert continued.segments == whole.segments
    assert whole.state == "completed"


def test_reset_forgets_the_neighbour_list(path, salt):
    fresh, used = (load_potential(specify(path, "symmetrix")).calculator() for _ in range(2))
    moved = salt.copy()
    moved.positions += np.random.default_rng(1).normal(scale=0.03, size=moved.positions.shape)
    for atoms in (salt, moved):
        atoms.calc = used
        atoms.get_forces()
    used.reset()
    forces = moved.get_forces()
    moved.calc = fresh
    np.testing.assert_array_equal(forces, moved.get_forces())


def test_superions_own_model_files_take_it_by_default(path, salt, tmp_path):
    import torch

    model = torch.load(path, weights_only=False)
    write_model_file(tmp_path / "student.safetensors", model, {"name": "student"})
    potential = load_potential(specify(tmp_path / "student.safetensors"))
    assert potential.provenance.runtime == "symmetrix"
    reference = load_potential(specify(tmp_path / "student.safetensors", "torch"))
    assert reference.provenance.runtime is None
    assert compare(salt, potential.calculator(), reference.calculator()).is_close


def test_auto_converts_nothing_for_a_single_process(path, monkeypatch, caplog):
    monkeypatch.setenv("SUPERION_CACHE", "off")
    with caplog.at_level(logging.WARNING):
        assert load_potential(specify(path, "auto")).provenance.runtime is None
    assert "cache is switched off" in caplog.text


def test_torch_sim_is_refused(path):
    pytest.importorskip("torch_sim")
    potential = load_potential(specify(path, "symmetrix"))
    assert not potential.supports_torch_sim
    with pytest.raises(RuntimeUnavailableError, match="evaluated by symmetrix, which cannot serve torch-sim"):
        potential.torch_sim_model()


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        ({"max_ell": 2, "correlation": 3}, "its max_ell is 2, and symmetrix evaluates max_ell 3 only"),
        ({"max_ell": 3, "correlation": 2}, "its correlation order is 2, and symmetrix evaluates correlation 3 only"),
        ({"max_ell": 3, "correlation": 3, "n_layers": 3}, "it has 3 message-passing layers"),
    ],
)
def test_why_a_model_cannot_be_converted(architecture, sentence, cache, tmp_path, monkeypatch):
    from superion.potentials.symmetrix.export import export

    path = build_tiny_mace(tmp_path / "odd.model", elements=("Li", "Cl"), channels=2, **architecture)
    assert sentence in (export(path, tmp_path / "out.json", None) or "")
    assert not (tmp_path / "out.json").exists()


def test_a_refusal_is_kept_and_said_once(cache, tmp_path, tiny_mace_path, monkeypatch, caplog):
    model = specify(tiny_mace_path, "symmetrix")
    for _ in range(2):
        with pytest.raises(
            RuntimeUnavailableError, match=r"cannot evaluate the MACE model tiny.model: its max_ell is 2"
        ):
            load_potential(model).calculator()
        monkeypatch.setattr(conversion, "_convert_into", lambda *_: pytest.fail("tried again"))
    with caplog.at_level(logging.WARNING):
        assert load_potential(specify(tiny_mace_path, "auto")).provenance.runtime is None
    assert "its max_ell is 2" in caplog.text


def test_a_conversion_that_does_not_end_is_given_up(path, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERION_CACHE", str(tmp_path))
    begun = time.monotonic()
    with pytest.raises(RuntimeUnavailableError, match=r"did not end within 0.2 s"):
        convert(MaceModelFile(path, "0" * 64), time_limit_s=0.2)
    assert time.monotonic() - begun < 10.0
    (folder,) = (tmp_path / "symmetrix").iterdir()
    assert sorted(file.name for file in folder.iterdir()) == [REFUSAL_FILE]


def test_a_process_that_is_killed_leaves_no_model(path, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERION_CACHE", str(tmp_path))

    def killed(words, **_):
        Path(words[4]).write_text("{half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(conversion.subprocess, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            convert(MaceModelFile(path, "1" * 64))
    assert list((tmp_path / "symmetrix").iterdir()) == []


def test_two_processes_may_convert_at_once(path, tmp_path, monkeypatch):
    from superion.potentials.symmetrix.cache import converted_folder

    monkeypatch.setenv("SUPERION_CACHE", str(tmp_path))

    def make(folder):
        (folder / MODEL_FILE).write_text("ours")
        if not (tmp_path / "symmetrix" / "key").exists():
            converted_folder("key", lambda other: (other / MODEL_FILE).write_text("theirs"))

    folder = converted_folder("key", make)
    assert (folder / MODEL_FILE).read_text() == "theirs"
    assert [each.name for each in (tmp_path / "symmetrix").iterdir()] == ["key"]


def test_unknown_runtimes_and_options_are_sentences(path):
    with pytest.raises(
        PotentialError, match="There is no runtime 'symetrix' of the potential 'mace': use auto, torch or"
    ):
        load_potential(specify(path, "symetrix"))
    with pytest.raises(PotentialError, match="does not know the option 'compute_atomic_stresses'"):
        load_potential(specify(path, "symmetrix", options={"compute_atomic_stresses": True}))


def test_without_symmetrix_the_sentence_names_the_command(path, monkeypatch, caplog):
    monkeypatch.setattr(backends, "symmetrix_version", lambda: None)
    with pytest.raises(RuntimeUnavailableError, match=r"run pip install 'superion\[symmetrix\]'"):
        load_potential(specify(path, "symmetrix"))
    with caplog.at_level(logging.WARNING):
        assert load_potential(specify(path, "auto")).provenance.runtime is None
    assert "which is not installed" in caplog.text


def test_wheels_for_gpus():
    assert backends.cuda_package((8, 0), "12.8") == "symmetrix-xl-cuda12-sm80"
    assert backends.cuda_package((12, 0), "13.1") == "symmetrix-xl-cuda13-sm120"
    with pytest.raises(RuntimeUnavailableError, match="computes on the CPU and on CUDA devices only, not on 'mps'"):
        backends.backend_of("mps")


def test_not_a_number_is_no_agreement():
    figures = {"energy_ev_per_atom": 0.0, "force_ev_per_angstrom": 0.0, "stress_ev_per_angstrom3": 0.0}
    fixed = {"elements": ("Li",), "n_atoms": 1, "is_given": True, "largest_force_ev_per_angstrom": 1.0}
    assert Agreement(**fixed, **figures).is_close
    for name in figures:
        assert not Agreement(**fixed, **figures | {name: float("nan")}).is_close


def test_made_structures_hold_every_element():
    symbols = ["Li", "P", "S", "Cl", "O"] * 8
    for atoms in check_structures(symbols):
        assert set(atoms.get_chemical_symbols()) == set(symbols)
        assert atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)].min() > 1.5


@pytest.mark.slow
def test_a_start_needs_no_torch(path, cache):
    """Once converted and checked, a job on the CPU with a named precision loads neither torch nor mace."""
    load_potential(specify(path, "symmetrix")).calculator()
    specification = specify(path, "symmetrix", dtype="float32").model_dump_json()
    program = (
        "import sys\n"
        "from superion.potentials.registry import load_potential\n"
        "from superion.potentials.specification import PotentialSpecification\n"
        f"potential = load_potential(PotentialSpecification.model_validate_json({specification!r}))\n"
        "potential.provenance, potential.calculator(), potential.known_elements()\n"
        "print(sorted({'torch', 'mace'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_without_a_compiler_it_runs_all_the_same(path, salt, monkeypatch, tmp_path, caplog):
    compiled = load_potential(specify(path, "symmetrix"))
    reference = compiled.calculator()
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compare(salt, compiled.calculator(), reference).is_close
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.setenv("SYMMETRIX_JIT_CACHE", str(tmp_path / "compiled"))
    with caplog.at_level(logging.WARNING):
        assert compare(salt, compiled.calculator(), reference).is_close
    assert "runs slower without it" in caplog.text
