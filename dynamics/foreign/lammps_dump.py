"""LAMMPS text dumps: any order of columns, orthogonal or tilted boxes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .temperature import temperature_from_velocities
from .text_file import LineReader, TruncatedFrame, open_binary, truncation_note
from .trajectory import RawTrajectory, ReadOptions, atomic_masses_amu

_TIME_UNIT_FS = {"metal": 1000.0, "real": 1.0}
"""Unit of time, in fs, of the LAMMPS unit styles whose length is the ångström."""

_COORDINATES = (
    # columns, scaled by the box, unwrapped
    (("xu", "yu", "zu"), False, True),
    (("xsu", "ysu", "zsu"), True, True),
    (("x", "y", "z"), False, False),
    (("xs", "ys", "zs"), True, False),
)


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of a LAMMPS text dump.

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
    return head.lstrip().startswith(b"ITEM:")


class _Frame:
    """One snapshot, atoms sorted by their ids."""

    def __init__(self) -> None:
        self.step = 0
        self.time: float | None = None
        self.cell = np.zeros((3, 3))
        self.origin = np.zeros(3)
        self.columns: dict[str, NDArray[np.str_]] = {}


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read a LAMMPS text dump in metal or real units.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        `species_order`: elements of types 1, 2, … where the dump has no `element` column.

    Returns
    -------
    RawTrajectory
        Unwrapped where the dump has xu, xsu or image flags.

    Raises
    ------
    TrajectoryError
        A block is not understood, atoms come and go, elements are unknown, or frames are unevenly spaced.
    """
    frames: list[NDArray[np.float64]] = []
    cells: list[NDArray[np.float64]] = []
    steps: list[int] = []
    times: list[float] = []
    temperatures: list[float] = []
    notes: list[str] = []
    symbols: tuple[str, ...] | None = None
    is_unwrapped = False
    units = "metal"
    units_stated = False
    repeated = 0
    n_atoms = -1
    with open_binary(path) as stream:
        lines = LineReader(stream)
        try:
            frame = _Frame()
            for line in lines:
                if not line.strip():
                    continue
                item = line.removeprefix("ITEM:").strip()
                if item == "UNITS":
                    units, units_stated = lines.take(1)[0].strip(), True
                elif item == "TIME":
                    frame.time = float(lines.take(1)[0])
                elif item == "TIMESTEP":
                    frame.step = int(lines.take(1)[0])
                elif item == "NUMBER OF ATOMS":
                    n_atoms = int(lines.take(1)[0])
                elif item.startswith("BOX BOUNDS"):
                    frame.cell, frame.origin = _box(item, lines.take(3), path)
                elif item.startswith("ATOMS"):
                    if n_atoms < 1:
                        raise TrajectoryError(f"Step {frame.step} of {path} has no atoms; dump all of them.")
                    frame.columns = _columns(item.split()[1:], lines.take(n_atoms), path, frame.step)
                    found = _symbols(frame.columns, options, path)
                    if symbols is None:
                        symbols = found
                        if "id" not in frame.columns:
                            notes.append("The dump has no atom ids; its atoms are taken to keep their order.")
                    elif found != symbols:
                        raise TrajectoryError(
                            f"The atoms of {path} at step {frame.step} are not those of the first frame; "
                            "dump the same atoms in every frame."
                        )
                    if steps and frame.step == steps[-1]:
                        repeated += 1  # a restarted run writes its first step again
                    else:
                        fractional, is_unwrapped = _fractional(frame, path)
                        frames.append(fractional)
                        cells.append(frame.cell)
                        steps.append(frame.step)
                        if frame.time is not None:
                            times.append(frame.time)
                        temperatures.extend(_temperature(frame.columns, symbols, units))
                    frame = _Frame()
                else:
                    raise TrajectoryError(
                        f"Line {lines.number} of {path} ({line.strip()[:40]!r}) is no LAMMPS dump item; "
                        "write the dump as text (style atom or custom)."
                    )
        except TruncatedFrame:
            lines.was_cut = True
        except ValueError:
            raise TrajectoryError(
                f"{path} is damaged near line {lines.number}; cut the file before that frame."
            ) from None
        if lines.was_cut:
            notes.append(truncation_note(len(frames)))
    if not frames or symbols is None:
        raise TrajectoryError(f"{path} holds no whole frame; was the run stopped at its start?")
    if units not in _TIME_UNIT_FS:
        raise TrajectoryError(f"{path} is in LAMMPS units {units!r}; only metal and real (ångström) can be read.")
    if not units_stated:
        notes.append("The dump does not state its units; metal (Å, ps) is assumed.")
    if repeated:
        notes.append(f"{repeated} repeated frame(s) of a restarted run are left out.")
    gaps = sorted({later - earlier for earlier, later in itertools.pairwise(steps)})
    if len(gaps) > 1 or (gaps and gaps[0] <= 0):
        raise TrajectoryError(
            f"The frames of {path} are {gaps[0]} to {gaps[-1]} steps apart; dump at a constant interval."
        )
    interval = None
    if len(times) == len(frames) > 1:
        interval = (times[-1] - times[0]) / (len(times) - 1) * _TIME_UNIT_FS[units]
    return RawTrajectory(
        symbols=symbols,
        fractional=np.array(frames),
        cells_angstrom=np.array(cells),
        is_unwrapped=is_unwrapped,
        frame_interval_fs=interval,
        steps_per_frame=float(gaps[0]) if gaps else None,
        kinetic_temperature_k=float(np.mean(temperatures)) if temperatures else None,
        notes=tuple(notes),
    )


