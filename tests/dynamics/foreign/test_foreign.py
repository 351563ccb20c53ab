"""Every foreign format: a real file written by another program's writer, read back, cut off, and misused."""

import bz2
import gzip
import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.cell import Cell
from ase.io import write
from ase.md.bussi import Bussi
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from superion.constants import BOLTZMANN_EV_PER_K
from superion.dynamics.foreign import FOREIGN_FORMATS, read_foreign_trajectory
from superion.dynamics.foreign.unwrap import unwrap_fractional
from superion.errors import TrajectoryError

SYMBOLS = ("Li", "Li", "Li", "P", "S", "S")
CELL = np.array([[9.0, 0.0, 0.0], [1.5, 8.0, 0.0], [-1.0, 0.7, 7.5]])
N_FRAMES = 12


def walk(n_frames: int = N_FRAMES, cell: np.ndarray = CELL, seed: int = 3) -> np.ndarray:
    """Unwrapped positions of atoms that drift through the boundaries, in Å."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(0, 0.04, (n_frames, len(SYMBOLS), 3)) + 0.05
    steps[0] = generator.random((len(SYMBOLS), 3))
    return np.cumsum(steps, axis=0) @ cell


def frames_of(positions: np.ndarray, cells: np.ndarray, *, wrap: bool = True) -> list[Atoms]:
    frames = [
        Atoms(SYMBOLS, positions=frame, cell=cell, pbc=True) for frame, cell in zip(positions, cells, strict=True)
    ]
    if wrap:
        for atoms in frames:
            atoms.wrap()
    return frames


def fixed_cell_frames(**options: bool) -> list[Atoms]:
    return frames_of(walk(), np.repeat(CELL[None], N_FRAMES, axis=0), **options)


def assert_same_motion(read: np.ndarray, true: np.ndarray, tolerance: float = 1e-5) -> None:
    """Displacements agree; the starting image is free."""
    np.testing.assert_allclose(read - read[0], true - true[0], atol=tolerance)


# ---------------------------------------------------------------------------------------------- writers of real files


def write_xdatcar(path: Path, frames: list[Atoms]) -> None:
    write(path, frames, format="vasp-xdatcar")


def write_extxyz(path: Path, frames: list[Atoms]) -> None:
    write(path, frames, format="extxyz")


def write_traj(path: Path, frames: list[Atoms]) -> None:
    write(path, frames, format="traj")


def write_vasprun(path: Path, frames: list[Atoms], potim: float = 2.0, kinetic: float = 0.5, ibrion: int = 0) -> None:
    """The blocks of a VASP 6 vasprun.xml that a molecular-dynamics run writes."""

    def vectors(name: str, rows: np.ndarray) -> str:
        body = "\n".join("<v> " + " ".join(f"{value:.8f}" for value in row) + " </v>" for row in rows)
        return f'<varray name="{name}" >\n{body}\n</varray>\n'

    def structure(atoms: Atoms, name: str = "") -> str:
        basis = vectors("basis", np.array(atoms.cell))
        reciprocal = vectors("rec_basis", np.array(atoms.cell.reciprocal()))
        volume = f'<i name="volume"> {atoms.get_volume():.8f} </i>\n'
        positions = vectors("positions", atoms.get_scaled_positions())
        return f"<structure{name}>\n<crystal>\n{basis}{volume}{reciprocal}</crystal>\n{positions}</structure>\n"

    species = [symbol for symbol, _ in itertools.groupby(SYMBOLS)]
    rows = "".join(f"<rc><c>{symbol} </c><c> {species.index(symbol) + 1}</c></rc>\n" for symbol in SYMBOLS)
    types = "".join(
        f"<rc><c>{SYMBOLS.count(symbol)}</c><c>{symbol} </c><c> 30.0</c><c> 6.0</c>"
        f"<c> PAW_PBE {symbol} 01Jan2000 </c></rc>\n"
        for symbol in species
    )
    incar = (
        f'<i type="int" name="IBRION"> {ibrion}</i>\n<i name="POTIM"> {potim}</i>\n'
        '<i type="int" name="NSW"> 100</i>\n<i name="TEBEG"> 700.0</i>\n<i type="int" name="NELM"> 60</i>\n'
    )
    steps = "".join(
        '<calculation>\n<scstep>\n<energy><i name="e_fr_energy"> -20.0 </i><i name="e_wo_entrp"> -20.0 </i>'
        '<i name="e_0_energy"> -20.0 </i></energy>\n</scstep>\n'
        + structure(atoms)
        + vectors("forces", np.zeros((len(atoms), 3)))
        + f'<energy>\n<i name="e_fr_energy"> -20.0 </i>\n<i name="e_wo_entrp"> -20.0 </i>\n'
        f'<i name="e_0_energy"> -20.0 </i>\n<i name="kinetic"> {kinetic} </i>\n<i name="total"> -19.5 </i>\n</energy>\n'
        + "</calculation>\n"
        for atoms in frames
    )
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n<generator>\n'
        '<i name="program" type="string">vasp </i><i name="version" type="string">6.3.0  </i></generator>\n'
        f"<incar>\n{incar}</incar>\n"
        '<kpoints>\n<varray name="kpointlist" >\n<v> 0.0 0.0 0.0 </v>\n</varray>\n'
        '<varray name="weights" >\n<v> 1.0 </v>\n</varray>\n</kpoints>\n'
        f'<parameters>\n<separator name="ionic">\n{incar}</separator>\n</parameters>\n'
        f"<atominfo>\n<atoms> {len(SYMBOLS)} </atoms>\n<types> {len(species)} </types>\n"
        '<array name="atoms" >\n<dimension dim="1">ion</dimension>\n<field type="string">element</field>\n'
        f'<field type="int">atomtype</field>\n<set>\n{rows}</set>\n</array>\n'
        '<array name="atomtypes" >\n<dimension dim="1">type</dimension>\n<field type="int">atomspertype</field>\n'
        '<field type="string">element</field>\n<field>mass</field>\n<field>valence</field>\n'
        f'<field type="string">pseudopotential</field>\n<set>\n{types}</set>\n</array>\n</atominfo>\n'
        + structure(frames[0], ' name="initialpos" ')
        + steps
        + structure(frames[-1], ' name="finalpos" ')
        + "</modeling>\n"
    )


def lammps_text(
    frames: list[Atoms],
    columns: str = "id type x y z",
    stride: int = 10,
    header: str = "",
    extra: dict[str, np.ndarray] | None = None,
    shuffle: bool = True,
) -> str:
    """A LAMMPS dump (`dump custom`) of lower-triangular cells, atoms in the order of no particular processor."""
    generator = np.random.default_rng(0)
    species = sorted(set(SYMBOLS))
    text = header
    for number, atoms in enumerate(frames):
        (lx, _, _), (xy, ly, _), (xz, yz, lz) = np.array(atoms.cell)
        low = np.array([min(0, xy, xz, xy + xz), min(0, yz), 0.0])
        high = np.array([lx + max(0, xy, xz, xy + xz), ly + max(0, yz), lz])
        tilts = (xy, xz, yz)
        text += f"ITEM: TIMESTEP\n{number * stride}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n"
        text += "ITEM: BOX BOUNDS xy xz yz pp pp pp\n"
        text += "".join(f"{a:.10f} {b:.10f} {t:.10f}\n" for a, b, t in zip(low, high, tilts, strict=True))
        text += f"ITEM: ATOMS {columns}\n"
        unwrapped = (extra or {}).get("unwrapped", np.array([f.positions for f in frames]))[number]
        values = {
            "id": np.arange(1, len(atoms) + 1),
            "type": [species.index(symbol) + 1 for symbol in SYMBOLS],
            "element": SYMBOLS,
            **dict(zip(("x", "y", "z"), atoms.positions.T, strict=True)),
            **dict(zip(("xs", "ys", "zs"), atoms.get_scaled_positions().T, strict=True)),
            **dict(zip(("xu", "yu", "zu"), unwrapped.T, strict=True)),
            **dict(
                zip(
                    ("ix", "iy", "iz"),
                    np.rint((unwrapped - atoms.positions) @ np.linalg.inv(np.array(atoms.cell))).astype(int).T,
                    strict=True,
                )
            ),
            **dict(zip(("vx", "vy", "vz"), (extra or {}).get("velocities", unwrapped * 0).T, strict=True)),
        }
        for index in generator.permutation(len(atoms)) if shuffle else range(len(atoms)):
            text += " ".join(str(values[column][index]) for column in columns.split()) + "\n"
    return text


def write_lammps(path: Path, frames: list[Atoms]) -> None:
    path.write_text(lammps_text(frames, columns="id element xs ys zs"))


def write_h5md(path: Path, frames: list[Atoms]) -> None:
    """An H5MD file as another program writes it: wrapped, enumerated species, time in ps and length in nm."""
    with h5py.File(path, "w") as file:
        file.create_group("h5md/creator").attrs["name"] = "another program"
        particles = file.create_group("particles/all")
        position = particles.create_group("position")
        value = position.create_dataset("value", data=np.array([atoms.positions for atoms in frames]) / 10)
        value.attrs["unit"] = "nm"
        time = position.create_dataset("time", data=np.arange(len(frames)) * 0.02)
        time.attrs["unit"] = b"ps"
        position.create_dataset("step", data=np.arange(len(frames)) * 10)
        particles.create_group("box").attrs["boundary"] = ["periodic"] * 3
        edges = particles.create_group("box/edges")
        edges.create_dataset("value", data=np.array([np.array(atoms.cell) for atoms in frames]) / 10).attrs["unit"] = (
            "nm"
        )
        edges["step"] = position["step"]
        kinds = {"Li": 0, "P": 1, "S": 2}
        particles.create_dataset(
            "species", data=[kinds[symbol] for symbol in SYMBOLS], dtype=h5py.enum_dtype(kinds, basetype="i4")
        )


WRITERS = {
    "xdatcar": ("XDATCAR", write_xdatcar),
    "extxyz": ("run.extxyz", write_extxyz),
    "ase_traj": ("run.traj", write_traj),
    "vasprun": ("vasprun.xml", write_vasprun),
    "lammps_dump": ("run.lammpstrj", write_lammps),
    "h5md": ("run.h5md", write_h5md),
}


def test_every_registered_format_is_tested() -> None:
    assert set(WRITERS) == set(FOREIGN_FORMATS)


# ------------------------------------------------------------------------------------------------------ all formats


@pytest.mark.parametrize("name", WRITERS)
def test_motion_survives_writing_and_reading(name: str, tmp_path: Path) -> None:
    file_name, writer = WRITERS[name]
    writer(tmp_path / file_name, fixed_cell_frames())
    run = read_foreign_trajectory(tmp_path / file_name, frame_interval_fs=20, temperature_k=600)
    assert run.format == name
    assert run.symbols == SYMBOLS
    assert run.frame_interval_ps == pytest.approx(0.02)
    assert run.duration_ps == pytest.approx(0.22)
    assert run.temperature_k == 600
    assert run.volume_angstrom3 == pytest.approx(np.linalg.det(CELL), rel=1e-6)
    np.testing.assert_allclose(run.mean_cell_angstrom, CELL, atol=1e-6)
    assert_same_motion(run.positions_angstrom, walk())
    assert not any("varies" in note for note in run.notes)
    assert run.masses_amu[0] == pytest.approx(6.94)


@pytest.mark.parametrize("name", WRITERS)
def test_variable_cell_is_unwrapped_in_fractional_coordinates(name: str, tmp_path: Path) -> None:
    strain = 1 + 0.03 * np.sin(np.arange(N_FRAMES))
    cells = CELL[None] * strain[:, None, None]
    fractional = walk() @ np.linalg.inv(CELL)
    file_name, writer = WRITERS[name]
    writer(tmp_path / file_name, frames_of(fractional @ cells, cells))
    run = read_foreign_trajectory(tmp_path / file_name, frame_interval_fs=20, temperature_k=600)
    assert_same_motion(run.positions_angstrom, fractional @ cells.mean(axis=0))
    assert run.volume_angstrom3 == pytest.approx(np.linalg.det(cells).mean(), rel=1e-6)
    assert any("cell varies" in note for note in run.notes)


@pytest.mark.parametrize("name", ["xdatcar", "extxyz", "vasprun", "lammps_dump"])
def test_text_cut_inside_the_last_frame_keeps_the_earlier_ones(name: str, tmp_path: Path) -> None:
    file_name, writer = WRITERS[name]
    path = tmp_path / file_name
    writer(path, fixed_cell_frames())
    content = path.read_bytes()
    if name == "vasprun":
        content = content[: content.rindex(b"</calculation>")]
    for cut in (3, 60):  # inside the last number, and inside the last block
        path.write_bytes(content[: len(content) - cut])
        run = read_foreign_trajectory(path, frame_interval_fs=20, temperature_k=600)
        assert run.n_frames == N_FRAMES - 1
        assert_same_motion(run.positions_angstrom, walk()[:-1])
        assert any("ends inside a frame" in note for note in run.notes)


def test_ase_trajectory_cut_in_its_last_frame(tmp_path: Path) -> None:
    path = tmp_path / "run.traj"
    write_traj(path, fixed_cell_frames())
    path.write_bytes(path.read_bytes()[:-40])
    run = read_foreign_trajectory(path, frame_interval_fs=20, temperature_k=600)
    assert run.n_frames == N_FRAMES - 1
    assert any("cannot be read" in note for note in run.notes)


@pytest.mark.parametrize("name", WRITERS)
def test_a_start_without_a_whole_frame_is_one_clear_sentence(name: str, tmp_path: Path) -> None:
    file_name, writer = WRITERS[name]
    path = tmp_path / file_name
    writer(path, fixed_cell_frames())
    head = path.read_bytes()[:260]
    path.write_bytes(head)
    with pytest.raises(TrajectoryError) as caught:
        read_foreign_trajectory(path, frame_interval_fs=20, temperature_k=600, file_format=name)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files(suffix: str, compress: object, tmp_path: Path) -> None:
    plain = tmp_path / "XDATCAR"
    write_xdatcar(plain, fixed_cell_frames())
    packed = tmp_path / f"XDATCAR{suffix}"
    packed.write_bytes(compress(plain.read_bytes()))
    run = read_foreign_trajectory(packed, frame_interval_fs=20, temperature_k=600)
    assert_same_motion(run.positions_angstrom, walk())


def test_gzip_cut_off_keeps_whole_frames(tmp_path: Path) -> None:
    frames = frames_of(walk(400), np.repeat(CELL[None], 400, axis=0))
    write_xdatcar(tmp_path / "XDATCAR", frames)
    packed = gzip.compress((tmp_path / "XDATCAR").read_bytes())
    (tmp_path / "XDATCAR.gz").write_bytes(packed[: len(packed) * 2 // 3])
    run = read_foreign_trajectory(tmp_path / "XDATCAR.gz", frame_interval_fs=20, temperature_k=600)
    assert 100 < run.n_frames < 400
    assert_same_motion(run.positions_angstrom, walk(400)[: run.n_frames])


# ------------------------------------------------------------------------------------------- times and temperatures


@pytest.mark.parametrize("name", ["extxyz", "ase_traj"])
def test_missing_interval_names_the_option(name: str, tmp_path: Path) -> None:
    file_name, writer = WRITERS[name]
    writer(tmp_path / file_name, fixed_cell_frames())
    with pytest.raises(TrajectoryError, match="give frame_interval_fs"):
        read_foreign_trajectory(tmp_path / file_name, temperature_k=600)


@pytest.mark.parametrize("name", ["xdatcar", "lammps_dump"])
def test_missing_time_step_names_the_option(name: str, tmp_path: Path) -> None:
    file_name, writer = WRITERS[name]
    writer(tmp_path / file_name, fixed_cell_frames())
    with pytest.raises(TrajectoryError, match="give time_step_fs"):
        read_foreign_trajectory(tmp_path / file_name, temperature_k=600)
    run = read_foreign_trajectory(tmp_path / file_name, temperature_k=600, time_step_fs=2)
    assert run.frame_interval_ps == pytest.approx(0.020 if name == "lammps_dump" else 0.002)
    assert any("NBLOCK" in note for note in run.notes) == (name == "xdatcar")
    stated = read_foreign_trajectory(tmp_path / file_name, temperature_k=600, frame_interval_fs=4)
    assert not any("NBLOCK" in note for note in stated.notes)


@pytest.mark.parametrize("name", ["xdatcar", "lammps_dump", "extxyz", "ase_traj", "h5md"])
def test_missing_temperature_names_the_option(name: str, tmp_path: Path) -> None:
    file_name, writer = WRITERS[name]
    writer(tmp_path / file_name, fixed_cell_frames())
    with pytest.raises(TrajectoryError, match="give temperature_k"):
        read_foreign_trajectory(tmp_path / file_name, frame_interval_fs=20)


@pytest.mark.parametrize("option", ["time_step_fs", "frame_interval_fs", "temperature_k"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_senseless_options(option: str, value: float, tmp_path: Path) -> None:
    write_xdatcar(tmp_path / "XDATCAR", fixed_cell_frames())
    with pytest.raises(TrajectoryError, match=option):
        read_foreign_trajectory(tmp_path / "XDATCAR", **{option: value})


def test_vasprun_gives_time_step_and_kinetic_temperature(tmp_path: Path) -> None:
    kinetic = 1.5 * BOLTZMANN_EV_PER_K * 650 * (len(SYMBOLS) - 1)
    write_vasprun(tmp_path / "vasprun.xml", fixed_cell_frames(), potim=1.5, kinetic=kinetic)
    run = read_foreign_trajectory(tmp_path / "vasprun.xml")
    assert run.frame_interval_ps == pytest.approx(0.0015)
    assert run.temperature_k == pytest.approx(650, rel=1e-6)
    stated = read_foreign_trajectory(tmp_path / "vasprun.xml", temperature_k=700, time_step_fs=3)
    assert stated.temperature_k == 700
    assert stated.frame_interval_ps == pytest.approx(0.003)
    assert any("650 K" in note for note in stated.notes)
    assert any("replaces" in note for note in stated.notes)


def test_vasprun_agrees_with_pymatgen_and_ase(tmp_path: Path) -> None:
    from ase.io import read as ase_read
    from pymatgen.io.vasp.outputs import Vasprun

    path = tmp_path / "vasprun.xml"
    write_vasprun(path, fixed_cell_frames())
    run = read_foreign_trajectory(path)
    theirs = Vasprun(path, parse_dos=False, parse_eigen=False, parse_potcar_file=False, exception_on_bad_xml=True)
    assert theirs.parameters["POTIM"] == pytest.approx(run.frame_interval_ps * 1000)
    assert len(theirs.structures) == run.n_frames
    for structure, positions in zip(theirs.structures, run.positions_angstrom, strict=True):
        shift = structure.frac_coords - positions @ np.linalg.inv(run.mean_cell_angstrom)
        np.testing.assert_allclose(shift, np.rint(shift), atol=1e-6)
    for atoms, positions in zip(ase_read(path, index=":"), run.positions_angstrom, strict=True):
        shift = (atoms.positions - positions) @ np.linalg.inv(CELL)
        np.testing.assert_allclose(shift, np.rint(shift), atol=1e-6)


def test_vasprun_of_a_relaxation_is_refused(tmp_path: Path) -> None:
    write_vasprun(tmp_path / "vasprun.xml", fixed_cell_frames(), ibrion=2)
    with pytest.raises(TrajectoryError, match="no molecular dynamics"):
        read_foreign_trajectory(tmp_path / "vasprun.xml")


def test_xdatcar_of_pymatgen_and_of_vasp_4(tmp_path: Path) -> None:
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.io.vasp.outputs import Xdatcar

    write_xdatcar(tmp_path / "XDATCAR", fixed_cell_frames())
    xdatcar = Xdatcar(tmp_path / "XDATCAR")
    assert AseAtomsAdaptor.get_atoms(xdatcar.structures[0]).get_chemical_symbols() == list(SYMBOLS)
    xdatcar.write_file(tmp_path / "XDATCAR_pymatgen")
    run = read_foreign_trajectory(tmp_path / "XDATCAR_pymatgen", time_step_fs=2, temperature_k=600)
    assert_same_motion(run.positions_angstrom, walk()[: run.n_frames])
    assert run.n_frames >= N_FRAMES - 1  # without a final newline the last number may be cut

    lines = (tmp_path / "XDATCAR").read_text().splitlines(keepends=True)
    (tmp_path / "XDATCAR_4").write_text("".join(lines[:5] + lines[6:]))
    with pytest.raises(TrajectoryError, match="species_order"):
        read_foreign_trajectory(tmp_path / "XDATCAR_4", time_step_fs=2, temperature_k=600)
    named = read_foreign_trajectory(
        tmp_path / "XDATCAR_4", time_step_fs=2, temperature_k=600, species_order=["Li", "P", "S"]
    )
    assert named.symbols == SYMBOLS


def test_xdatcar_counts_its_steps(tmp_path: Path) -> None:
    path = tmp_path / "XDATCAR"
    write_xdatcar(path, fixed_cell_frames())
    text = path.read_text()
    for number in range(N_FRAMES, 0, -1):
        text = text.replace(f"Direct configuration={number:6d}\n", f"Direct configuration={10 * number:6d}\n")
    path.write_text(text)
    run = read_foreign_trajectory(path, time_step_fs=2, temperature_k=600)
    assert run.frame_interval_ps == pytest.approx(0.02)
    assert not any("NBLOCK" in note for note in run.notes)


# ----------------------------------------------------------------------------------------------------------- LAMMPS


@pytest.mark.parametrize(
    "columns",
    [
        "id type x y z",
        "id type xs ys zs",
        "id type x y z ix iy iz",
        "id type xs ys zs ix iy iz",
        "type id xu yu zu",
        "id element x y z vx vy vz",
    ],
)
def test_lammps_columns(columns: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.custom"
    path.write_text(lammps_text(fixed_cell_frames(), columns, extra={"unwrapped": walk()}))
    run = read_foreign_trajectory(path, time_step_fs=2, temperature_k=600, species_order=["Li", "P", "S"])
    assert run.symbols == SYMBOLS
    assert run.frame_interval_ps == pytest.approx(0.02)
    assert_same_motion(run.positions_angstrom, walk(), tolerance=1e-6)
    assert any("does not state its units" in note for note in run.notes)


def test_lammps_dump_agrees_with_ase(tmp_path: Path) -> None:
    from ase.io import read as ase_read

    path = tmp_path / "run.lammpstrj"
    path.write_text(lammps_text(fixed_cell_frames(), "id element x y z"))
    run = read_foreign_trajectory(path, time_step_fs=2, temperature_k=600)
    theirs = ase_read(path, index=":", format="lammps-dump-text")
    assert tuple(theirs[0].get_chemical_symbols()) == run.symbols
    np.testing.assert_allclose(theirs[0].cell.lengths(), np.linalg.norm(run.mean_cell_angstrom, axis=1), atol=1e-6)
    np.testing.assert_allclose(theirs[0].positions, run.positions_angstrom[0], atol=1e-6)


def test_lammps_unwrapped_columns_may_jump_half_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "sparse.dump"
    path.write_text(lammps_text(fixed_cell_frames()[::9], "id element xu yu zu", extra={"unwrapped": walk()[::9]}))
    run = read_foreign_trajectory(path, time_step_fs=2, temperature_k=600)
    assert_same_motion(run.positions_angstrom, walk()[::9], tolerance=1e-6)


def test_lammps_types_need_names(tmp_path: Path) -> None:
    path = tmp_path / "dump.custom"
    path.write_text(lammps_text(fixed_cell_frames()))
    with pytest.raises(TrajectoryError, match="species_order"):
        read_foreign_trajectory(path, time_step_fs=2, temperature_k=600)
    with pytest.raises(TrajectoryError, match="types up to 3"):
        read_foreign_trajectory(path, time_step_fs=2, temperature_k=600, species_order=["Li", "P"])
    with pytest.raises(TrajectoryError, match="no chemical element"):
        read_foreign_trajectory(path, time_step_fs=2, temperature_k=600, species_order=["Li", "P", "Q"])


@pytest.mark.parametrize(("style", "to_fs"), [("metal", 1000.0), ("real", 1.0)])
def test_lammps_velocities_give_the_temperature(style: str, to_fs: float, tmp_path: Path) -> None:
    atoms = fixed_cell_frames()[0]
    MaxwellBoltzmannDistribution(atoms, temperature_K=500, rng=np.random.default_rng(1))
    momenta = atoms.get_momenta() - atoms.get_masses()[:, None] * atoms.get_momenta().sum(0) / atoms.get_masses().sum()
    atoms.set_momenta(momenta)
    expected = atoms.get_temperature() * len(atoms) / (len(atoms) - 1)
    velocities = atoms.get_velocities() * units.fs * to_fs  # Å per unit of time of the style
    header = f"ITEM: UNITS\n{style}\n"
    text = lammps_text([atoms] * 2, "id element x y z vx vy vz", header=header, extra={"velocities": velocities})
    (tmp_path / "v.dump").write_text(text)
    run = read_foreign_trajectory(tmp_path / "v.dump", time_step_fs=1)
    assert run.temperature_k == pytest.approx(expected, rel=1e-3)
    assert not any("assumed" in note for note in run.notes)


def test_lammps_time_item_makes_the_time_step_needless(tmp_path: Path) -> None:
    text = lammps_text(fixed_cell_frames(), "id element x y z")
    for number in range(N_FRAMES):
        old = f"ITEM: TIMESTEP\n{number * 10}\n"
        text = text.replace(old, f"{old}ITEM: TIME\n{number * 0.03}\n")
    (tmp_path / "t.dump").write_text("ITEM: UNITS\nmetal\n" + text)
    run = read_foreign_trajectory(tmp_path / "t.dump", temperature_k=600)
    assert run.frame_interval_ps == pytest.approx(0.03)


def test_lammps_refuses_what_it_cannot_know(tmp_path: Path) -> None:
    options = {"time_step_fs": 1, "temperature_k": 600}
    frames = fixed_cell_frames()
    good = lammps_text(frames, "id element x y z")
    for text, words in (
        ("ITEM: UNITS\nlj\n" + good, "lj"),
        (good.replace("ITEM: TIMESTEP\n30\n", "ITEM: TIMESTEP\n35\n"), "are missing"),
        (good.replace("pp pp pp", "pp pp ff"), "not periodic"),
        (lammps_text(frames, "id element ix iy iz"), "no positions"),
        (lammps_text(frames, "id x y z"), "type"),
        (good.replace("\n5 S ", "\n5 Cl ", 1), "not those of the first frame"),
        (good.replace(" Li ", " Li 7 ", 1), "another length"),
        (good.replace("ITEM: NUMBER OF ATOMS", "ITEM: NUMBER OF ROWS", 1), "no LAMMPS dump item"),
    ):
        (tmp_path / "bad.dump").write_text(text)
        with pytest.raises(TrajectoryError, match=words):
            read_foreign_trajectory(tmp_path / "bad.dump", **options)


def test_lammps_repeated_frame_of_a_restart_is_left_out(tmp_path: Path) -> None:
    frames = fixed_cell_frames()
    first = lammps_text(frames, "id element x y z")
    mark = f"ITEM: TIMESTEP\n{(N_FRAMES - 1) * 10}\n"
    (tmp_path / "r.dump").write_text(first + first[first.index(mark) :])
    run = read_foreign_trajectory(tmp_path / "r.dump", time_step_fs=2, temperature_k=600)
    assert run.n_frames == N_FRAMES
    assert any("repeated" in note for note in run.notes)


# ---------------------------------------------------------------------------------------------- ASE, extxyz and H5MD


@pytest.fixture
def argon_run(tmp_path: Path) -> tuple[Path, Path, float]:
    """A real run by ASE's own dynamics, its .traj and .extxyz, and its mean temperature."""
    atoms = bulk("Ar", cubic=True).repeat(2)
    atoms.calc = LennardJones(epsilon=0.0103, sigma=3.4, rc=6.0)
    generator = np.random.default_rng(4)
    MaxwellBoltzmannDistribution(atoms, temperature_K=60, rng=generator)
    dynamics = Bussi(
        atoms, 2 * units.fs, temperature_K=60, taut=50 * units.fs, rng=generator,
        trajectory=str(tmp_path / "md.traj"), loginterval=5,
    )  # fmt: skip
    temperatures = []

    def internal_temperature() -> float:
        """Kinetic energy without that of the centre of mass, over 3N - 3 degrees of freedom."""
        centre = np.sum(atoms.get_momenta().sum(axis=0) ** 2) / (2 * atoms.get_masses().sum())
        return 2 * (atoms.get_kinetic_energy() - centre) / ((3 * len(atoms) - 3) * BOLTZMANN_EV_PER_K)

    dynamics.attach(lambda: temperatures.append(internal_temperature()), interval=5)
    dynamics.attach(lambda: write(tmp_path / "md.extxyz", atoms, append=True), interval=5)
    dynamics.run(60)
    return tmp_path / "md.traj", tmp_path / "md.extxyz", float(np.mean(temperatures))


