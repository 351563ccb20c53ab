from __future__ import annotations

import numpy as np
import pytest
from ase.io import read
from superion.dynamics.trajectory import Trajectory


@pytest.fixture
def key(finished, monkeypatch):
    monkeypatch.chdir(finished.root)
    return sorted(path.name for path in (finished.root / ".superion" / "trajectories").iterdir())[0]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("out.extxyz", []), ("XDATCAR", []), ("frames.txt", ["--format", "extxyz"]), ("x", ["--format", "xdatcar"])],
)
def test_other_programs_read_what_is_exported(cli, key, finished, tmp_path, name, arguments):
    target = tmp_path / name
    answer = cli("trajectory", "export", key[:10], target, *arguments)
    assert answer.code == 0, answer.err
    is_xdatcar = name == "XDATCAR" or "xdatcar" in arguments
    frames = read(target, index=":", format="vasp-xdatcar" if is_xdatcar else "extxyz")
    trajectory = Trajectory(finished.root / ".superion" / "trajectories" / key)
    assert len(frames) == trajectory.n_frames
    assert str(trajectory.n_frames) in answer.err
    last = trajectory.positions()[-1]
    difference = frames[-1].get_scaled_positions(wrap=False) - np.linalg.solve(trajectory.cells()[-1].T, last.T).T
    assert np.abs(difference - np.round(difference)).max() < 1e-5


def test_what_cannot_be_exported(cli, key, tmp_path):
    cli("trajectory", "export", "f" * 64, tmp_path / "x").assert_sentence("f" * 64, "superion list --type trajectory")
    cli("trajectory", "export", key, tmp_path / "x", "--format", "pdb").assert_sentence("pdb")
    cli("trajectory", "export", key, "/proc/nowhere/x").assert_sentence("/proc/nowhere/x")
    cli("trajectory", "export", tmp_path, tmp_path / "x").assert_sentence("no trajectory")