def _box(item: str, rows: list[str], path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return cell vectors (rows) and origin from the bounds of a box."""
    words = item.split()[2:]
    values = np.array([[float(word) for word in row.split()] for row in rows])
    if "abc" in words:  # general triclinic: a vector and a component of the origin on each line
        return values[:, :3], values[:, 3]
    if any("p" not in word for word in words if len(word) == 2 and set(word) <= set("pfsm")):
        raise TrajectoryError(f"The box of {path} is not periodic in all directions; a conductivity needs a crystal.")
    low, high = values[:, 0], values[:, 1]
    if values.shape[1] < 3:
        return np.diag(high - low), low
    xy, xz, yz = values[:, 2]
    # The bounds of a tilted box are those of the box around it.
    low = low - np.array([min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0])
    high = high - np.array([max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0])
    lengths = high - low
    return np.array([[lengths[0], 0, 0], [xy, lengths[1], 0], [xz, yz, lengths[2]]]), low


def _columns(names: list[str], rows: list[str], path: Path, step: int) -> dict[str, NDArray[np.str_]]:
    """Return the columns of one frame by name, sorted by atom id."""
    words = "".join(rows).split()
    if len(words) != len(names) * len(rows):
        raise TrajectoryError(f"Step {step} of {path} has lines of another length; cut the file before it.")
    table = np.array(words).reshape(len(rows), len(names))
    if "id" in names:
        table = table[np.argsort(table[:, names.index("id")].astype(np.int64), kind="stable")]
    return {name: table[:, i] for i, name in enumerate(names)}


def _symbols(columns: dict[str, NDArray[np.str_]], options: ReadOptions, path: Path) -> tuple[str, ...]:
    if "element" in columns:
        return tuple(str(symbol) for symbol in columns["element"])
    if "type" not in columns:
        raise TrajectoryError(f"{path} has neither an element nor a type column; dump one of them.")
    kinds = columns["type"]
    if not all(kind.isdigit() for kind in np.unique(kinds)):
        return tuple(str(symbol) for symbol in kinds)  # LAMMPS type labels
    types = [int(kind) for kind in kinds]
    order = options.species_order
    if order is None:
        raise TrajectoryError(
            f"{path} names its atoms by types 1 to {max(types)} only; give species_order "
            "(--species-order), the elements of these types in order."
        )
    if min(types) < 1 or max(types) > len(order):
        raise TrajectoryError(
            f"{path} has atom types up to {max(types)}, but species_order names {len(order)} element(s); "
            "name one for each type."
        )
    return tuple(order[kind - 1] for kind in types)


def _fractional(frame: _Frame, path: Path) -> tuple[NDArray[np.float64], bool]:
    """Return fractional coordinates, and whether they are unwrapped."""
    for names, is_scaled, is_unwrapped in _COORDINATES:
        if all(name in frame.columns for name in names):
            values = np.column_stack([frame.columns[name] for name in names]).astype(np.float64)
            fractional = values if is_scaled else np.linalg.solve(frame.cell.T, (values - frame.origin).T).T
            if not is_unwrapped and all(flag in frame.columns for flag in ("ix", "iy", "iz")):
                images = np.column_stack([frame.columns[flag] for flag in ("ix", "iy", "iz")])
                return fractional + images.astype(np.float64), True
            return fractional, is_unwrapped
    raise TrajectoryError(f"{path} has no positions; dump x y z, xs ys zs, xu yu zu or xsu ysu zsu.")


def _temperature(columns: dict[str, NDArray[np.str_]], symbols: tuple[str, ...], units: str) -> list[float]:
    names = ("vx", "vy", "vz")
    if units not in _TIME_UNIT_FS or not all(name in columns for name in names):
        return []
    velocities = np.column_stack([columns[name] for name in names]).astype(np.float64) / _TIME_UNIT_FS[units]
    return [temperature_from_velocities(velocities, atomic_masses_amu(symbols))]
