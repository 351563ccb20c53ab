"""VASP XDATCAR: fractional positions, with one cell or one per configuration, in the dialects of many writers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .frame_store import FrameStore
from .species import kinds_in_order, note_renamed, plain_symbol, stated_species
from .text_file import LineReader, TruncatedFrame, open_binary, parse_numbers, truncation_note
from .trajectory import RawTrajectory, ReadOptions

_MARK = re.compile(r"\s*(direct|cartesian|konfig)\w*\s*(?:configuration\s*)?(?:=\s*(\S*))?\s*$", re.IGNORECASE)
"""The line before a configuration; VASP writes ****** where its number has more than six digits."""

STEP_NOTE = (
    "The configurations are numbered 1, 2, 3, …, which VASP does where it writes every step (NBLOCK = 1) and other "
    "programs always; one step lies between them, or give frame_interval_fs (--frame-interval-fs)."
)


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of an XDATCAR.

    Parameters
    ----------
    head : bytes
        First bytes, decompressed.
    file_name : str
        Name of the file.

    Returns
    -------
    bool
        True if so.
    """
    return re.search(rb"^\s*(direct|cartesian) configuration\s*=", head, re.I | re.M) is not None or (
        "XDATCAR" in file_name.upper()
    )


@dataclass
class _Header:
    """The lines before the first configuration, or before any where the cell varies."""

    scale: NDArray[np.float64]
    cell: NDArray[np.float64]
    labels: tuple[str, ...]
    blocks: tuple[int, ...]
    is_named: bool