def test_ase_dynamics_describes_itself(argon_run: tuple[Path, Path, float]) -> None:
    traj, extxyz, temperature = argon_run
    run = read_foreign_trajectory(traj)
    assert run.frame_interval_ps == pytest.approx(0.010)
    assert run.temperature_k == pytest.approx(temperature, rel=1e-6)
    assert run.n_frames == 13
    with_momenta = read_foreign_trajectory(extxyz, frame_interval_fs=10)
    assert with_momenta.temperature_k == pytest.approx(temperature, rel=1e-5)
    np.testing.assert_allclose(with_momenta.positions_angstrom, run.positions_angstrom, atol=1e-6)


def test_extxyz_time_of_frames(tmp_path: Path) -> None:
    frames = fixed_cell_frames()
    for number, atoms in enumerate(frames):
        atoms.info["time_fs"] = 25.0 * number
    write_extxyz(tmp_path / "run.extxyz", frames)
    run = read_foreign_trajectory(tmp_path / "run.extxyz", temperature_k=600)
    assert run.frame_interval_ps == pytest.approx(0.025)
    frames[-1].info["time_fs"] = 1000.0
    write_extxyz(tmp_path / "run.extxyz", frames)
    with pytest.raises(TrajectoryError, match="missing"):
        read_foreign_trajectory(tmp_path / "run.extxyz", temperature_k=600)


