"""Reading a trajectory takes little more memory than its positions."""

from __future__ import annotations

import tracemalloc

import pytest
from superion.dynamics.foreign import read_foreign_trajectory
from support.foreign_walks import extxyz, lammps, vasprun, walk, xdatcar

KNOWN = {"temperature_k": 700.0, "frame_interval_fs": 20.0}
WALK = walk(1500)
FILES = {
    "XDATCAR": lambda: xdatcar(WALK),
    "a.xyz": lambda: extxyz(WALK),
    "a.dump": lambda: lammps(WALK, "id element x y z"),
    "vasprun.xml": lambda: vasprun(WALK),
}


@pytest.mark.parametrize("name", FILES)
def test_peak_memory_of_reading(name, tmp_path):
    path = tmp_path / name
    path.write_text(FILES[name]())
    read_foreign_trajectory(path, **KNOWN)  # whatever is imported or cached once does not count
    tracemalloc.start()
    try:
        run = read_foreign_trajectory(path, **KNOWN)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * run.positions_angstrom.nbytes
