"""Extended XYZ with a Lattice, as ASE and many other programs write it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .frame_store import FrameStore, ThinnedFrames
from .species import kinds_in_order, plain_symbol, stated_species
from .temperature import KineticTemperature
from .text_file import LineReader, TruncatedFrame, open_binary, parse_numbers, truncation_note
from .trajectory import RawTrajectory, ReadOptions, atomic_masses_amu

_TIME_UNITS_FS = {"time_fs": 1.0, "time_ps": 1000.0, "time": None}
"""Keys of the comment line that say when a frame was, with their unit in fs; a bare `time` has no known unit."""

_STEP_KEYS = ("step", "md_step", "timestep")

_IPI_CELL = re.compile(r"#\s*CELL\(abcABC\):")

_LENGTH_KEY = "Å per unit of length"

_DEFAULT_PROPERTIES = "species:S:1:pos:R:3"


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of an (extended) XYZ file.

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
    first, _, rest = head.partition(b"\n")
    return first.strip().isdigit() and (b"lattice=" in rest.partition(b"\n")[0].lower() or ".xyz" in file_name)


@dataclass
class _Collected:
    """What has been read so far."""

    labels: list[bytes] | None = None
    is_unwrapped: bool = False
    fractional: FrameStore = field(default_factory=FrameStore)
    cells: FrameStore = field(default_factory=FrameStore)
    momenta: ThinnedFrames = field(default_factory=ThinnedFrames)
    counts: dict[str, list[float]] = field(default_factory=dict)


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read an extended XYZ file, frame by frame.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        `species_order` names the species in the order in which they first appear.

    Returns
    -------
    RawTrajectory
        Positions as they are; the temperature from momenta (ASE's units) where the file has them.

    Raises
    ------
    TrajectoryError
        A frame makes no sense, or has no lattice.
    """
    found = _Collected()
    notes: list[str] = []
    with open_binary(path) as stream:
        lines = LineReader(stream)
        try:
            for line in lines:
                if line.strip():
                    _take_frame(line, lines, found, path)
        except TruncatedFrame:
            lines.was_cut = True
        if lines.was_cut:
            notes.append(truncation_note(len(found.fractional)))
    if not len(found.fractional) or found.labels is None:
        raise TrajectoryError(f"{path} holds no whole frame; was the run stopped at its start?")
    labels = [label.decode("utf-8", "replace") for label in found.labels]
    if options.species_order is not None:
        symbols = stated_species(labels, kinds_in_order(labels), options, path, notes, "species")
    else:
        symbols = tuple(_element(label) for label in labels)
    n_frames = len(found.fractional)
    times, unit = None, None
    for key, factor in _TIME_UNITS_FS.items():
        if times is None and len(found.counts.get(key, ())) == n_frames:
            times, unit = np.array(found.counts[key]), factor
    steps = next(
        (np.array(found.counts[key]) for key in _STEP_KEYS if len(found.counts.get(key, ())) == n_frames), None
    )
    return RawTrajectory(
        symbols=symbols,
        fractional=found.fractional.array(),
        cells_angstrom=found.cells.array(),
        is_unwrapped=found.is_unwrapped,
        steps=steps if steps is not None and np.isfinite(steps).all() and np.ptp(steps) > 0 else None,
        times=times if times is not None and np.isfinite(times).all() and np.ptp(times) > 0 else None,
        time_unit_fs=unit,
        kinetic_temperature_k=_temperature(found, symbols),
        notes=tuple(notes),
    )


def _element(label: str) -> str:
    from ase.data import chemical_symbols

    if label.isascii() and label.isdigit() and 0 < int(label) < len(chemical_symbols):
        return str(chemical_symbols[int(label)])
    return plain_symbol(label)


def _take_frame(line: str, lines: LineReader, found: _Collected, path: Path) -> None:
    """Take in the frame that begins with this line."""
    count = line.strip()
    if not (count.isascii() and count.isdigit()):
        raise TrajectoryError(
            f"Line {lines.number} of {path} should be a number of atoms and is {count[:40]!r}; cut the file before it."
        )
    n_atoms = int(count)
    number = len(found.fractional) + 1
    comment = lines.take(1)[0]
    block = lines.take_block(n_atoms)
    try:
        _take_atoms(_comment(comment), block, n_atoms, found, number, path)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        why = str(error) or type(error).__name__
        raise TrajectoryError(f"Frame {number} of {path} is damaged ({why[:80]}); cut the file before it.") from None


def _comment(line: str) -> dict[str, Any]:
    """Parse the comment line; its keys in lower case."""
    from ase.io.extxyz import key_val_str_to_dict

    if _IPI_CELL.search(line):
        return _ipi_comment(line)
    return {str(key).lower(): value for key, value in key_val_str_to_dict(line.strip()).items()}


