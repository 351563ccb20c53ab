"""Damaged CIFs end in a refusal of one sentence, or in a crystal of finite numbers."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from superion.errors import StructureError
from superion.structures.read import read_structures

FILES = sorted((Path(__file__).parent / "files").iterdir())
TOKENS = [
    *[b"nan", b"inf", b"?", b".", b"'", b'"', b";", b"\n;", b"loop_", b"data_", b"_atom_site_label", b"\x00", b"\xff"],
    *[b"1e999", b"-1", b"0", b"1/0", b"x,y,z", b"-x,y+1/0,z", b"(", b"OH", b"\r", b"[", b"#", b"_", b"99999999999"],
]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Replace, remove, insert, swap or cut bytes and words."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(data):
            data[place] = chance.randrange(256)
        elif kind == 1:
            del data[place : place + chance.choice([1, 2, 5, 40])]
        elif kind == 2:
            data[place:place] = chance.choice(TOKENS)
        elif kind == 3:
            words = bytes(data).split(b" ")
            words[chance.randrange(len(words))] = chance.choice(TOKENS)
            data = bytearray(b" ".join(words))
        elif kind == 4:
            lines = bytes(data).split(b"\n")
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            data = bytearray(b"\n".join(lines))
        elif chance.random() < 0.3:
            del data[place:]
    return bytes(data)


def check(path: Path) -> None:
    try:
        readings = list(read_structures(path))
    except StructureError as error:
        readings = [error]
    for reading in readings:
        if isinstance(reading, StructureError):
            assert "\n" not in str(reading), str(reading)
            assert path.name in str(reading)
            continue
        assert len(reading.structure) > 0
        assert np.isfinite(reading.structure.cart_coords).all()
        assert np.isfinite([site.species.num_atoms for site in reading.structure]).all()
        assert all("\n" not in note for note in reading.notes)


def test_a_thousand_damaged_files(tmp_path: Path):
    chance = random.Random(1)
    contents = [path.read_bytes() for path in FILES]
    path = tmp_path / "damaged.cif"
    for _ in range(1000):
        path.write_bytes(damaged(chance.choice(contents), chance))
        check(path)
