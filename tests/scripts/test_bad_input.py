"""What bad input gets: one clear sentence, a non-zero exit code, no traceback, nothing computed lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

COSINE = "ase:superion.potentials.cosine_lattice.CosineLatticeCalculator"

GOOD_CIF = """data_salt
_cell_length_a 4.03
_cell_length_b 4.03
_cell_length_c 4.03
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 Li 0 0 0 1.0
Cl1 Cl 0.5 0.5 0.5 {occupancy}
{more}
"""


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def dry_run(cli, structure, *arguments):
    return cli("run", "conductivity", structure, "--dry-run", *arguments)


# ------------------------------------------------------------------ structures


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("words.cif", b"this is not a crystal\n"),
        ("empty.cif", b""),
        ("binary.cif", bytes(range(256)) * 4),
        ("POSCAR", b"half\n1.0\n3 0 0\n0 3 0\n"),
        ("cut.cif", GOOD_CIF.encode()[:200]),
        ("unknown.ending", b"1 2 3"),
    ],
)
def test_an_unreadable_file(cli, folder, name, content):
    (folder / name).write_bytes(content)
    before = files_below(folder)
    dry_run(cli, name).assert_sentence(name, "cannot be read")
    assert files_below(folder) == before


def test_a_file_that_is_not_there(cli, folder):
    dry_run(cli, "nowhere.cif").assert_sentence("nowhere.cif")
    dry_run(cli, "Li6PS5Br").assert_sentence("Li6PS5Cl")
    dry_run(cli, str(folder)).assert_sentence("is a folder")


def test_no_such_mobile_ion(cli, folder):
    dry_run(cli, "Li6PS5Cl", "--mobile-ion", "Na").assert_sentence("holds no Na", "Cl, Li, P, S")
    dry_run(cli, "Li6PS5Cl", "--mobile-ion", "Lithium").assert_sentence("Lithium", "not a chemical element")
    dry_run(cli, "Li6PS5Cl", "--ion-charge", "0").assert_sentence("charge")


def test_occupancies_that_nobody_can_order(cli, folder):
    (folder / "overfull.cif").write_text(GOOD_CIF.format(occupancy="1.0", more="S1 S 0.5 0.5 0.5 0.7"))
    answer = dry_run(cli, "overfull.cif")
    answer.assert_sentence("overfull.cif")
    # Too many half-occupied sites for the search.
    from pymatgen.core import Lattice, Structure

    grid = np.stack(np.meshgrid(*[np.arange(10) / 10] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    structure = Structure(
        Lattice.cubic(40.0), [{"Li": 0.5}] * 1000 + [{"Cl": 0.5}] * 1000, np.vstack([grid, grid + 0.05])
    )
    structure.to("large.cif")
    dry_run(cli, "large.cif").assert_sentence("too many to order")


def test_overlapping_atoms(cli, folder):
    (folder / "overlap.cif").write_text(GOOD_CIF.format(occupancy="1.0", more="Cl2 Cl 0.52 0.5 0.5 1.0"))
    dry_run(cli, "overlap.cif").assert_sentence("overlap.cif", "apart")


@pytest.mark.parametrize("cell", [[9.0] * 3, [60.0] * 3])
def test_isolated_atoms(cli, folder, cell):
    write("lonely.cif", Atoms("LiCl", positions=[[0, 0, 0], [cell[0] / 2] * 3], cell=cell, pbc=True))
    answer = dry_run(cli, "lonely.cif")
    answer.assert_sentence("lonely.cif")
    assert "isolated" in answer.err or "per atom" in answer.err


def test_a_molecule_without_a_cell(cli, folder):
    write("molecule.xyz", Atoms("LiCl", positions=[[0, 0, 0], [0, 0, 2.0]]))
    dry_run(cli, "molecule.xyz").assert_sentence("molecule.xyz", "without a periodic cell")


def test_something_that_is_no_element(cli, folder):
    (folder / "POSCAR").write_text("x\n1.0\n4 0 0\n0 4 0\n0 0 4\nXx Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    dry_run(cli, "POSCAR").assert_sentence("POSCAR")


def test_an_element_that_the_potential_does_not_know(cli, folder, cosine_system):
    """Known before anything runs, where the potential names its elements without its weights."""
    cosine_system.atoms.symbols[20] = "Cl"
    write("other.cif", cosine_system.atoms)
    answer = cli(
        *("run", "conductivity", "other.cif", "--mobile-ion", "Li", "--duration-ps", "2", "--temperatures", "700"),
        *("--potential", COSINE, "--set", f"potential.options={json.dumps(cosine_system.specification.options)}"),
        *("--set", "relax=false", "--set", "supercell.minimum_edge_angstrom=0"),
    )
    answer.assert_sentence("does not know the element Cl")
    assert not (folder / ".superion").exists()


# -------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--temperatures=-300"], ["--temperatures", "-300"]),
        (["--temperatures", "0"], ["--temperatures", "above zero"]),
        (["--temperatures", "hot"], ["--temperatures", "hot"]),
        (["--set", "temperatures_k=[600, -5]"], ["temperatures_k", "-5"]),
        (["--set", "temperatures_k=[]"], ["temperatures_k", "empty"]),
        (["--temperatures", "600,600"], ["temperatures_k", "twice"]),
        (["--duration-ps", "0"], ["duration_ps", "greater than 0"]),
        (["--duration-ps=-3"], ["duration_ps"]),
        (["--duration-ps", "0.0000001"], ["ps"]),
        (["--set", "md.time_step_fs=0"], ["md.time_step_fs"]),
        (["--set", "md.time_step_fs=soon"], ["md.time_step_fs", "soon"]),
        (["--set", "md.tim_step_fs=1"], ["md.tim_step_fs", "did you mean 'md.time_step_fs'"]),
        (["--set", "md.thermostat=berendsen"], ["md.thermostat", "berendsen"]),
        (["--set", "nonsense"], ["nonsense", "name=value"]),
        (["--replicas", "0"], ["n_replicas"]),
        (["--potential", "chgnt"], ["chgnt", "did you mean 'chgnet'"]),
        (["--potential", ":x"], ["potential"]),
        (["--dtype", "float8"], ["dtype", "float8"]),
        (["--preset", "quikstart"], ["quikstart", "did you mean 'quickstart'"]),
        (["--preset", "missing.yaml"], ["missing.yaml", "does not exist"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_setting_that_makes_no_sense(cli, folder, arguments, words):
    dry_run(cli, "Li6PS5Cl", *arguments).assert_sentence(*words)
    assert not list(folder.iterdir())


def test_no_such_flow_and_no_structure(cli, folder):
    cli("run", "conductivty", "Li6PS5Cl", "--dry-run").assert_sentence("did you mean 'conductivity'")
    cli("run", "conductivity", "--dry-run").assert_sentence("no structure")


def test_a_store_that_is_none(cli, folder):
    cli("list", "--store", "results.txt").assert_sentence("results.txt")
    cli("list", "--store", "nowhere.yaml").assert_sentence("nowhere.yaml", "does not exist")
    (folder / "broken.db").write_bytes(b"no database at all" * 100)
    cli("list", "--store", "broken.db").assert_sentence("broken.db")
    assert (folder / "broken.db").read_bytes() == b"no database at all" * 100


def test_a_folder_that_is_no_project(cli, folder):
    cli("list").assert_sentence("no superion project")
    cli("show", "abc").assert_sentence("no superion project")
    cli("trajectory", "export", "abc", "out.xyz").assert_sentence("abc")
    assert not list(folder.iterdir())


# ------------------------------------------------------- damage and other owners


@pytest.fixture
def copy(finished, tmp_path, monkeypatch):
    """A copy of the finished project, to be damaged."""
    root = tmp_path / "copy"
    shutil.copytree(finished.root, root)
    monkeypatch.chdir(root)
    return root


def trajectories(root: Path) -> list[Path]:
    return sorted((root / ".superion" / "trajectories").iterdir())


def longer(finished, root: Path) -> list[str]:
    """The same run, asked to be longer: it continues the trajectories that are there."""
    return [
        *("run", "conductivity", str(root / "cosine.cif"), *finished.cosine.options),
        *("--temperatures", "700,1000", "--duration-ps", "14", "--name", "longer"),
    ]


def test_a_truncated_segment(cli, copy):
    first, second = trajectories(copy)
    segment = sorted(first.glob("*.h5*"))[0]
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2])
    cli("analyze", first).assert_sentence(segment.name)
    cli("trajectory", "export", first, "out.extxyz").assert_sentence(segment.name)
    assert not (copy / "out.extxyz").exists()
    # The other trajectory is as good as ever, and the documents are untouched.
    assert cli("analyze", second, "--equilibration-ps", "0.5").code == 0
    assert cli("show", "first").code == 0


def test_damaged_and_exchanged_trajectories_are_refused(cli, copy, finished):
    """One trajectory is another's, under its key; the other has lost half a segment: nothing is overwritten."""
    first, second = trajectories(copy)
    shutil.rmtree(first)
    shutil.copytree(second, first)
    segment = sorted(second.glob("*.h5*"))[-1]
    segment.write_bytes(segment.read_bytes()[:2000])
    before = {name: data for name, data in files_below(copy / ".superion" / "trajectories").items() if ".h5" in name}
    answer = cli(*longer(finished, copy))
    answer.assert_sentence("belongs to other", segment.name)
    after = files_below(copy / ".superion" / "trajectories")
    assert {name: after.get(name) for name in before} == before
    assert cli("show", "first").code == 0


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow
def test_files_that_may_not_grow(tmp_path, cosine, cli_process):
    """The limit on the size of files stands for a full quota: every writer meets it."""
    answer = cli_process(
        *("run", "conductivity", cosine.file, *cosine.options, "--temperatures", "700", "--duration-ps", "4"),
        cwd=tmp_path,
        preexec_fn=_limit_files,
    )
    answer.assert_sentence()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MB; needs the right to mount."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    os.chdir("/")
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_without_room(cli, small_disk, cosine, tmp_path, monkeypatch):
    """The run stops with a sentence and keeps its whole segments; with room it goes on from there."""
    monkeypatch.chdir(small_disk)
    answer = cli(
        *("run", "conductivity", cosine.file, *cosine.options, "--temperatures", "700", "--duration-ps", "12"),
        *("--set", "md.frame_interval_fs=4", "--set", "md.compression=none", "--name", "full"),
    )
    answer.assert_sentence("free some space")
    kept = {name: data for name, data in files_below(small_disk).items() if name.endswith(".h5md")}
    assert kept
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    answer = cli("resume", "--json")
    assert answer.code == 0, answer.err
    (document,) = answer.json()["documents"]
    assert document["temperature_failures"] == {}
    after = files_below(small_disk)
    assert {name: after[name] for name in kept} == kept
    (trajectory,) = cli("list", "--type", "trajectory", "--json").json()[:1]
    run = cli("show", trajectory["uuid"], "--json").json()["run"]
    assert run["completed_ps"] == 12.0
    assert run["resumed_from_step"] > 0


