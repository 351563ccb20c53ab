"""Dialects of trajectory files: each gives the right motion, element, time and temperature, or says what to give."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from superion.constants import BOLTZMANN_EV_PER_K
from superion.dynamics.foreign import read_foreign_trajectory
from superion.errors import TrajectoryError
from support.foreign_walks import EDGE, SYMBOLS, assert_same_motion, extxyz, lammps, vasprun, walk, xdatcar

WALK = walk()
N = len(WALK)
KNOWN = {"temperature_k": 700.0, "frame_interval_fs": 20.0}


def read(tmp_path, text, name, **options):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return read_foreign_trajectory(path, **options)


XDATCARS = {
    "VASP 5": xdatcar(WALK),
    "VASP 6, flavours and hashes": xdatcar(WALK, header="Li_sv/1a2b S_h/3c4d\n16 16\n"),
    "VASP 4, blank lines between": xdatcar(WALK, [" "] * N),
    "VASP 4, Konfig": xdatcar(WALK, [f"Konfig= {index}" for index in range(1, N + 1)]),
    "pymatgen's Trajectory, elements behind": xdatcar(WALK, behind=[f" {name}" for name in SYMBOLS]),
    "blank lines and elements behind": xdatcar(WALK, [""] * N, behind=[f" {name}" for name in SYMBOLS]),
    "selective dynamics": xdatcar(WALK, behind=["  T T F"] * 32),
    "stars from the start": xdatcar(WALK, ["Direct configuration=******"] * N),
    "lower case": xdatcar(WALK, ["direct configuration=     1"] * N),
    "no number": xdatcar(WALK, ["Direct configuration="] * N),
    "the volume as scale": xdatcar(WALK, scale=f"{-(EDGE**3)}"),
    "a scale": xdatcar(WALK, scale="3.5", edge=4.0),
    "three scales": xdatcar(WALK, scale="2.0 2.0 2.0", edge=7.0),
    "Windows": xdatcar(WALK).replace("\n", "  \r\n"),
    **{
        f"header before each, comment {comment!r}": "".join(
            xdatcar(WALK[i : i + 1], [f"Direct configuration= {i + 1}"]).replace("sys", comment, 1) for i in range(N)
        )
        for comment in ("", "   ", "1 2 3", "0.5")
    },
    "header before each": "".join(xdatcar(WALK[i : i + 1], [f"Direct configuration= {i + 1}"]) for i in range(N)),
}


@pytest.mark.parametrize("dialect", XDATCARS)
def test_xdatcar_dialects(dialect, tmp_path):
    run = read(tmp_path, XDATCARS[dialect], "XDATCAR", **KNOWN)
    assert run.symbols == SYMBOLS
    assert run.mean_cell_angstrom == pytest.approx(EDGE * np.eye(3))
    assert_same_motion(run.positions_angstrom, WALK)


def test_xdatcar_numbers_run_together_and_cartesian(tmp_path):
    shifted = WALK.copy() - EDGE  # negative fractional coordinates
    lines = xdatcar(WALK).splitlines()[:7]
    for frame in shifted / EDGE:
        lines += ["Direct configuration=     1", *("".join(f"{value:11.8f}" for value in row) for row in frame)]
    run = read(tmp_path, "\n".join(lines) + "\n", "XDATCAR", **KNOWN)
    assert_same_motion(run.positions_angstrom, WALK)
    lines = xdatcar(WALK).splitlines()[:7]
    for frame in WALK:
        lines += ["Cartesian configuration=     1", *(" ".join(f"{value:.8f}" for value in row) for row in frame)]
    run = read(tmp_path, "\n".join(lines) + "\n", "XDATCAR", **KNOWN)
    assert_same_motion(run.positions_angstrom, WALK)


def test_xdatcar_of_vasp_4_without_cell_vectors_is_refused(tmp_path):
    text = "  32  32  1\n 0.85E+02 0.14E-08 0.14E-08 0.14E-08 0.2E-14\n 700.0\n CAR\n sys\n\n" + "0.1 0.2 0.3\n" * 32
    with pytest.raises(TrajectoryError, match=r"vasprun\.xml"):
        read(tmp_path, text, "XDATCAR", **KNOWN)


@pytest.mark.parametrize("value", ["nan", "inf", "********", "1e400"])
def test_positions_that_are_no_numbers_are_refused(value, tmp_path):
    for text, name in ((xdatcar(WALK), "XDATCAR"), (lammps(WALK), "a.dump"), (extxyz(WALK), "a.xyz")):
        rows = text.splitlines(keepends=True)
        place = len(rows) // 2
        while "iguration" in rows[place] or len(rows[place].split()) < 3 or ":" in rows[place]:
            place += 1
        words = rows[place].split()
        rows[place] = " ".join([*words[:-1], value]) + "\n"
        with pytest.raises(TrajectoryError):
            read(tmp_path, "".join(rows), name, **KNOWN)


# --------------------------------------------------------------------------------------- the time between frames


def test_several_parts_that_continue_are_one_run(tmp_path):
    marks = [f"Direct configuration={10 * (index % 30 + 1):6d}" for index in range(N)]
    run = read(tmp_path, xdatcar(WALK, marks), "XDATCAR", time_step_fs=2, temperature_k=700)
    assert run.frame_interval_ps == pytest.approx(0.02)
    assert run.n_frames == N
    assert any("begins again" in note for note in run.notes)
    assert not any("NBLOCK" in note for note in run.notes)


def test_parts_with_the_last_frame_repeated(tmp_path):
    first, second = xdatcar(WALK[:30]), xdatcar(WALK[29:])
    for text in (first + second, first + second.split("16 16\n", 1)[1]):
        run = read(tmp_path, text, "XDATCAR", time_step_fs=20, temperature_k=700)
        assert run.n_frames == N
        assert any("repeated" in note for note in run.notes)
        assert_same_motion(run.positions_angstrom, WALK)


def test_stars_count_on(tmp_path):
    numbers = [999_700 + 10 * index for index in range(N)]
    marks = [f"Direct configuration={n:6d}" if n < 1_000_000 else "Direct configuration=******" for n in numbers]
    run = read(tmp_path, xdatcar(WALK, marks), "XDATCAR", time_step_fs=2, temperature_k=700)
    assert run.frame_interval_ps == pytest.approx(0.02)
    assert any("******" in note for note in run.notes)


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([""] * N, "give frame_interval_fs"),
        (["Direct configuration=******"] * N, "give frame_interval_fs"),
        ([f"Direct configuration= {i + 1 + 40 * (i > 30)}" for i in range(N)], "missing between 31 and 72"),
        ([f"Direct configuration= {(i + 1) ** 2}" for i in range(N)], "unevenly spaced"),
        ([f"Direct configuration= {100 - i}" for i in range(N)], "only fall"),
    ],
)
def test_times_that_the_numbers_do_not_tell(marks, words, tmp_path):
    with pytest.raises(TrajectoryError, match=words):
        read(tmp_path, xdatcar(WALK, marks), "XDATCAR", time_step_fs=2, temperature_k=700)


def test_parts_that_do_not_continue_are_refused(tmp_path):
    marks = [f"Direct configuration={index % 30 + 1:6d}" for index in range(N)]
    text = xdatcar(np.concatenate([WALK[:30], walk(30, seed=9)]), marks)
    with pytest.raises(TrajectoryError, match="several runs"):
        read(tmp_path, text, "XDATCAR", time_step_fs=20, temperature_k=700)


def test_two_stated_times_that_contradict_the_count(tmp_path):
    run = read(tmp_path, lammps(WALK), "a.dump", time_step_fs=1, frame_interval_fs=20, temperature_k=700)
    assert any("10 fs at the stated time step" in note for note in run.notes)
    run = read(tmp_path, lammps(WALK), "a.dump", time_step_fs=2, frame_interval_fs=20, temperature_k=700)
    assert not any("stated" in note for note in run.notes)


def test_lammps_restart_from_an_earlier_step(tmp_path):
    other = np.concatenate([WALK[20:21], WALK[20] + walk(31, seed=5)[1:] - walk(31, seed=5)[0]])
    text = lammps(WALK[:40]) + lammps(other, steps=200 + 10 * np.arange(len(other)))
    run = read(tmp_path, text, "a.dump", time_step_fs=2, temperature_k=700)
    assert run.n_frames == 21 + 30
    assert any("superseded" in note for note in run.notes)
    assert_same_motion(run.positions_angstrom, np.concatenate([WALK[:21], other[1:]]))


def test_lammps_counter_set_back(tmp_path):
    text = lammps(WALK[:30]) + lammps(WALK[29:])
    assert read(tmp_path, text, "a.dump", time_step_fs=2, temperature_k=700).n_frames == N
    text = lammps(WALK[:30]) + lammps(WALK[30:])
    with pytest.raises(TrajectoryError, match="how much time lies between"):
        read(tmp_path, text, "a.dump", time_step_fs=2, temperature_k=700)


def test_lammps_time_step_that_changes(tmp_path):
    times = np.cumsum(np.where(np.arange(N) < 30, 0.01, 0.02))
    with pytest.raises(TrajectoryError, match="unevenly"):
        read(tmp_path, lammps(WALK, times=times, units="metal"), "a.dump", temperature_k=700)


def test_lammps_times_without_units(tmp_path):
    for unit, per_fs in (("real", 1.0), ("metal", 1e-3)):
        text = lammps(WALK, times=20.0 * per_fs * np.arange(N))
        with pytest.raises(TrajectoryError, match="states no unit"):
            read(tmp_path, text, "a.dump", temperature_k=700)
        run = read(tmp_path, text, "a.dump", temperature_k=700, time_step_fs=2)
        assert run.frame_interval_ps == pytest.approx(0.02)
        assert any(f"in {unit} units" in note for note in run.notes)


@pytest.mark.parametrize("key", ["time", "Time", "time_fs", "time_ps", "step"])
def test_extxyz_counts(key, tmp_path):
    text = extxyz(WALK, [f"{key}={20 * index} energy=-1.0" for index in range(N)])
    if key in ("time_fs", "time_ps"):
        run = read(tmp_path, text, "a.xyz", temperature_k=700)
        assert run.frame_interval_ps == pytest.approx(0.02 if key == "time_fs" else 20.0)
        return
    with pytest.raises(TrajectoryError, match="frame_interval_fs"):
        read(tmp_path, text, "a.xyz", temperature_k=700)
    assert read(tmp_path, text, "a.xyz", **KNOWN).n_frames == N


def test_cp2k_xyz_without_a_cell(tmp_path):
    text = "".join(
        f"32\n i = {i:8d}, time = {i:10.3f}, E = -17.1\n" + extxyz(WALK[i : i + 1]).split("\n", 2)[2] for i in range(3)
    )
    with pytest.raises(TrajectoryError, match="no three-dimensional cell"):
        read(tmp_path, text, "a.xyz", **KNOWN)


def test_repeated_frames_without_numbers(tmp_path):
    run = read(tmp_path, extxyz(WALK[[*range(30), *range(29, N)]]), "a.xyz", **KNOWN)
    assert run.n_frames == N
    on_a_lattice = np.round(walk(N, step=0.4))
    on_a_lattice[10] = on_a_lattice[9]
    run = read(tmp_path, extxyz(on_a_lattice), "a.xyz", temperature_k=700, frame_interval_fs=1e4)
    assert run.n_frames == N


# ------------------------------------------------------------------------------------------------------- vasprun.xml


def test_vasprun_reads_machine_learned_steps_too(tmp_path):
    learned = [index % 9 != 0 for index in range(N)]
    on = '<i type="logical" name="ML_LMLFF"> T </i>'
    run = read(tmp_path, vasprun(WALK, settings=on, is_learned=learned), "vasprun.xml")
    assert run.n_frames == N
    assert_same_motion(run.positions_angstrom, WALK)
    every_tenth = on + '<i name="ML_OUTBLOCK">10</i>'
    run = read(tmp_path, vasprun(WALK, settings=every_tenth, is_learned=[True] * N), "vasprun.xml", temperature_k=700)
    assert run.frame_interval_ps == pytest.approx(0.2)
    for settings, flags in ((every_tenth, learned), (on + '<i name="NSW">9999</i>', [False] * N)):
        with pytest.raises(TrajectoryError, match="read the run's XDATCAR"):
            read(tmp_path, vasprun(WALK, settings=settings, is_learned=flags), "vasprun.xml")


def test_vasprun_of_two_runs_is_refused(tmp_path):
    with pytest.raises(TrajectoryError, match="several files are concatenated"):
        read(tmp_path, vasprun(WALK[:30]) + vasprun(WALK[30:]), "vasprun.xml")


def test_vasprun_elements_cut_short(tmp_path):
    text = vasprun(WALK, labels=["Li"] * 16 + ["r"] * 16)
    run = read(tmp_path, text, "vasprun.xml")
    assert run.symbols[-1] == "Zr"
    assert any("read as Zr" in note for note in run.notes)
    stated = read(tmp_path, text, "vasprun.xml", species_order=["Na", "Zr"])
    assert set(stated.symbols) == {"Na", "Zr"}
    assert any("Na for Li" in note for note in stated.notes)
    with pytest.raises(TrajectoryError, match="names 3"):
        read(tmp_path, text, "vasprun.xml", species_order=["Li", "P", "Zr"])


def test_vasprun_with_frozen_atoms(tmp_path):
    flags = '<varray type="logical" name="selective">' + "<v> T T T </v>" * 16 + "<v> F F F </v>" * 16 + "</varray>"
    text = vasprun(WALK).replace("<calculation>", f'<structure name="initialpos">{flags}</structure>\n<calculation>', 1)
    run = read(tmp_path, text, "vasprun.xml")
    assert run.temperature_k == pytest.approx(2 * 2.8 / (48 * BOLTZMANN_EV_PER_K))


# ------------------------------------------------------------------------------------ elements, units, temperatures


def test_stated_elements_win(tmp_path):
    order = ["Na", "Se"]
    for text, name in (
        (lammps(WALK, "id type element xu yu zu", elements=["C"] * 32), "a.dump"),
        (lammps(WALK), "a.dump"),
        (xdatcar(WALK), "XDATCAR"),
        (extxyz(WALK, symbols=["X1"] * 16 + ["X"] * 16), "a.xyz"),
    ):
        run = read(tmp_path, text, name, species_order=order, **KNOWN)
        assert run.symbols == ("Na",) * 16 + ("Se",) * 16
        assert any("Na for" in note for note in run.notes)
    with pytest.raises(TrajectoryError, match="all C"):
        read(tmp_path, lammps(WALK, "id type element xu yu zu", elements=["C"] * 32), "a.dump", **KNOWN)


def velocities(temperature_k: float) -> np.ndarray:
    """Velocities in Å/ps with their centre at rest."""
    from ase import Atoms, units
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary

    atoms = Atoms(SYMBOLS)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature_k, rng=np.random.default_rng(2))
    Stationary(atoms, preserve_temperature=False)
    kinetic = 2 * atoms.get_kinetic_energy() / ((3 * 32 - 3) * units.kB)
    return atoms.get_velocities() * 1000 * units.fs * np.sqrt(temperature_k / kinetic)


def test_lammps_units_of_velocities(tmp_path):
    columns = "id element xu yu zu vx vy vz"
    in_metal = velocities(700)
    run = read(tmp_path, lammps(WALK, columns, velocities=in_metal), "a.dump", time_step_fs=2)
    assert run.temperature_k == pytest.approx(700, rel=1e-3)
    assert any("read as Å/ps" in note for note in run.notes)
    real = lammps(WALK, columns, velocities=in_metal / 1000)
    with pytest.raises(TrajectoryError, match=r"700.* K: give temperature_k"):
        read(tmp_path, real, "a.dump", time_step_fs=2)
    assert read(tmp_path, real, "a.dump", time_step_fs=2, temperature_k=650).temperature_k == 650
    stated = read(tmp_path, f"ITEM: UNITS\nreal\n{real}", "a.dump", time_step_fs=2)
    assert stated.temperature_k == pytest.approx(700, rel=1e-3)
    drifting = read(tmp_path, lammps(WALK, columns, velocities=in_metal + 5.0), "a.dump", time_step_fs=2)
    assert drifting.temperature_k == pytest.approx(700, rel=1e-3)


def test_lengths_that_are_not_in_angstrom(tmp_path):
    with pytest.raises(TrajectoryError, match="not in Å"):
        read(tmp_path, lammps(WALK).replace("0 14\n", "0 1.4\n"), "a.dump", time_step_fs=2, temperature_k=700)
    text = lammps(WALK / 10.0, units="nano").replace("0 14\n", "0 1.4\n")
    run = read(tmp_path, text, "a.dump", time_step_fs=2, temperature_k=700)
    assert_same_motion(run.positions_angstrom, WALK)


@pytest.mark.parametrize("constraint", ["none", "FixCom", "FixAtoms"])
def test_ase_constraints_and_the_temperature(constraint, tmp_path):
    from ase import Atoms, constraints, units
    from ase.io import write

    frames = []
    for positions in WALK[:3]:
        atoms = Atoms(SYMBOLS, positions=positions, cell=EDGE * np.eye(3), pbc=True)
        motion = velocities(700) / (1000 * units.fs)
        if constraint == "FixCom":
            atoms.set_constraint(constraints.FixCom())
        if constraint == "FixAtoms":
            motion[16:] = 0.0
            atoms.set_constraint(constraints.FixAtoms(range(16, 32)))
        atoms.set_velocities(motion)
        frames.append(atoms)
    write(tmp_path / "a.traj", frames)
    run = read_foreign_trajectory(tmp_path / "a.traj", frame_interval_fs=20)
    expected = 700.0
    if constraint == "FixAtoms":
        expected = 2 * frames[0].get_kinetic_energy() / (48 * units.kB)
    assert run.temperature_k == pytest.approx(expected, rel=1e-6)


# ---------------------------------------------------------------------------------------------- unwrapped positions


def test_sparse_unwrapped_positions(tmp_path):
    sparse = walk(200, step=2.5)
    options = {"temperature_k": 700, "frame_interval_fs": 1e4}
    with pytest.raises(TrajectoryError, match="--unwrapped"):
        read(tmp_path, extxyz(sparse), "a.xyz", **options)
    run = read(tmp_path, extxyz(sparse), "a.xyz", unwrapped=True, **options)
    assert_same_motion(run.positions_angstrom, sparse)


def test_wrapped_positions_said_to_be_unwrapped(tmp_path):
    with pytest.raises(TrajectoryError, match="they are wrapped"):
        read(tmp_path, xdatcar(WALK), "XDATCAR", unwrapped=True, **KNOWN)
    one_jump = WALK.copy()
    one_jump[30:, 3, 1] += EDGE
    with pytest.raises(TrajectoryError, match=r"atom 4 jumps 1\.00 of cell vector b"):
        read(tmp_path, extxyz(one_jump), "a.xyz", unwrapped=True, **KNOWN)


# ------------------------------------------------------------------------------------------ jumps that no atom makes


def test_labels_that_change_their_order(tmp_path):
    reordered = WALK.copy()
    reordered[30:, [2, 3]] = reordered[30:, [3, 2]]
    with pytest.raises(
        TrajectoryError, match=r"Between frames 30 and 31 .*atoms 3 \(Li\), 4 \(Li\) jump 3\.\d.*places"
    ):
        read(tmp_path, lammps(reordered, "element xu yu zu"), "a.dump", time_step_fs=2, temperature_k=700)


@pytest.mark.parametrize(
    ("is_reordered", "advice"),
    [([30], "another run begins"), (range(N), "training set"), (range(25, 30), "again and again")],
)
def test_jumps_across_the_boundary_are_not_taken_for_sparse_frames(is_reordered, advice, tmp_path):
    generator = np.random.default_rng(0)
    reordered = WALK.copy()
    for frame in is_reordered:
        reordered[frame] = reordered[frame][generator.permutation(32)]
    with pytest.raises(TrajectoryError, match=advice):
        read(tmp_path, xdatcar(reordered), "XDATCAR", **KNOWN)


def test_cell_vectors_that_a_restart_names_anew(tmp_path):
    cell = EDGE * np.eye(3)
    frames = []
    for index, positions in enumerate(WALK):
        if index == 20:
            cell = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]) @ cell
        frames.append(Atoms(SYMBOLS, positions=positions, cell=cell, pbc=True))
        frames[-1].wrap()
    write(tmp_path / "a.xyz", frames, format="extxyz")
    run = read_foreign_trajectory(tmp_path / "a.xyz", **KNOWN)
    assert_same_motion(run.positions_angstrom, WALK)
    assert any("change 1 time" in note for note in run.notes)


def test_labels_that_change_their_order_in_sparse_frames(tmp_path):
    order = np.random.default_rng(0).permuted(np.arange(32).reshape(2, 16), axis=1).ravel()
    reordered = walk(100)
    reordered[50] = reordered[50][order]
    with pytest.raises(TrajectoryError, match="all at once"):
        read(tmp_path, extxyz(reordered), "a.xyz", unwrapped=True, temperature_k=700, frame_interval_fs=1e4)


def test_a_hop_between_sparse_frames_is_no_error(tmp_path):
    hopping = walk(200, step=0.02)
    hopping[100:, 5] += [3.5, 0.0, 0.0]
    hopping[100:, 6] += [0.0, 3.5, 0.0]
    run = read(tmp_path, extxyz(hopping), "a.xyz", temperature_k=700, frame_interval_fs=500)
    assert_same_motion(run.positions_angstrom, hopping)


def test_frames_left_out_and_a_wrong_interval(tmp_path):
    ballistic = walk(400, step=0.01)
    ballistic[:, 16:] = ballistic[0, 16:] + (ballistic[:, :16] - ballistic[0, :16])
    holed = np.delete(ballistic, slice(100, 350), axis=0)
    with pytest.raises(TrajectoryError, match="frames are missing there"):
        read(tmp_path, extxyz(holed), "a.xyz", temperature_k=700, frame_interval_fs=2)
    run = read(tmp_path, xdatcar(WALK), "XDATCAR", temperature_k=700, frame_interval_fs=2)
    assert any("check the time between frames" in note for note in run.notes)


# ------------------------------------------------------------------------------------------- more of LAMMPS and H5MD


def test_lammps_general_triclinic_boxes(tmp_path):
    """`ABC ORIGIN` lines: the three vectors with the origin behind them, in any orientation."""
    cell = EDGE * np.array([[0.0, 1.0, 0.0], [0.1, 0.0, 1.0], [1.0, 0.2, 0.0]])
    origin = np.array([1.0, -2.0, 3.0])
    moved = WALK / EDGE @ cell + origin
    box = "".join(f"{a} {b} {c} {o}\n" for (a, b, c), o in zip(cell, origin, strict=True))
    text = lammps(moved).replace(
        "ITEM: BOX BOUNDS pp pp pp\n" + f"0 {EDGE:g}\n" * 3, f"ITEM: BOX BOUNDS abc origin pp pp pp\n{box}"
    )
    run = read(tmp_path, text, "a.dump", **KNOWN)
    np.testing.assert_allclose(run.mean_cell_angstrom, cell)
    assert_same_motion(run.positions_angstrom, moved)


def test_lammps_header_without_columns_and_atoms_that_are_no_set(tmp_path):
    scaled = lammps(WALK / EDGE, "id type xu yu zu").replace("ATOMS id type xu yu zu", "ATOMS")
    run = read(tmp_path, scaled, "a.dump", species_order=["Li", "S"], **KNOWN)
    assert_same_motion(run.positions_angstrom, WALK)
    for old, new, words in (
        ("\n5 Li ", "\n4 Li ", "an atom id twice"),
        ("ITEM: TIMESTEP\n50\n", "ITEM: TIMESTEP\n40\n", "how much time lies between"),
    ):
        with pytest.raises(TrajectoryError, match=words):
            read(tmp_path, lammps(WALK).replace(old, new, 1), "a.dump", time_step_fs=2, temperature_k=700)
    first, mark, rest = lammps(WALK).partition("ITEM: TIMESTEP\n100\n")
    with pytest.raises(TrajectoryError, match="not those of the first frame"):
        read(tmp_path, first + mark + rest.replace("\n7 Li ", "\n70 Li ", 1), "a.dump", **KNOWN)


def write_h5md(path, times, steps):
    import h5py

    with h5py.File(path, "w") as file:
        particles = file.create_group("particles/all")
        position = particles.create_group("position")
        position.create_dataset("value", data=WALK).attrs["unit"] = "Angstrom"
        position.create_dataset("time", data=times).attrs["unit"] = "ps"
        if steps is not None:
            position.create_dataset("step", data=steps)
        particles.create_group("box").create_dataset("edges", data=EDGE * np.ones(3))
        particles.create_dataset("species", data=[3] * 16 + [16] * 16)


@pytest.mark.parametrize("steps", [None, np.arange(N) * 10])
def test_h5md_times_in_single_precision(steps, tmp_path):
    times = (5000.0 + 0.02 * np.arange(N)).astype(np.float32)
    write_h5md(tmp_path / "a.h5", times, steps)
    run = read_foreign_trajectory(tmp_path / "a.h5", temperature_k=700)
    assert run.frame_interval_ps == pytest.approx(0.02, rel=1e-3)
    times[30:] += np.float32(0.02)
    write_h5md(tmp_path / "hole.h5", times, steps)
    with pytest.raises(TrajectoryError, match=r"unevenly spaced|missing"):
        read_foreign_trajectory(tmp_path / "hole.h5", temperature_k=700)


def test_atoms_are_followed_by_their_ids(tmp_path):
    import h5py

    generator = np.random.default_rng(0)
    order = np.array([np.r_[generator.permutation(16), 16 + generator.permutation(16)] for _ in range(N)])
    write_h5md(tmp_path / "a.h5", 0.02 * np.arange(N), None)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["particles/all/position/value"][...] = np.take_along_axis(WALK, order[:, :, None], axis=1)
        file["particles/all/id/value"] = order
        file["particles/all/position/time"].attrs["unit"] = np.array([b"ps"])
    run = read_foreign_trajectory(tmp_path / "a.h5", temperature_k=700)
    assert_same_motion(run.positions_angstrom, WALK)
    text = ""
    for frame, atoms in zip(WALK, order, strict=True):
        rows = (f"{atom} {SYMBOLS[atom]} {' '.join(f'{x:.8f}' for x in frame[atom])}\n" for atom in atoms)
        text += f'32\nLattice="{EDGE} 0 0 0 {EDGE} 0 0 0 {EDGE}" Properties=id:I:1:species:S:1:pos:R:3\n' + "".join(
            rows
        )
    assert_same_motion(read(tmp_path, text, "a.xyz", **KNOWN).positions_angstrom, WALK)


def test_gpumd_unwrapped_positions(tmp_path):
    sparse = walk(200, step=2.5)
    lines = extxyz(sparse).replace("pos:R:3", "pos:R:3:unwrapped_position:R:3").splitlines()
    text = "".join(
        f"{line} {' '.join(line.split()[1:])}\n" if line[:2] in ("Li", "S ") else f"{line}\n" for line in lines
    )
    run = read(tmp_path, text, "a.xyz", temperature_k=700, frame_interval_fs=1e4)
    assert_same_motion(run.positions_angstrom, sparse)


@pytest.mark.parametrize(("unit", "angstrom"), [("angstrom", 1.0), ("atomic_unit", 0.529177210903)])
def test_ipi_comment_lines(unit, angstrom, tmp_path):
    text = ""
    for index, frame in enumerate(WALK / angstrom):
        edges = f"{EDGE / angstrom:.8f} " * 3
        text += (
            f"32\n# CELL(abcABC): {edges} 90.0 90.0 90.0  Step: {index}  Bead: 0 positions{{{unit}}}  cell{{{unit}}}\n"
        )
        rows = zip(SYMBOLS, frame, strict=True)
        text += "".join(f"{name} {x:.8f} {y:.8f} {z:.8f}\n" for name, (x, y, z) in rows)
    run = read(tmp_path, text, "simulation.pos_0.xyz", **KNOWN)
    assert_same_motion(run.positions_angstrom, WALK)
    assert run.mean_cell_angstrom == pytest.approx(EDGE * np.eye(3), abs=1e-5)


@pytest.mark.parametrize("name", ["run.tar.gz", "run.zip"])
def test_archives_are_refused(name, tmp_path):
    import shutil

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.xyz").write_text(extxyz(WALK))
    shutil.make_archive(str(tmp_path / "run"), "gztar" if "tar" in name else "zip", tmp_path / "run")
    with pytest.raises(TrajectoryError, match="is an archive"):
        read_foreign_trajectory(tmp_path / name, **KNOWN)


@pytest.mark.parametrize("column", ["mass", "typelabel"])
def test_lammps_names_in_other_columns(column, tmp_path):
    words = {"mass": ("6.94", "32.06"), "typelabel": ("Li", "S")}[column]
    text = lammps(WALK, "id type xu yu zu", types=[words[symbol == "S"] for symbol in SYMBOLS])
    text = text.replace("id type", f"id {column}")
    if column == "mass":
        text = text.replace("id mass", "id mass type").replace(" 6.94 ", " 6.94 1 ").replace(" 32.06 ", " 32.06 2 ")
    assert read(tmp_path, text, "a.dump", **KNOWN).symbols == SYMBOLS


def test_h5md_times_that_were_never_filled(tmp_path):
    write_h5md(tmp_path / "a.h5", np.zeros(N), np.arange(N) * 10)
    run = read_foreign_trajectory(tmp_path / "a.h5", temperature_k=700, time_step_fs=2)
    assert run.frame_interval_ps == pytest.approx(0.02)


@pytest.mark.parametrize("is_fixed", [False, True])
def test_h5md_times_without_a_unit(is_fixed, tmp_path):
    import h5py

    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        particles = file.create_group("particles/all")
        position = particles.create_group("position")
        position.create_dataset("value", data=WALK)
        position.create_dataset("time", data=0.02 if is_fixed else 0.02 * np.arange(N))
        particles.create_group("box").create_dataset("edges", data=EDGE * np.ones(3))
        particles.create_dataset("species", data=[1] * 16 + [2] * 16)
    options = {"species_order": ["Li", "S"], "temperature_k": 700.0}
    with pytest.raises(TrajectoryError, match=r"frame_interval_fs \(--frame-interval-fs\): 0.02 .* 20 if in ps"):
        read_foreign_trajectory(path, **options)
    run = read_foreign_trajectory(path, frame_interval_fs=20, **options)
    assert_same_motion(run.positions_angstrom, WALK)
    if not is_fixed:
        with h5py.File(path, "a") as file:
            file["particles/all/position/time"][30:] += 1.0
        with pytest.raises(TrajectoryError, match="missing"):
            read_foreign_trajectory(path, frame_interval_fs=20, **options)


def test_zstandard_is_unpacked_or_named(tmp_path):
    import importlib.util

    from superion.dynamics.foreign.text_file import open_binary

    path = tmp_path / "XDATCAR.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd and the rest")
    if importlib.util.find_spec("compression") is None and importlib.util.find_spec("zstandard") is None:
        with pytest.raises(TrajectoryError, match="unzstd"):
            open_binary(path)
