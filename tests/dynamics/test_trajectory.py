from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from superion.dynamics.engine import run_md
from superion.dynamics.export import export_trajectory
from superion.dynamics.frames import frames_from_segment_ends, trajectory_frames
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.segment_file import read_checkpoint
from superion.dynamics.trajectory import Trajectory
from superion.errors import TrajectoryError
from superion.potentials.registry import load_potential


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory) -> Trajectory:
    """26 frames in 7 segments, with velocities, at changing volume."""
    from conftest import make_cosine_system

    system = make_cosine_system()
    volume = system.atoms.get_volume() / len(system.atoms)
    options = system.specification.options | {"bulk_modulus_gpa": 20.0, "volume_angstrom3_per_atom": volume}
    potential = load_potential(system.specification.model_copy(update={"options": options}))
    result = run_md(
        system.atoms,
        potential,
        MdProtocol(temperature_k=800, ensemble="npt", time_step_fs=2.0),
        RunLimits(duration_ps=0.5, segment_ps=0.09, store_velocities=True),
        tmp_path_factory.mktemp("trajectories"),
    )
    return Trajectory(result.folder)


def test_facts(trajectory):
    assert len(trajectory) == trajectory.n_frames == 26
    assert trajectory.n_atoms == 45
    assert trajectory.symbols[0] == "Li"
    assert trajectory.masses_amu[0] == pytest.approx(6.94)
    assert trajectory.frame_interval_ps == pytest.approx(0.02)
    assert trajectory.duration_ps == pytest.approx(0.5)
    assert trajectory.steps().tolist() == list(range(0, 251, 10))
    assert trajectory.times_ps()[-1] == pytest.approx(0.5)
    assert trajectory.key == trajectory.folder.name
    assert len(trajectory.segments) == 7
    assert trajectory.cells().shape == (26, 3, 3)
    assert trajectory.volumes() == pytest.approx(np.linalg.det(trajectory.cells()))
    assert trajectory.mean_volume_angstrom3 == pytest.approx(trajectory.volumes().mean())
    assert trajectory.temperatures().shape == trajectory.energies().shape == (26,)
    assert trajectory.pressures().shape == (26,)
    assert "26 frames" in repr(trajectory)


