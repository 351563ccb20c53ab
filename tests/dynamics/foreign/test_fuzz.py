"""Damaged files: every reader gives a sound trajectory or one clear sentence, never another error, warning or NaN."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from superion.dynamics.foreign import FOREIGN_FORMATS, read_foreign_trajectory
from superion.errors import TrajectoryError
from support.foreign_walks import EDGE, N_EACH, SYMBOLS, extxyz, lammps, vasprun, walk, xdatcar

WALK = walk(12)


def write_traj(path: Path) -> None:
    from ase import Atoms
    from ase.io import write

    frames = [Atoms(SYMBOLS, positions=frame, cell=EDGE * np.eye(3), pbc=True) for frame in WALK]
    for atoms in frames:
        atoms.set_momenta(0.1 * np.sin(np.arange(96)).reshape(32, 3))
    write(path, frames, format="traj")


def write_h5md(path: Path) -> None:
    with h5py.File(path, "w") as file:
        particles = file.create_group("particles/all")
        position = particles.create_group("position")
        position.create_dataset("value", data=WALK).attrs["unit"] = "angstrom"
        position.create_dataset("step", data=10 * np.arange(len(WALK)))
        position.create_dataset("time", data=20.0 * np.arange(len(WALK))).attrs["unit"] = "fs"
        particles.create_group("box").create_dataset("edges", data=EDGE * np.ones(3)).attrs["unit"] = "angstrom"
        particles.create_dataset("species", data=[3] * N_EACH + [16] * N_EACH)


WRITERS = {
    "xdatcar": lambda path: path.write_text(xdatcar(WALK)),
    "lammps_dump": lambda path: path.write_text(
        lammps(WALK, "id element xu yu zu vx vy vz", velocities=np.sin(np.arange(96)).reshape(32, 3), units="metal")
    ),
    "extxyz": lambda path: path.write_text(extxyz(WALK, [f"time_fs={20 * index}" for index in range(len(WALK))])),
    "vasprun": lambda path: path.write_text(vasprun(WALK)),
    "ase_traj": write_traj,
    "h5md": write_h5md,
}


def damaged(content: bytes, generator: np.random.Generator) -> bytes:
    """Change, remove, repeat or cut a few bytes or lines."""
    data = bytearray(content)
    for _ in range(generator.integers(1, 4)):
        place = int(generator.integers(len(data)))
        length = int(generator.integers(1, 40))
        match generator.integers(6):
            case 0:
                data[place] = int(generator.integers(256))
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length]
            case 3:
                data[place : place + 1] = bytes(
                    generator.choice(list(b'0123456789.-+eE*\n\r \t"<>=:naifNI'), 3).tolist()
                )
            case 4:
                head = int(generator.integers(min(len(data), 800)))  # headers are few among so many numbers
                data[head] = int(generator.choice(list(b"0123456789.- \nxT*")))
            case _ if generator.random() < 0.3:
                del data[place:]
        if not data:
            return b"\n"
    return bytes(data)


def fuzz(name: str, tmp_path: Path, seeds: range) -> tuple[int, int]:
    path = tmp_path / "run"
    WRITERS[name](path)
    content = path.read_bytes()
    read = 0
    sentences: list[str] = []
    for seed in seeds:
        path.write_bytes(damaged(content, np.random.default_rng(seed)))
        options = {} if seed % 8 == 0 else {"frame_interval_fs": 20.0, "temperature_k": 700.0, "time_step_fs": 2.0}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                run = read_foreign_trajectory(path, file_format=name, **options)
            except TrajectoryError as error:
                sentences.append(str(error))
                continue
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error!r}") from error
        read += 1
        assert np.isfinite(run.positions_angstrom).all(), seed
        assert np.isfinite([run.frame_interval_ps, run.temperature_k, run.volume_angstrom3]).all(), seed
        assert run.frame_interval_ps > 0, seed
        assert run.temperature_k > 0, seed
        assert len(run.symbols) == run.positions_angstrom.shape[1], seed
    assert not [sentence for sentence in sentences if "\n" in sentence]
    return read, len(sentences)


def test_every_format_is_fuzzed() -> None:
    assert set(WRITERS) == set(FOREIGN_FORMATS)


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    read, refused = fuzz(name, tmp_path, range(100))
    assert read
    assert refused


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_a_thousand_damaged_files(name: str, tmp_path: Path) -> None:
    read, refused = fuzz(name, tmp_path, range(1000, 1000 + int(os.environ.get("SUPERION_FUZZ", "1000"))))
    print(f"{name}: {read} read, {refused} refused")
