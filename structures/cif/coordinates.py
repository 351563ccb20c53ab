"""Where a CIF places its atoms, by fractional or Cartesian coordinates."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Lattice

from ...errors import StructureError
from .block import CifBlock
from .numbers import CifNumber, is_missing, parse_number


def coordinates_of(block: CifBlock, lattice: Lattice) -> tuple[list[list[str]], int]:
    """Take the columns of fractional coordinates.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.
    lattice : Lattice
        Its cell.

    Returns
    -------
    columns : list of list of str
        Three columns as written, or as calculated from Cartesian coordinates.
    size : int
        Number of rows.

    Raises
    ------
    StructureError
        When a column is missing, or no matrix relates Cartesian coordinates to the cell.
    """
    columns = [block.column(f"_atom_site_fract_{axis}") for axis in "xyz"]
    if all(column is None for column in columns):
        columns = _from_cartesian(block, lattice)
    filled = [column for column in columns if column is not None]
    if len(filled) < 3 or len({len(column) for column in filled}) != 1:
        # a column of nothing but '?' says nothing of any atom
        missing = [f"_atom_site_fract_{axis}" for axis, column in zip("xyz", columns, strict=True) if column is None]
        raise StructureError(f"its atoms have no values of {', '.join(missing) or 'one coordinate'}: add them")
    return filled, len(filled[0])


def _from_cartesian(block: CifBlock, lattice: Lattice) -> list[list[str] | None]:
    """Turn Cartesian coordinates into fractional ones by the matrix of the file."""
    cartesian = [block.column(f"_atom_site_cartn_{axis}") for axis in "xyz"]
    if any(column is None for column in cartesian):
        raise StructureError("its atoms have no fractional coordinates: add _atom_site_fract_x, _y and _z")
    for prefix, inverse in (
        ("_atom_sites_fract_tran", True),
        ("_atom_sites_fract_transform", True),
        ("_atom_sites_cartn_tran", False),
        ("_atom_sites_cartn_transform", False),
    ):
        entries = [parse_number(block.value(f"{prefix}_matrix_{i}{j}") or "") for i in "123" for j in "123"]
        if any(entry is None for entry in entries):
            continue
        matrix = np.array([entry.value for entry in entries if entry is not None]).reshape(3, 3)
        vector = np.array(
            [getattr(parse_number(block.value(f"{prefix}_vector_{i}") or "0"), "value", 0.0) for i in "123"]
        )
        to_cartesian = np.linalg.inv(matrix) if inverse else matrix
        metric = to_cartesian.T @ to_cartesian
        wanted = lattice.matrix @ lattice.matrix.T
        if not np.allclose(metric, wanted, rtol=0.02, atol=0.02 * float(wanted.max())):
            raise StructureError("the matrix of its Cartesian coordinates does not fit its cell: give fractional ones")
        rows = []
        for texts in zip(*(column for column in cartesian if column is not None), strict=True):
            numbers = [parse_number(text) for text in texts]
            if any(number is None for number in numbers):
                rows.append(list(texts))
                continue
            point = np.array([number.value for number in numbers if number is not None])
            fractions = matrix @ point + vector if inverse else np.linalg.solve(matrix, point - vector)
            rows.append([f"{fraction:.6f}" for fraction in fractions])
        return [list(column) for column in zip(*rows, strict=True)]
    raise StructureError(
        "it gives only Cartesian coordinates, and no matrix that relates them to its cell: give _atom_site_fract_x, _y "
        "and _z"
    )


def fractions_of(label: str, texts: list[str]) -> tuple[CifNumber, CifNumber, CifNumber]:
    """Read the coordinates of a site.

    Parameters
    ----------
    label : str
        Name of the site, for messages.
    texts : list of str
        Three coordinates as written.

    Returns
    -------
    tuple of three CifNumber
        Fractions of the lattice vectors.

    Raises
    ------
    StructureError
        When one is missing or no number.
    """
    numbers = []
    for axis, text in zip("xyz", texts, strict=True):
        number = parse_number(text)
        if number is None:
            what = "is missing" if is_missing(text) else f"is '{text}', which is no number"
            raise StructureError(f"the coordinate {axis} of the site {label} {what}: correct it")
        if abs(number.value) > 100.0:
            raise StructureError(f"the coordinate {axis} of the site {label} is {text}, no fraction: correct it")
        numbers.append(number)
    return numbers[0], numbers[1], numbers[2]
