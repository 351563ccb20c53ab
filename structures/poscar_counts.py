"""Whether the header of a POSCAR agrees with itself and with the positions."""

from __future__ import annotations

import re
from itertools import takewhile

from ..errors import StructureError

_HEADER_LINES = 5
"""Comment, scale and three cell vectors."""

_MOST_WRAPPED = 10
"""Lines of symbols that pymatgen joins."""


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
    r"""Refuse a POSCAR that is cut off, or whose elements, numbers of atoms and positions do not match.

    pymatgen reads some of these as other crystals without a word, and fails on the rest with an error of numpy.

    Parameters
    ----------
    text : str
        The file.

    Raises
    ------
    StructureError
        When the cell is incomplete, the line Direct or Cartesian is missing, or the numbers of elements, counts and
        positions differ.

    Examples
    --------
    >>> check_poscar_counts("NaCl\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n")
    """
    lines = [line.split("!")[0].split("#")[0].split() for line in text.splitlines()]
    for number, line in enumerate(lines[2:_HEADER_LINES], start=3):
        if len(_leading_numbers(line)) < 3:
            raise StructureError(f"line {number} should be a cell vector, three numbers in Å: correct the file")
    symbols, counts, first = _header(lines)
    if symbols and len(symbols) != len(counts):
        raise StructureError(
            f"it names {len(symbols)} elements ({' '.join(symbols)}) and gives {len(counts)} numbers of atoms "
            f"({' '.join(map(str, counts))}): correct one of these lines"
        )
    partial = next((symbol for symbol in symbols if re.match(r"H\d*\.\d", symbol)), None)
    if partial is not None:
        raise StructureError(f"{partial} is hydrogen of a fractional charge, which no crystal holds: name an element")
    if first < len(lines) and lines[first] and lines[first][0][0] in "Ss":
        first += 1  # selective dynamics
    if first >= len(lines) or not lines[first] or _leading_numbers(lines[first]):
        raise StructureError(f"line {first + 1} should say Direct or Cartesian: add this line above the positions")
    # what follows a blank line or a line of words is velocities and the state of a thermostat
    n_positions = sum(1 for _ in takewhile(lambda line: len(_leading_numbers(line)) >= 3, lines[first + 1 :]))
    if n_positions != sum(counts):
        raise StructureError(
            f"it counts {sum(counts)} atoms and holds {n_positions} lines of positions: correct one of them"
        )


def _header(lines: list[list[str]]) -> tuple[list[str], list[int], int]:
    """Take symbols and numbers of atoms, which VASP wraps after 20 of them, and the index of the line below."""
    symbols: list[str] = []
    counts: list[int] = []
    index = _HEADER_LINES
    while index < min(len(lines), _HEADER_LINES + _MOST_WRAPPED) and not _is_counts(lines[index]):
        symbols += lines[index]
        index += 1
    n_wrapped = max(index - _HEADER_LINES, 1)
    while index < len(lines) and n_wrapped and _is_counts(lines[index]):
        counts += [int(word) for word in lines[index]]
        index += 1
        n_wrapped -= 1
    if not counts:
        raise StructureError("it states no numbers of atoms below its elements: correct the file")
    return symbols, counts, index


def _is_counts(line: list[str]) -> bool:
    return bool(line) and all(word.isdigit() for word in line)


def _leading_numbers(words: list[str]) -> list[float]:
    numbers = []
    for word in words:
        try:
            numbers.append(float(word))
        except ValueError:
            break
    return numbers
