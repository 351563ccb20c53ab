"""LAMMPS text dumps: any order of columns and atoms, orthogonal or tilted boxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .frame_store import FrameStore, ThinnedFrames
from .lammps_units import LAMMPS_UNITS, UnitStyle, style_of_times
from .read_limits import COLDEST_K, HOTTEST_K
from .species import elements_of_masses, kinds_in_order, note_renamed, plain_symbol, stated_species
from .temperature import KineticTemperature
from .text_file import LineReader, TruncatedFrame, open_binary, parse_numbers, truncation_note
from .trajectory import RawTrajectory, ReadOptions, atomic_masses_amu

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


_OLD_COLUMNS = ("id", "type", "xs", "ys", "zs")
"""Columns of `dump atom` where the header does not name them."""


@dataclass
class _Collected:
    """What has been read so far."""

    fractional: FrameStore = field(default_factory=FrameStore)
    cells: FrameStore = field(default_factory=FrameStore)
    steps: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    velocities: ThinnedFrames = field(default_factory=ThinnedFrames)
    ids: NDArray[np.float64] | None = None
    labels: list[bytes] | None = None
    types: list[bytes] | None = None
    masses: NDArray[np.float64] | None = None
    is_unwrapped: bool = False
    units: str | None = None


@dataclass
class _Snapshot:
    """The header of the frame being read."""

    step: int = 0
    time: float | None = None
    n_atoms: int = -1
    cell: NDArray[np.float64] | None = None
    origin: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))


class _Table:
    """The atoms of one frame: columns by name, numbers made only of those asked for."""

    def __init__(self, names: list[str], words: list[bytes]) -> None:
        self.names = names
        self._words = words
        self._order: NDArray[np.intp] | None = None
        self.ids: NDArray[np.float64] | None = None
        if "id" in names:
            ids = self._numbers(("id",))[:, 0]
            if np.any(ids[1:] < ids[:-1]):
                self._order = np.argsort(ids, kind="stable")
                ids = ids[self._order]
            self.ids = ids

    def has(self, *names: str) -> bool:
        """Say whether all these columns are there."""
        return all(name in self.names for name in names)

    def _numbers(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        width = len(self.names)
        columns = []
        for name in names:
            words = self._words[self.names.index(name) :: width]
            values = parse_numbers(b" ".join(words))
            if values is None or values.size != len(words):
                raise ValueError(name)
            columns.append(values)
        return np.column_stack(columns)

    def numbers(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return columns of numbers, (n_atoms, n_names), in the order of the ids."""
        values = self._numbers(names)
        return values if self._order is None else values[self._order]

    def words(self, name: str) -> list[bytes]:
        """Return a column as it stands, in the order of the ids."""
        words = self._words[self.names.index(name) :: len(self.names)]
        return words if self._order is None else [words[index] for index in self._order]


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read a LAMMPS text dump.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        `species_order`: elements of types 1, 2, …, before an `element` column; `time_step_fs` tells the unit of
        `ITEM: TIME` where the dump does not.

    Returns
    -------
    RawTrajectory
        Unwrapped where the dump has xu, xsu or image flags.

    Raises
    ------
    TrajectoryError
        A block is not understood, atoms come and go, or elements are unknown.
    """
    found = _Collected()
    notes: list[str] = []
    with open_binary(path) as stream:
        lines = LineReader(stream)
        try:
            snapshot = _Snapshot()
            for line in lines:
                if line.strip():
                    snapshot = _item(line.removeprefix("\ufeff"), lines, snapshot, found, path)
        except TruncatedFrame:
            lines.was_cut = True
        except (ValueError, IndexError, np.linalg.LinAlgError, OverflowError):
            raise TrajectoryError(
                f"{path} is damaged near line {lines.number}; cut the file before that frame."
            ) from None
        if lines.was_cut:
            notes.append(truncation_note(len(found.fractional)))
    if not len(found.fractional):
        raise TrajectoryError(f"{path} holds no whole frame; was the run stopped at its start?")
    if found.ids is None:
        notes.append("The dump has no atom ids; its atoms are taken to keep their order.")
    return _assemble(found, options, path, notes)


def _item(line: str, lines: LineReader, snapshot: _Snapshot, found: _Collected, path: Path) -> _Snapshot:
    """Take in one ITEM and return the snapshot it belongs to."""
    item = line.removeprefix("ITEM:").strip()
    if item == "UNITS":
        found.units = lines.take(1)[0].strip()
    elif item == "TIME":
        snapshot.time = float(lines.take(1)[0])
    elif item == "TIMESTEP":
        snapshot.step = int(lines.take(1)[0])
    elif item == "NUMBER OF ATOMS":
        snapshot.n_atoms = int(lines.take(1)[0])
    elif item.startswith("BOX BOUNDS"):
        snapshot.cell, snapshot.origin = _box(item, lines.take(3), path)
    elif item.startswith("ATOMS"):
        _atoms(item.split()[1:], lines, snapshot, found, path)
        return _Snapshot(n_atoms=snapshot.n_atoms)
    else:
        raise TrajectoryError(
            f"Line {lines.number} of {path} ({line.strip()[:40]!r}) is no LAMMPS dump item; "
            "write the dump as text (style atom or custom)."
        )
    return snapshot


def _atoms(names: list[str], lines: LineReader, snapshot: _Snapshot, found: _Collected, path: Path) -> None:
    """Take in the atoms of one frame."""
    if snapshot.n_atoms < 1:
        raise TrajectoryError(f"Step {snapshot.step} of {path} has no atoms; dump all of them.")
    if snapshot.cell is None:
        raise TrajectoryError(f"Step {snapshot.step} of {path} has no box; cut the file before it.")
    words = lines.take_block(snapshot.n_atoms).split()
    names = names or list(_OLD_COLUMNS)
    if len(words) != len(names) * snapshot.n_atoms:
        raise TrajectoryError(f"Step {snapshot.step} of {path} has lines of another length; cut the file before it.")
    table = _Table(names, words)
    labels = table.words("element") if table.has("element") else None
    types = next((table.words(name) for name in ("type", "typelabel") if table.has(name)), None)
    if labels is None and types is None:
        raise TrajectoryError(f"{path} has neither an element nor a type column; dump one of them.")
    if not len(found.fractional):
        found.ids, found.labels, found.types = table.ids, labels, types
        found.masses = table.numbers(("mass",))[:, 0] if table.has("mass") else None
        if table.ids is not None and np.any(np.diff(table.ids) == 0):
            raise TrajectoryError(f"Step {snapshot.step} of {path} has an atom id twice; dump each atom once.")
    elif (
        labels != found.labels
        or types != found.types
        or (table.ids is None) != (found.ids is None)
        or (table.ids is not None and not np.array_equal(table.ids, found.ids))
    ):
        raise TrajectoryError(
            f"The atoms of {path} at step {snapshot.step} are not those of the first frame; "
            "dump the same atoms in every frame."
        )
    fractional, is_unwrapped = _fractional(table, snapshot, path)
    if len(found.fractional) and is_unwrapped != found.is_unwrapped:
        raise TrajectoryError(f"The columns of {path} change at step {snapshot.step}; give each part as its own file.")
    found.is_unwrapped = is_unwrapped
    found.fractional.append(fractional)
    found.cells.append(snapshot.cell)
    found.steps.append(snapshot.step)
    if snapshot.time is not None:
        found.times.append(snapshot.time)
    if table.has("vx", "vy", "vz"):
        found.velocities.append(table.numbers(("vx", "vy", "vz")))


def _assemble(found: _Collected, options: ReadOptions, path: Path, notes: list[str]) -> RawTrajectory:
    """Bring units, elements, times and temperature together."""
    if found.units is not None and found.units not in LAMMPS_UNITS:
        raise TrajectoryError(
            f"{path} is in LAMMPS units {found.units!r}, whose length and time are not known here; "
            f"use one of {', '.join(LAMMPS_UNITS)}."
        )
    symbols = _symbols(found, options, path, notes)
    steps = np.array(found.steps, dtype=np.float64)
    times = np.array(found.times) if len(found.times) == len(steps) else None
    name = found.units
    if name is None and times is not None and len(steps) > 1 and options.time_step_fs is not None:
        name = style_of_times(times, steps, options.time_step_fs)
        if name is not None:
            notes.append(f"The times of the dump fit a time step of {options.time_step_fs:g} fs in {name} units.")
    style = LAMMPS_UNITS["metal" if name is None else name]
    if name is None:
        notes.append("The dump does not state its units; its lengths are read as Å (metal or real units).")
    kinetic, question, note = _temperature(found, symbols, style, name is not None)
    return RawTrajectory(
        symbols=symbols,
        fractional=found.fractional.array(),
        cells_angstrom=found.cells.array() * style.length_angstrom,
        is_unwrapped=found.is_unwrapped,
        steps=steps,
        times=times,
        time_unit_fs=None if name is None else style.time_fs,
        kinetic_temperature_k=kinetic,
        temperature_question=question,
        temperature_note=note,
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


def _symbols(found: _Collected, options: ReadOptions, path: Path, notes: list[str]) -> tuple[str, ...]:
    """Name the atoms: by the caller's order of types, else by the element column, else by type labels."""
    order = options.species_order
    labels = None if found.labels is None else [label.decode("utf-8", "replace") for label in found.labels]
    types = None if found.types is None else [kind.decode("utf-8", "replace") for kind in found.types]
    is_numbered = types is not None and all(kind.isdigit() for kind in set(types))
    if order is not None and types is not None and is_numbered:
        symbols = _by_type([int(kind) for kind in types], order, path)
        if labels is not None:
            note_renamed(labels, symbols, notes)
        return symbols
    names_of_atoms = labels if labels is not None else types
    assert names_of_atoms is not None
    if labels is None and is_numbered and order is None and found.masses is not None:
        by_mass = elements_of_masses(found.masses)
        if by_mass is not None:
            notes.append(f"The elements are those of the masses: {', '.join(dict.fromkeys(by_mass))}.")
            return by_mass
    if labels is None and is_numbered:
        raise TrajectoryError(
            f"{path} names its atoms by types 1 to {max(int(kind) for kind in names_of_atoms)} only; give "
            "species_order (--species-order), the elements of these types in order."
        )
    if (
        order is None
        and types is not None
        and len(set(names_of_atoms)) < len(set(types))
        and set(labels or ()) == {"C"}
    ):
        raise TrajectoryError(
            f"{path} calls its {len(set(types))} types of atoms all C, as LAMMPS does where dump_modify names no "
            "elements; give species_order (--species-order), the elements of these types in order."
        )
    if order is not None:
        return stated_species(names_of_atoms, kinds_in_order(names_of_atoms), options, path, notes, "elements")
    return tuple(plain_symbol(label) for label in names_of_atoms)