@dataclass
class _Collected:
    """What has been read so far."""

    frames: FrameStore = field(default_factory=FrameStore)
    cells: FrameStore = field(default_factory=FrameStore)
    numbers: list[float] = field(default_factory=list)
    header: _Header | None = None


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read an XDATCAR of VASP 4 to 6, pymatgen, ASE, MDANSE and their kind.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        `species_order` names the blocks, above all where the file does not (VASP 4).

    Returns
    -------
    RawTrajectory
        Wrapped positions; the numbers of the configurations give the steps between frames.

    Raises
    ------
    TrajectoryError
        The header or a configuration makes no sense.
    """
    found = _Collected()
    notes: list[str] = []
    with open_binary(path) as stream:
        lines = LineReader(stream)
        try:
            for line in lines:
                _take_line(line, lines, found, path)
        except TruncatedFrame:
            lines.was_cut = True
        if lines.was_cut:
            notes.append(truncation_note(len(found.frames)))
    if not len(found.frames) or found.header is None:
        raise TrajectoryError(f"{path} holds no whole configuration; was the run stopped at its start?")
    numbers = np.array(found.numbers)
    is_numbered = bool(np.isfinite(numbers).any())
    return RawTrajectory(
        symbols=_symbols(found.header, options, path, notes),
        fractional=found.frames.array(),
        cells_angstrom=found.cells.array(),
        steps=numbers if is_numbered else None,
        step_note=STEP_NOTE,
        notes=tuple(notes),
    )


def _take_line(line: str, lines: LineReader, found: _Collected, path: Path) -> None:
    """Take in what begins with this line: a configuration, or a header."""
    mark = _MARK.match(line)
    if mark is None and found.header is None:
        found.header = _header(lines, path)
        return
    if mark is None:
        values = parse_numbers(_numeric_part(line.encode()))
        is_comment = bool(line.strip()) and (values is None or values.size < 3)
        if is_comment or _is_header(lines.peek(5)):
            header = _header(lines, path)
            assert found.header is not None
            if not (header.is_named and found.header.is_named):
                header.labels, header.is_named = found.header.labels, found.header.is_named
            if header.labels != found.header.labels or header.blocks != found.header.blocks:
                raise TrajectoryError(
                    f"The atoms of {path} change near line {lines.number}; concatenate runs of one cell only."
                )
            found.header = header
            return
        if not line.strip():
            return
        lines.push_back(line)  # a configuration after a blank line
    if found.header is None:
        raise TrajectoryError(f"{path} has no header before its first configuration; restore its start.")
    header = found.header
    frame = _coordinates(lines, sum(header.blocks), path, len(found.frames) + 1)
    if mark is not None and mark.group(1).lower() == "cartesian":
        frame = np.linalg.solve(header.cell.T, (frame * header.scale).T).T
    found.frames.append(frame)
    found.cells.append(header.cell)
    number = mark.group(2) if mark is not None else None
    found.numbers.append(float(number) if number and number.isascii() and number.isdigit() else np.nan)


def _is_header(following: list[str]) -> bool:
    """Say whether these lines follow the comment line of a header, whose comment may be blank or numbers."""
    if len(following) < 5:
        return False
    scale, *vectors = (parse_numbers(line.encode()) for line in following[:4])
    words = following[4].split()
    return (
        scale is not None
        and scale.size == 1
        and all(vector is not None and vector.size == 3 for vector in vectors)
        and bool(words)
        and (words[0][0].isalpha() or all(word.isdigit() for word in words))
    )


def _header(lines: LineReader, path: Path) -> _Header:
    """Read the five or six lines after the comment line."""
    words = [line.split() for line in lines.take(5)]
    try:
        scale = np.array([float(word) for word in words[0]])
        cell = np.array([[float(word) for word in row[:3]] for row in words[1:4]])
        if cell.shape != (3, 3) or scale.size not in (1, 3) or not np.isfinite(cell).all():
            raise ValueError
        volume = abs(np.linalg.det(cell))
        if scale.size == 1 and scale[0] < 0:  # a negative scale is the volume
            scale = (-scale / volume) ** (1 / 3)
        if not (volume > 0 and np.isfinite(scale).all() and (scale > 0).all()):
            raise ValueError
        # Three scales stretch the Cartesian axes.
        cell = cell * scale
        labels = words[4]
        is_named = not labels[0].isdigit()
        blocks = [int(word) for word in (lines.take(1)[0].split() if is_named else labels)]
        if len(blocks) != len(labels) or min(blocks) < 0 or sum(blocks) < 1:
            raise ValueError
        if not is_named:
            labels = [str(number) for number in range(1, len(blocks) + 1)]
    except (ValueError, IndexError, ZeroDivisionError):
        raise TrajectoryError(
            f"{path} has no readable XDATCAR header (scale, three cell vectors, elements, numbers of atoms) near line "
            f"{lines.number}; restore the file, or read the run's vasprun.xml."
        ) from None
    return _Header(scale, cell, tuple(labels), tuple(blocks), is_named)


def _symbols(header: _Header, options: ReadOptions, path: Path, notes: list[str]) -> tuple[str, ...]:
    """Name the atoms of each block."""
    order = options.species_order
    if not header.is_named and order is None:
        raise TrajectoryError(
            f"{path} does not name its elements; "
            f"give species_order (--species-order) with {len(header.blocks)} symbols."
        )
    labels = header.labels
    if order is not None and len(order) == len(labels):  # one for each block, though two blocks may share a name
        note_renamed(labels, order, notes)
        return tuple(name for name, count in zip(order, header.blocks, strict=True) for _ in range(count))
    names = [plain_symbol(label) for label in labels]
    atoms = [name for name, count in zip(names, header.blocks, strict=True) for _ in range(count)]
    return stated_species(atoms, kinds_in_order(names), options, path, notes, "blocks of atoms")


def _coordinates(lines: LineReader, n_atoms: int, path: Path, frame: int) -> NDArray[np.float64]:
    """Read one configuration: three numbers a line, whatever follows them."""
    block = lines.take_block(n_atoms)
    values = parse_numbers(block)
    if values is None or values.size != 3 * n_atoms:
        # Element names or flags stand behind the numbers.
        rows = [parse_numbers(_numeric_part(row)) for row in block.split(b"\n")[:n_atoms]]
        if any(row is None or row.size < 3 for row in rows):
            raise TrajectoryError(
                f"Configuration {frame} of {path} is not {n_atoms} lines of three numbers (near line {lines.number}); "
                "cut the file before it."
            )
        values = np.array([row[:3] for row in rows if row is not None])
    return values.reshape(n_atoms, 3)


def _numeric_part(row: bytes) -> bytes:
    """Cut a line before the first word that begins with a letter."""
    match = re.search(rb"(?<!\S)[A-Za-z]", row)
    return row if match is None or re.match(rb"nan|inf", row[match.start() :], re.I) else row[: match.start()]