def test_extxyz_without_a_cell_or_with_changing_atoms(tmp_path: Path) -> None:
    cluster = Atoms("Li2", positions=[[0, 0, 0], [0, 0, 2.0]])
    write(tmp_path / "cluster.xyz", [cluster] * 3, format="extxyz")
    with pytest.raises(TrajectoryError, match="no three-dimensional cell"):
        read_foreign_trajectory(tmp_path / "cluster.xyz", frame_interval_fs=1, temperature_k=300)
    frames = fixed_cell_frames()
    del frames[5][0]
    write_extxyz(tmp_path / "run.extxyz", frames)
    with pytest.raises(TrajectoryError, match="frame 6"):
        read_foreign_trajectory(tmp_path / "run.extxyz", frame_interval_fs=1, temperature_k=300)


def test_extxyz_with_nonsense_inside(tmp_path: Path) -> None:
    write_extxyz(tmp_path / "run.extxyz", fixed_cell_frames())
    text = (tmp_path / "run.extxyz").read_text().splitlines(keepends=True)
    text[11] = "Li what is this\n"
    (tmp_path / "run.extxyz").write_text("".join(text))
    with pytest.raises(TrajectoryError, match="Frame 2"):
        read_foreign_trajectory(tmp_path / "run.extxyz", frame_interval_fs=1, temperature_k=300)