@pytest.mark.parametrize("places", [[3], [4, 5, 6], [1, 9, 17, 25], [0, 2, 3, 11], [24, 25, 26], []])
def test_chosen_frames_are_those_of_the_trajectory(trajectory, places):
    frames = trajectory_frames(trajectory, places)
    known = [place for place in places if place < trajectory.n_frames]
    assert len(frames) == len(known)
    positions, cells = trajectory.positions(), trajectory.cells()
    for frame, place in zip(frames, known, strict=True):
        assert np.array_equal(frame.cell.array, cells[place])
        assert frame.get_chemical_symbols() == list(trajectory.symbols)
        moved = np.linalg.solve(cells[place].T, (frame.positions - positions[place]).T)
        assert moved == pytest.approx(np.round(moved), abs=1e-9)


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_frames_are_counted_from_the_end_of_each_segment(trajectory, stride):
    places = frames_from_segment_ends(trajectory, stride)
    assert places == sorted(set(places))
    ends = np.cumsum([segment.n_frames for segment in trajectory.segments])
    assert set(ends - 1) <= set(places)
    assert len(places) == sum(-(-segment.n_frames // stride) for segment in trajectory.segments)


def test_frames_match_the_checkpoints(trajectory):
    """The float32 frames are the float64 states, rounded once."""
    steps = trajectory.steps().tolist()
    positions = trajectory.positions()
    for segment in trajectory.segments:
        checkpoint = read_checkpoint(trajectory.folder / segment.file)
        frame = positions[steps.index(checkpoint.step)]
        assert np.array_equal(frame, checkpoint.positions.astype(np.float32).astype(np.float64))
        assert np.array_equal(trajectory.cells()[steps.index(checkpoint.step)], checkpoint.cell)


def test_velocities_are_the_slope_of_the_positions(trajectory):
    positions, velocities = trajectory.positions(), trajectory.velocities()
    slope = (positions[2:] - positions[:-2]) / (2 * trajectory.frame_interval_ps)
    assert np.corrcoef(slope.ravel(), velocities[1:-1].ravel())[0, 1] > 0.9
    assert np.abs(velocities).mean() == pytest.approx(np.abs(slope).mean(), rel=0.2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.integers(-30, 30) | st.none(),
    st.integers(-30, 30) | st.none(),
    st.integers(1, 30) | st.none(),
    st.lists(st.integers(0, 44), min_size=1, max_size=5) | st.none(),
)
def test_any_slice_reads_as_from_one_array(trajectory, start, stop, step, atoms):
    whole = trajectory.positions()
    expected = whole[slice(start, stop, step)] if atoms is None else whole[slice(start, stop, step)][:, atoms]
    assert np.array_equal(trajectory.positions(slice(start, stop, step), atoms), expected)


def test_backward_reading_is_refused(trajectory):
    with pytest.raises(ValueError, match="forward"):
        trajectory.positions(slice(None, None, -1))


def test_blocks_join_to_the_whole(trajectory):
    blocks = list(trajectory.iterate_positions(4, dtype=np.float32))
    assert [len(block) for block in blocks] == [4] * 6 + [2]
    assert blocks[0].dtype == np.float32
    assert np.array_equal(np.concatenate(blocks), trajectory.positions())


def test_reading_takes_little_more_memory_than_the_answer(trajectory, tmp_path):
    """A longer trajectory, faked from segments of the same layout."""
    big = tmp_path / "big"
    big.mkdir()
    segments = []
    for index in range(10):
        name = f"segment-{index:06d}.h5md"
        with h5py.File(big / name, "w") as file:
            file["particles/trajectory/position/value"] = np.full((100, 500, 3), index, dtype=np.float32)
        record = trajectory.segments[0].model_copy(
            update={"file": name, "n_frames": 100, "size_bytes": (big / name).stat().st_size}
        )
        segments.append(record)
    description = trajectory.description.model_copy(update={"symbols": ("Li",) * 500})
    (big / "trajectory.json").write_text(description.model_dump_json())
    (big / "manifest.json").write_text(
        trajectory.manifest.model_copy(update={"segments": tuple(segments)}).model_dump_json()
    )
    reader = Trajectory(big)
    tracemalloc.start()
    positions = reader.positions()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert positions[::100, 0, 0].tolist() == list(range(10))
    assert peak < 1.25 * positions.nbytes


def test_segments_are_h5md(trajectory):
    with h5py.File(trajectory.segment_paths[1]) as file:
        assert file["h5md"].attrs["version"].tolist() == [1, 1]
        assert file["h5md/author"].attrs["name"]
        assert file["h5md/creator"].attrs["version"]
        atoms = file["particles/trajectory"]
        assert atoms["box"].attrs["dimension"] == 3
        assert list(atoms["box"].attrs["boundary"]) == ["periodic"] * 3
        n_frames = trajectory.segments[1].n_frames
        for element in (atoms["position"], atoms["velocity"], atoms["box/edges"], *file["observables"].values()):
            assert len(element["step"]) == len(element["time"]) == len(element["value"]) == n_frames
            assert "unit" in element["value"].attrs
        assert atoms["position/value"].dtype == np.float32
        assert atoms["species"][0] == 3
        assert atoms["mass"].attrs["unit"] == "u"
        assert file["superion/checkpoint/positions"].dtype == np.float64


def test_mdanalysis_reads_segments_and_whole(trajectory, tmp_path):
    mda = pytest.importorskip("MDAnalysis")
    universe = mda.Universe(str(trajectory.segment_paths[0]))
    assert len(universe.atoms) == trajectory.n_atoms
    sources = {
        "segment": str(trajectory.segment_paths[0]),
        "chain": [str(path) for path in trajectory.segment_paths],
        "virtual": str(trajectory.write_virtual_file(tmp_path / "whole.h5md")),
    }
    positions, volumes = trajectory.positions(), trajectory.volumes()
    for name, source in sources.items():
        universe.load_new(source)
        expected = trajectory.segments[0].n_frames if name == "segment" else trajectory.n_frames
        assert universe.trajectory.n_frames == expected, name
        for frame, step in enumerate(universe.trajectory):
            assert np.array_equal(step.positions, positions[frame].astype(np.float32)), name
            assert step.volume == pytest.approx(volumes[frame], rel=1e-5)
            if name != "chain":  # a chain counts frames anew
                assert step.time == pytest.approx(trajectory.times_ps()[frame])
    assert universe.trajectory[3].velocities == pytest.approx(trajectory.velocities()[3], rel=1e-6)


def test_virtual_file_moves_with_its_folder(trajectory, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(trajectory.folder, copy)
    Trajectory(copy).write_virtual_file()
    moved = copy.rename(tmp_path / "moved")
    with h5py.File(moved / "trajectory.h5md") as file:
        assert np.array_equal(file["particles/trajectory/position/value"][()], trajectory.positions().astype("f4"))


def test_extxyz_export(trajectory, tmp_path):
    import ase.io

    frames = ase.io.read(export_trajectory(trajectory, tmp_path / "run.extxyz", "extxyz"), index=":")
    assert len(frames) == 26
    assert frames[7].positions == pytest.approx(trajectory.positions()[7], abs=1e-7)
    assert frames[7].cell.array == pytest.approx(trajectory.cells()[7], abs=1e-7)
    assert frames[7].info["time_ps"] == pytest.approx(0.14)
    assert frames[7].info["temperature_k"] == pytest.approx(trajectory.temperatures()[7])
    assert frames[0].get_chemical_symbols() == list(trajectory.symbols)


def test_xdatcar_export(trajectory, tmp_path):
    from pymatgen.io.vasp import Xdatcar

    path = export_trajectory(trajectory, tmp_path / "XDATCAR", "xdatcar")
    structures = Xdatcar(str(path)).structures
    assert len(structures) == 26
    order = np.argsort([trajectory.symbols.index(symbol) for symbol in trajectory.symbols], kind="stable")
    for frame in (0, 25):
        assert structures[frame].lattice.matrix == pytest.approx(trajectory.cells()[frame], abs=1e-9)
        assert structures[frame].cart_coords == pytest.approx(trajectory.positions()[frame][order], abs=1e-6)
    assert [site.specie.symbol for site in structures[0]] == [trajectory.symbols[atom] for atom in order]


def test_xdatcar_of_a_fixed_cell_has_one_header(cosine_system, tmp_path):
    potential = load_potential(cosine_system.specification)
    atoms = cosine_system.atoms[[0, 20, 1, 21, 2]]
    result = run_md(atoms, potential, MdProtocol(temperature_k=300), RunLimits(duration_ps=0.1), tmp_path)
    text = export_trajectory(Trajectory(result.folder), tmp_path / "XDATCAR", "xdatcar").read_text()
    assert text.count("superion") == 1
    assert text.splitlines()[5:7] == ["Li S", "3 2"]


def test_bad_requests_are_one_sentence(trajectory, cosine_system, tmp_path):
    with pytest.raises(TrajectoryError, match=r"extxyz.*xdatcar"):
        export_trajectory(trajectory, tmp_path / "x", "pdb")
    with pytest.raises(TrajectoryError, match="cannot be written"):
        export_trajectory(trajectory, tmp_path / "nowhere" / "x", "extxyz")
    with pytest.raises(TrajectoryError, match="cannot be written"):
        trajectory.write_virtual_file(tmp_path / "nowhere" / "x.h5md")
    with pytest.raises(TrajectoryError, match="no trajectory"):
        Trajectory(tmp_path)
    potential = load_potential(cosine_system.specification)
    bare = run_md(cosine_system.atoms, potential, MdProtocol(temperature_k=300), RunLimits(duration_ps=0.02), tmp_path)
    with pytest.raises(TrajectoryError, match="velocity"):
        Trajectory(bare.folder).velocities()


@pytest.mark.parametrize("keep", [0, 10, 1000, 20000])
def test_truncated_file_is_named(trajectory, tmp_path, keep):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(trajectory.folder, copy)
    path = copy / trajectory.segments[2].file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TrajectoryError, match=path.name) as caught:
        Trajectory(copy).positions()
    assert "\n" not in str(caught.value)
    assert isinstance(path, Path)