def _ipi_comment(line: str) -> dict[str, Any]:
    """Parse a comment line of i-PI: lengths and angles of the cell, with units in braces."""
    from ase.geometry import cellpar_to_cell
    from ase.units import Bohr

    units = {"angstrom": 1.0, "atomic_unit": Bohr}
    factors = {}
    for name in ("positions", "cell"):
        unit = re.search(rf"{name}\{{(\w+)\}}", line)
        if unit is None or unit.group(1) not in units:
            raise ValueError(f"{name} in no known unit; write positions{{angstrom}} cell{{angstrom}}")
        factors[name] = units[unit.group(1)]
    lengths_and_angles = [float(word) for word in line.split(":", 1)[1].split()[:6]]
    cell = cellpar_to_cell(lengths_and_angles)
    step = re.search(r"Step:\s*(\d+)", line)
    info = {"lattice": factors["cell"] * cell.T, _LENGTH_KEY: factors["positions"]}
    return info if step is None else {**info, "step": int(step.group(1))}


def _take_atoms(info: dict[str, Any], block: bytes, n_atoms: int, found: _Collected, number: int, path: Path) -> None:
    """Take in the atoms of a frame."""
    lattice = np.asarray(info.get("lattice", np.zeros((3, 3))), dtype=np.float64)
    cell = lattice.reshape(3, 3).T if lattice.size == 9 else np.zeros((3, 3))
    if n_atoms < 1 or not abs(np.linalg.det(cell)) > 1e-6:
        raise TrajectoryError(
            f"Frame {number} of {path} has no three-dimensional cell; write the lattice with every frame "
            '(Lattice="…" in the comment line).'
        )
    if not np.all(info.get("pbc", True)):
        raise TrajectoryError(
            f"Frame {number} of {path} is not periodic in all directions (pbc); a conductivity needs a crystal."
        )
    columns, width = _columns(str(info.get("properties", _DEFAULT_PROPERTIES)))
    words = block.split()
    if len(words) != n_atoms * width:
        raise ValueError(f"not {width} columns for each of {n_atoms} atoms")
    if "id" in columns:  # atoms may stand in another order in each frame
        ids = parse_numbers(b" ".join(words[columns["id"] :: width]))
        if ids is not None and ids.size == n_atoms and np.unique(ids).size == n_atoms and np.any(np.diff(ids) < 0):
            words = [words[index * width + column] for index in np.argsort(ids) for column in range(width)]

    def numbers(name: str) -> NDArray[np.float64]:
        first = columns[name]
        values = [parse_numbers(b" ".join(words[first + axis :: width])) for axis in range(3)]
        if any(value is None or value.size != n_atoms for value in values):
            raise ValueError(f"{name} is not three numbers for each atom")
        return np.array(values).T

    labels = words[columns["species"] if "species" in columns else columns["z"] :: width]
    if found.labels is None:
        found.labels = labels
    elif labels != found.labels:
        raise TrajectoryError(
            f"The atoms of frame {number} of {path} are not those of the first frame; "
            "write the same atoms in the same order in every frame."
        )
    # GPUMD writes wrapped positions and, in a column of its own, unwrapped ones.
    is_unwrapped = "unwrapped_position" in columns
    if len(found.fractional) and is_unwrapped != found.is_unwrapped:
        raise ValueError("its columns are not those of the frames before")
    found.is_unwrapped = is_unwrapped
    found.fractional.append(
        numbers("unwrapped_position" if is_unwrapped else "pos") @ np.linalg.inv(cell) * info.get(_LENGTH_KEY, 1.0)
    )
    found.cells.append(cell)
    if "momenta" in columns:
        found.momenta.append(numbers("momenta"))
    for key in (*_TIME_UNITS_FS, *_STEP_KEYS):
        if isinstance(info.get(key), (int, float, np.integer, np.floating)):
            found.counts.setdefault(key, []).append(float(info[key]))


def _columns(properties: str) -> tuple[dict[str, int], int]:
    """Return the first column of each property, in lower case, and the number of columns."""
    parts = properties.split(":")
    columns, width = {}, 0
    for name, _, count in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        columns[name.lower()] = width
        width += int(count)
    return columns, width


def _temperature(found: _Collected, symbols: tuple[str, ...]) -> float | None:
    """Return the kinetic temperature from momenta in ASE's units."""
    from ase import units
    from ase.data import atomic_numbers

    if found.momenta.n_seen != len(found.fractional) or any(atomic_numbers.get(name, 0) < 1 for name in symbols):
        return None
    masses = atomic_masses_amu(symbols)
    measured = KineticTemperature(masses)
    for momenta in found.momenta.kept:
        measured.add(momenta / masses[:, None] * units.fs)
    return measured.value_k()