def test_h5md_of_mdanalysis(tmp_path: Path) -> None:
    mda = pytest.importorskip("MDAnalysis")
    frames = fixed_cell_frames()
    universe = mda.Universe.empty(len(SYMBOLS), trajectory=True)
    path = tmp_path / "mda.h5md"
    with mda.Writer(str(path), n_atoms=len(SYMBOLS), positions=True, velocities=False, forces=False,
                    lengthunit="Angstrom", timeunit="ps") as writer:  # fmt: skip
        for number, atoms in enumerate(frames):
            universe.atoms.positions = atoms.positions
            universe.dimensions = atoms.cell.cellpar()
            universe.trajectory.ts.data["step"] = number
            universe.trajectory.ts.time = number * 0.02
            writer.write(universe)
    with pytest.raises(TrajectoryError, match="species"):
        read_foreign_trajectory(path, temperature_k=600)
    with h5py.File(path, "a") as file:
        file["particles/trajectory"].create_dataset("species", data=[3, 3, 3, 15, 16, 16])
    run = read_foreign_trajectory(path, temperature_k=600)
    assert run.symbols == SYMBOLS
    assert any("atomic numbers" in note for note in run.notes)
    assert run.frame_interval_ps == pytest.approx(0.02, rel=1e-3)


def test_h5md_of_our_own_engine(cosine_system: object, tmp_path: Path) -> None:
    from superion.dynamics.engine import run_md
    from superion.dynamics.protocol import MdProtocol, RunLimits
    from superion.dynamics.trajectory import Trajectory
    from superion.potentials.registry import load_potential

    protocol = MdProtocol(temperature_k=900, time_step_fs=2.0, frame_interval_fs=20.0)
    limits = RunLimits(duration_ps=1.0, segment_ps=0.4)
    potential = load_potential(cosine_system.specification)
    ours = Trajectory(run_md(cosine_system.atoms, potential, protocol, limits, tmp_path).folder)
    whole = read_foreign_trajectory(ours.write_virtual_file())
    np.testing.assert_allclose(whole.positions_angstrom, ours.positions(), atol=1e-5)
    assert whole.symbols == tuple(ours.symbols)
    assert whole.frame_interval_ps == pytest.approx(ours.frame_interval_ps)
    assert whole.temperature_k == pytest.approx(np.mean(ours.temperatures()))
    first = read_foreign_trajectory(ours.segment_paths[0])
    assert 2 <= first.n_frames < whole.n_frames
    assert_same_motion(first.positions_angstrom, whole.positions_angstrom[: first.n_frames])