def _by_type(types: list[int], order: tuple[str, ...], path: Path) -> tuple[str, ...]:
    if min(types) < 1 or max(types) > len(order):
        raise TrajectoryError(
            f"{path} has atom types up to {max(types)}, but species_order names {len(order)} element(s); "
            "name one for each type."
        )
    return tuple(order[kind - 1] for kind in types)


def _fractional(table: _Table, snapshot: _Snapshot, path: Path) -> tuple[NDArray[np.float64], bool]:
    """Return fractional coordinates, and whether they are unwrapped."""
    assert snapshot.cell is not None
    for names, is_scaled, is_unwrapped in _COORDINATES:
        if table.has(*names):
            values = table.numbers(names)
            fractional = values if is_scaled else (values - snapshot.origin) @ np.linalg.inv(snapshot.cell)
            if not is_unwrapped and table.has("ix", "iy", "iz"):
                return fractional + table.numbers(("ix", "iy", "iz")), True
            return fractional, is_unwrapped
    raise TrajectoryError(f"{path} has no positions; dump x y z, xs ys zs, xu yu zu or xsu ysu zsu.")


def _temperature(
    found: _Collected, symbols: tuple[str, ...], style: UnitStyle, is_certain: bool
) -> tuple[float | None, str | None, str | None]:
    """Return the kinetic temperature, the question where units are unknown, and the note where they are assumed."""
    from ase.data import atomic_numbers

    if found.velocities.n_seen != len(found.fractional) or any(atomic_numbers.get(name, 0) < 1 for name in symbols):
        return None, None, None
    measured = KineticTemperature(atomic_masses_amu(symbols))
    for velocities in found.velocities.kept:
        measured.add(velocities * style.velocity_angstrom_fs)
    value = measured.value_k()
    if value is None or is_certain:
        return value, None, None
    if COLDEST_K <= value <= HOTTEST_K:
        return value, None, f"The velocities are read as Å/ps (metal units), which makes {value:.0f} K."
    in_real = value * (LAMMPS_UNITS["real"].velocity_angstrom_fs / style.velocity_angstrom_fs) ** 2
    question = (
        "does not state its units, and its velocities are no temperature in metal units (Å/ps, "
        f"{value:.2g} K); in real units (Å/fs) they make {in_real:.4g} K: give temperature_k (--temperature), or dump "
        "with dump_modify units yes."
    )
    return None, question, None
