"""The cell of a CIF."""

from __future__ import annotations

import math

from pymatgen.core import Lattice

from ...errors import StructureError
from .block import CifBlock
from .numbers import is_missing, parse_number


def read_cell(block: CifBlock) -> tuple[Lattice, list[str]]:
    """Read the cell of a block.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.

    Returns
    -------
    lattice : Lattice
        In Å.
    notes : list of str
        Angles that were taken by default.

    Raises
    ------
    StructureError
        When a length is missing or a value makes no cell.
    """
    if not any(block.column(f"_cell_length_{axis}") for axis in "abc"):
        raise StructureError(
            f"the data block {block.name or 'without a name'} has atoms and no cell: if the cell is in another block, "
            "put both into one"
        )
    lengths = [_value(block, f"_cell_length_{axis}") for axis in "abc"]
    angles, assumed = [], []
    for name in ("alpha", "beta", "gamma"):
        if is_missing(block.value(f"_cell_angle_{name}") or ""):
            assumed.append(name)
            angles.append(90.0)
        else:
            angles.append(_value(block, f"_cell_angle_{name}"))
    if min(lengths) < 0.5 or max(lengths) > 2000.0:
        raise StructureError(
            f"its cell lengths are {', '.join(f'{length:g}' for length in lengths)}: give them in Å, all above zero"
        )
    cosines = [math.cos(math.radians(angle)) for angle in angles]
    root = 1.0 - sum(cosine**2 for cosine in cosines) + 2.0 * math.prod(cosines)
    if not all(1.0 < angle < 179.0 for angle in angles) or root < 1e-6:
        raise StructureError(
            f"its cell angles {', '.join(f'{angle:g}' for angle in angles)} span no cell: give them in degrees"
        )
    notes = []
    if assumed:
        notes.append(f"Cell angles without a value are read as 90°, the dictionary's default: {', '.join(assumed)}.")
    return Lattice.from_parameters(*lengths, *angles), notes


def _value(block: CifBlock, name: str) -> float:
    text = block.value(name) or ""
    number = parse_number(text)
    if number is None:
        what = "is missing" if is_missing(text) else f"is '{text}', which is no number"
        raise StructureError(f"its {name} {what}: correct it")
    return number.value
