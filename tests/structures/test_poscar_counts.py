"""POSCARs that are cut off or contradict themselves are refused; their dialects are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io.vasp import write_vasp
from hypothesis import given
from hypothesis import strategies as st
from superion.errors import StructureError
from superion.structures.poscar_counts import check_poscar_counts
from superion.structures.read import read_structure

HEAD = "salt\n1.0\n5.13 0 0\n0 5.13 0\n0 0 5.13\n"
POSITIONS = "0 0 0\n0 .5 .5\n.5 0 .5\n.5 .5 0\n.5 0 0\n0 .5 0\n0 0 .5\n.5 .5 .5\n"


def write(folder: Path, text: str) -> Path:
    file = folder / "POSCAR"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}Li Cl\n4 4\nDirect\n{POSITIONS}",
        f"{HEAD}Li_sv Cl\n4 4\nSelective dynamics\nDirect\n" + POSITIONS.replace("\n", " T T F\n"),
        f"{HEAD}Li Cl\n4 4 ! counts\ndirect\n" + POSITIONS.replace("\n", " Li\n") + "\n" + POSITIONS,
        f"{HEAD}Li Cl\n4 4\nDirect\n{POSITIONS}".replace("\n", "\r\n"),
        f"{HEAD.replace('1.0', '-135.005697')}Li Cl\n4 4\nDirect\n{POSITIONS}",
        f"{HEAD}Li Li Li Li Cl Cl\nCl Cl\n1 1 1 1 1 1\n1 1\nDirect\n{POSITIONS}",
    ],
    ids=["plain", "selective", "velocities", "windows", "volume", "wrapped"],
)
def test_dialects_are_read(tmp_path: Path, text: str) -> None:
    structure = read_structure(write(tmp_path, text))
    assert structure.composition.formula == "Li4 Cl4"
    assert structure.volume == pytest.approx(5.13**3, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{HEAD}Li Cl\n4 4\nDirect\n0 0 0\n.5 .5 0\n", "counts 8 atoms and holds 2 lines"),
        (f"{HEAD}Li Cl\n2 2\nDirect\n{POSITIONS}", "counts 4 atoms and holds 8 lines"),
        ("salt\n1.0\n5 0 0\n0 5 0\nLi Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n", "line 5 should be a cell vector"),
        (HEAD, "states no numbers of atoms"),
        (f"{HEAD}4 4\nDirect\n{POSITIONS}", "does not name its elements"),
        (f"{HEAD}Li Na Cl\n4 4\nDirect\n{POSITIONS}", r"names 3 elements \(Li Na Cl\) and gives 2 numbers"),
        (f"{HEAD}Li Cl\n4 2 2\nDirect\n{POSITIONS}", "names 2 elements .* gives 3 numbers"),
        (f"{HEAD}Li Cl\n4 4\n{POSITIONS}", "line 8 should say Direct or Cartesian"),
        (f"{HEAD}H.5 Cl\n4 4\nDirect\n{POSITIONS}", "H.5 is hydrogen of a fractional charge"),
    ],
    ids=[
        *("too few", "too many", "no third vector", "header only", "VASP 4"),
        *("more elements than numbers", "fewer elements than numbers", "no mode", "partial hydrogen"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(StructureError, match=reason):
        read_structure(write(tmp_path, text))


@given(size=st.integers(1, 3), direct=st.booleans(), seed=st.integers(0, 99))
def test_what_ase_writes_is_read(tmp_path_factory: pytest.TempPathFactory, size: int, direct: bool, seed: int) -> None:
    atoms = bulk("NaCl", "rocksalt", 5.6, cubic=True).repeat((size, 1, 1))
    atoms.rattle(0.05, seed=seed)
    file = tmp_path_factory.mktemp("ase") / "salt.vasp"
    write_vasp(file, atoms, direct=direct, sort=True)
    check_poscar_counts(file.read_text())
    assert np.isclose(read_structure(file).distance_matrix.sum(), atoms.get_all_distances(mic=True).sum())