# ------------------------------------------------------------------- analysis


def frames(n_frames: int = 40) -> list[Atoms]:
    crystal = bulk("LiCl", "rocksalt", a=5.13, cubic=True)
    generator = np.random.default_rng(0)
    found = []
    for _ in range(n_frames):
        frame = crystal.copy()
        frame.positions += generator.normal(0.0, 0.05, frame.positions.shape)
        found.append(frame)
    return found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.extxyz"], ["missing.extxyz"]),
        (["words.extxyz"], ["words.extxyz"]),
        (["good.extxyz"], ["good.extxyz", "frame_interval_fs"]),
        (["good.extxyz", "--frame-interval-fs", "20"], ["good.extxyz", "temperature"]),
        (["good.extxyz", "--frame-interval-fs", "20", "--temperature=-5"], ["--temperature", "-5"]),
        (["good.extxyz", "--frame-interval-fs", "20", "--temperature", "600,700"], ["2 temperatures for 1 files"]),
        (["good.extxyz", "--frame-interval-fs=-2", "--temperature", "600"], ["frame_interval_fs"]),
        (["good.extxyz", "--frame-interval-fs", "20", "--temperature", "600", "--mobile-ion", "Na"], ["no Na"]),
        (["good.extxyz", "--frame-interval-fs", "20", "--temperature", "600"], ["equilibration"]),
        (["good.extxyz", "other.extxyz", "--frame-interval-fs", "20", "--temperature", "600"], ["different atoms"]),
        (
            ["good.extxyz", "--frame-interval-fs", "20", "--temperature", "600", "--equilibration-ps=-1"],
            ["equilibration_ps", "greater than or equal to 0"],
        ),
        (["."], ["trajectory"]),
        (["cut.h5"], ["cut.h5"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_trajectories_that_cannot_be_analysed(cli, folder, arguments, words):
    write("good.extxyz", frames())
    write("other.extxyz", [frame[1:] for frame in frames()])
    (folder / "words.extxyz").write_text("not\na trajectory\n")
    (folder / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    before = files_below(folder)
    cli("analyze", *arguments).assert_sentence(*words)
    assert files_below(folder) == before
