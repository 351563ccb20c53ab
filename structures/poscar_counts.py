"""Whether a POSCAR holds as many positions as it counts atoms."""

from __future__ import annotations

import re
from itertools import takewhile

from ..errors import StructureError

_HEADER_LINES = 5
"""Comment, scale and three cell vectors."""


def is_poscar_name(file_name: str) -> bool:
    """Say whether pymatgen reads a file of this name as a POSCAR.

    Parameters
    ----------
    file_name : str
        Name without its folder.

    Returns
    -------
    bool
        True for POSCAR, CONTCAR and .vasp files.

    Examples
    --------
    >>> is_poscar_name("CONTCAR.gz"), is_poscar_name("salt.cif")
    (True, False)
    """
    return re.search(r"poscar|contcar|\.vasp(\.|$)", file_name, re.IGNORECASE) is not None


def check_poscar_counts(text: str) -> None:
    r"""Refuse a POSCAR that is cut off, or has more lines of positions than atoms.

    pymatgen fails on the first with an error of numpy and drops the atoms that are too many without a word.

    Parameters
    ----------
    text : str
        The file.

    Raises
    ------
    StructureError
        When the cell is incomplete, or the numbers of atoms and of lines differ.

    Examples
    --------
    >>> check_poscar_counts("NaCl\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n")
    """
    lines = [line.split("!")[0].split("#")[0].split() for line in text.splitlines()]
    for number, line in enumerate(lines[2:_HEADER_LINES], start=3):
        if len(_leading_numbers(line)) < 3:
            raise StructureError(f"line {number} should be a cell vector, three numbers in Å: correct the file")
    counted = next(
        (
            index
            for index, line in enumerate(lines[_HEADER_LINES : _HEADER_LINES + 2], start=_HEADER_LINES)
            if line and all(word.isdigit() for word in line)
        ),
        None,
    )
    if counted is None:
        raise StructureError("it states no numbers of atoms in line 6 or 7: correct the file")
    n_atoms = sum(int(word) for word in lines[counted])
    first = counted + 1
    if first < len(lines) and lines[first] and lines[first][0][0] in "Ss":
        first += 1  # selective dynamics
    first += 1  # Direct or Cartesian
    # what follows a blank line or a line of words is velocities and the state of a thermostat
    n_positions = sum(1 for _ in takewhile(lambda line: len(_leading_numbers(line)) >= 3, lines[first:]))
    if n_positions != n_atoms:
        raise StructureError(
            f"it counts {n_atoms} atoms in line {counted + 1} and holds {n_positions} lines of positions: correct one "
            "of them"
        )


def _leading_numbers(words: list[str]) -> list[float]:
    numbers = []
    for word in words:
        try:
            numbers.append(float(word))
        except ValueError:
            break
    return numbers