def test_h5md_image_flags_and_species_order(tmp_path: Path) -> None:
    frames = fixed_cell_frames()
    write_h5md(tmp_path / "run.h5md", frames)
    images = np.rint(
        np.array([(true - atoms.positions) @ np.linalg.inv(CELL) for true, atoms in zip(walk(), frames, strict=True)])
    )
    with h5py.File(tmp_path / "run.h5md", "a") as file:
        particles = file["particles/all"]
        particles.create_dataset("image/value", data=images.astype(int))
        del particles["species"]
        particles.create_dataset("species", data=[0, 0, 0, 1, 2, 2])
    with pytest.raises(TrajectoryError, match="no atomic numbers"):
        read_foreign_trajectory(tmp_path / "run.h5md", temperature_k=600)
    run = read_foreign_trajectory(tmp_path / "run.h5md", temperature_k=600, species_order=["Li", "P", "S"])
    assert run.symbols == SYMBOLS
    np.testing.assert_allclose(run.positions_angstrom, walk(), atol=1e-6)
    assert run.frame_interval_ps == pytest.approx(0.02)


def test_hdf5_that_is_no_trajectory_or_cut(tmp_path: Path) -> None:
    path = tmp_path / "run.h5md"
    with h5py.File(path, "w") as file:
        file["something"] = [1, 2, 3]
    with pytest.raises(TrajectoryError, match="no complete H5MD"):
        read_foreign_trajectory(path)
    write_h5md(path, fixed_cell_frames())
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(TrajectoryError, match="damaged"):
        read_foreign_trajectory(path)


