"""A potential is told by the bytes of its files, wherever they lie, and by its name otherwise."""

from __future__ import annotations

import os

from superion.potentials.identity import potential_identity
from superion.potentials.specification import PotentialSpecification


def identity(**fields):
    return potential_identity(PotentialSpecification(**fields))


def test_names_stay_as_they_are():
    given = {"name": "mace", "model": "medium-mpa-0", "dtype": "float32", "options": {"dispersion": True, "n": [1]}}
    assert identity(**given, device="cpu") == identity(**given, device="cuda") == given


def test_a_file_counts_by_its_bytes(tmp_path):
    file, moved = tmp_path / "my.model", tmp_path / "elsewhere" / "other.model"
    moved.parent.mkdir()
    file.write_bytes(b"weights")
    first = identity(name="mace", model=str(file))
    assert str(tmp_path) not in str(first)
    moved.write_bytes(b"weights")
    assert identity(name="mace", model=str(moved)) == first
    file.write_bytes(b"retrain")
    # As many bytes; a file system with coarse times is no excuse either.
    os.utime(file, ns=(1, 1))
    assert identity(name="mace", model=str(file)) != first
    assert identity(name="ase", options={"tables": [str(moved)]})["options"] == {"tables": [first["model"]]}


def test_a_folder_of_a_model_counts_by_its_files(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.pt").write_bytes(b"weights")
    one, two = (identity(name="matgl", model=str(tmp_path / name)) for name in ("one", "two"))
    assert one == two
    (tmp_path / "two" / "state.pt").write_bytes(b"trained anew")
    assert identity(name="matgl", model=str(tmp_path / "two")) != one


def test_a_path_of_another_machine_counts_by_its_name():
    assert identity(name="mace", model="/on/the/cluster/my.model")["model"] == "/on/the/cluster/my.model"
