"""VASP XDATCAR: fractional positions, with one cell or one per configuration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .text_file import LineReader, TruncatedFrame, open_binary, truncation_note
from .trajectory import RawTrajectory, ReadOptions

_MARK = "Direct configuration="


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
    return _MARK.encode() in head or "XDATCAR" in file_name


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read an XDATCAR.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        `species_order` names the blocks where the file does not (VASP 4).

    Returns
    -------
    RawTrajectory
        Wrapped positions; the numbers of the configurations give the steps between frames.

    Raises
    ------
    TrajectoryError
        The header or a configuration makes no sense.
    """
    frames: list[NDArray[np.float64]] = []
    cells: list[NDArray[np.float64]] = []
    numbers: list[int] = []
    symbols: tuple[str, ...] | None = None
    cell: NDArray[np.float64] | None = None
    notes: list[str] = []
    with open_binary(path) as stream:
        lines = LineReader(stream)
        try:
            for line in lines:
                if not line.startswith(_MARK):
                    if not line.strip() and cell is not None:
                        continue
                    cell, symbols = _header(lines, path, options)
                    continue
                if cell is None or symbols is None:
                    raise TrajectoryError(f"{path} has no header before its first configuration; restore its start.")
                block = lines.take(len(symbols))
                frames.append(_coordinates(block, len(symbols), path, len(frames) + 1))
                cells.append(cell)
                numbers.append(int(line[len(_MARK) :].split()[0]))
        except TruncatedFrame:
            lines.was_cut = True
        if lines.was_cut:
            notes.append(truncation_note(len(frames)))
    if not frames or symbols is None:
        raise TrajectoryError(f"{path} holds no whole configuration; was the run stopped at its start?")
    stride = _stride(numbers)
    return RawTrajectory(
        symbols=symbols,
        fractional=np.array(frames),
        cells_angstrom=np.array(cells),
        steps_per_frame=stride or 1.0,
        is_stride_assumed=stride is None,
        notes=tuple(notes),
    )


def _header(lines: LineReader, path: Path, options: ReadOptions) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Read the six or seven lines after the comment line."""
    words = [line.split() for line in lines.take(5)]
    try:
        scale = float(words[0][0])
        cell = np.array([[float(word) for word in row[:3]] for row in words[1:4]])
        if scale < 0:  # a negative scale is the volume
            scale = (-scale / abs(np.linalg.det(cell))) ** (1 / 3)
        cell = cell * scale
        elements = words[4]
        if elements[0].isdigit():
            counts = [int(word) for word in elements]
            if options.species_order is None:
                raise TrajectoryError(
                    f"{path} does not name its elements; "
                    f"give species_order (--species-order) with {len(counts)} symbols."
                )
            elements = list(options.species_order)
        else:
            counts = [int(word) for word in lines.take(1)[0].split()]
    except (ValueError, IndexError):
        raise TrajectoryError(
            f"{path} has no readable XDATCAR header near line {lines.number}; restore the file."
        ) from None
    if len(elements) != len(counts):
        raise TrajectoryError(
            f"{path} has {len(counts)} blocks of atoms and {len(elements)} elements; give one symbol for each block."
        )
    # VASP may append the potential's flavour: Li_sv, or a hash after a slash.
    names = [element.split("_")[0].split("/")[0] for element in elements]
    return cell, tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count))


def _coordinates(block: list[str], n_atoms: int, path: Path, frame: int) -> NDArray[np.float64]:
    try:
        values = np.array("".join(block).split(), dtype=np.float64)
        return values.reshape(n_atoms, 3)
    except ValueError:
        raise TrajectoryError(
            f"Configuration {frame} of {path} is not {n_atoms} lines of three numbers; cut the file before it."
        ) from None


def _stride(numbers: list[int]) -> float | None:
    """Return the steps between configurations, where their numbers say so: VASP may number frames or steps."""
    gaps = set(np.diff(numbers).tolist())
    if len(gaps) == 1 and (gap := gaps.pop()) > 1:
        return float(gap)
    return None