# ---------------------------------------------------------------------------------------- recognising and unwrapping


def test_files_that_are_not_there_or_unknown(tmp_path: Path) -> None:
    for name, content, words in (
        ("missing", None, "no trajectory file"),
        ("empty.traj", b"", "is empty"),
        ("poem.txt", b"Shall I compare thee\n", "no trajectory format"),
        ("broken.gz", b"\x1f\x8b but no gzip at all", "damaged"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(TrajectoryError, match=words):
            read_foreign_trajectory(tmp_path / name)
    with pytest.raises(TrajectoryError, match="folder"):
        read_foreign_trajectory(tmp_path)
    with pytest.raises(TrajectoryError, match="no trajectory format 'dcd'"):
        read_foreign_trajectory(tmp_path / "poem.txt", file_format="dcd")


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    write_lammps(tmp_path / "XDATCAR", fixed_cell_frames())
    assert read_foreign_trajectory(tmp_path / "XDATCAR", time_step_fs=1, temperature_k=300).format == "lammps_dump"


def test_sparse_wrapped_frames_are_refused_or_noted(tmp_path: Path) -> None:
    write_extxyz(tmp_path / "sparse.extxyz", fixed_cell_frames()[::9])
    with pytest.raises(TrajectoryError, match=r"ambiguous.*--unwrapped"):
        read_foreign_trajectory(tmp_path / "sparse.extxyz", frame_interval_fs=1000, temperature_k=300)
    write_extxyz(tmp_path / "sparser.extxyz", fixed_cell_frames()[::3])
    run = read_foreign_trajectory(tmp_path / "sparser.extxyz", frame_interval_fs=1000, temperature_k=300)
    assert any("sparse" in note for note in run.notes)
    assert_same_motion(run.positions_angstrom, walk()[::3])


def test_exploded_run_is_refused(tmp_path: Path) -> None:
    frames = fixed_cell_frames(wrap=False)
    frames[4].positions[2] = np.nan
    write_extxyz(tmp_path / "nan.extxyz", frames)
    with pytest.raises(TrajectoryError, match="Frame 5"):
        read_foreign_trajectory(tmp_path / "nan.extxyz", frame_interval_fs=1, temperature_k=300)


@given(
    arrays(np.float64, (15, 3, 3), elements=st.floats(-0.44, 0.44)),
    arrays(np.float64, (3, 3), elements=st.floats(0, 1)),
    arrays(np.int64, (15, 3, 3), elements=st.integers(-3, 3)),
)
@settings(max_examples=100, deadline=None)
def test_unwrapping_undoes_any_wrapping(steps: np.ndarray, start: np.ndarray, images: np.ndarray) -> None:
    true = start + np.cumsum(steps, axis=0) - steps[0]
    unwrapped, longest = unwrap_fractional(true + images)
    np.testing.assert_allclose(unwrapped - unwrapped[0], true - true[0], atol=1e-9)
    greatest = np.abs(steps[1:]).max()
    assert greatest < 0.1 or longest.share == pytest.approx(greatest, abs=1e-9)
    assert not longest.is_ambiguous


@given(st.floats(0.46, 0.54), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_unwrapping_notices_half_a_cell(step: float, axis: int) -> None:
    fractional = np.zeros((2, 1, 3))
    fractional[1, 0, axis] = step
    assert unwrap_fractional(fractional)[1].is_ambiguous


@given(
    arrays(np.float64, (40, 3, 3), elements=st.floats(-1, 1)),
    arrays(np.int64, (3,), elements=st.integers(-4, 4)),
    st.sampled_from([60.0, 75.0, 90.0, 110.0, 120.0]),
    st.floats(0.05, 0.44),
)
@settings(max_examples=100, deadline=None)
def test_unwrapping_finds_the_nearest_image_in_skewed_cells(
    directions: np.ndarray, skew: np.ndarray, angle: float, share: float
) -> None:
    compact = Cell.new([6.0, 6.0, 9.0, 90.0, 90.0, angle]).array
    skewed = np.array([[1, 0, 0], [skew[0], 1, 0], [skew[1], skew[2], 1]]) @ compact
    lengths = np.linalg.norm(directions, axis=2, keepdims=True)
    steps = share * 6.0 * directions / np.maximum(lengths, 1e-3)  # no lattice vector is shorter than 6 Å
    true = np.cumsum(steps, axis=0)
    fractional = true @ np.linalg.inv(skewed)
    unwrapped, longest = unwrap_fractional(fractional - np.floor(fractional), skewed)
    np.testing.assert_allclose((unwrapped - unwrapped[0]) @ skewed, true - true[0], atol=1e-8)
    assert longest.share < 0.45
