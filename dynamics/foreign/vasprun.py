"""VASP vasprun.xml of a molecular-dynamics run, read as a stream: a cut-off file keeps its whole steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ...compression import BROKEN_STREAM
from ...errors import TrajectoryError
from .frame_store import FrameStore
from .species import kinds_in_order, note_renamed, stated_species, vasp_symbol
from .temperature import temperature_from_kinetic_energy
from .text_file import open_binary, parse_numbers, truncation_note
from .trajectory import RawTrajectory, ReadOptions


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of a vasprun.xml.

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
    return b"<modeling>" in head or ("vasprun" in file_name and b"<?xml" in head[:200])


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read the ionic steps of a vasprun.xml.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        `species_order` goes before the names in the file.

    Returns
    -------
    RawTrajectory
        Wrapped positions, POTIM as the time step, the mean kinetic temperature or TEBEG.

    Raises
    ------
    TrajectoryError
        No molecular dynamics, no whole step, or no XML.
    """
    found = _Collected()
    was_cut = False
    with open_binary(path) as stream:
        try:
            _parse(stream, found)
        except (ElementTree.ParseError, *BROKEN_STREAM):
            was_cut = True
        except (ValueError, AttributeError, OverflowError):
            raise TrajectoryError(
                f"Ionic step {len(found.frames) + 1} of {path} is damaged; read the run's XDATCAR instead."
            ) from None
    if found.is_finished and was_cut:
        raise TrajectoryError(
            f"{path} continues after the end of its run: several files are concatenated, or it is damaged; give each "
            "run's vasprun.xml as a file of its own."
        )
    frames, settings = found.frames, found.settings
    if not len(frames) or not found.atoms:
        raise TrajectoryError(f"{path} holds no whole ionic step; was the run stopped at its start?")
    if settings.get("IBRION", "0") != "0":
        raise TrajectoryError(
            f"{path} is no molecular dynamics (IBRION = {settings['IBRION']}); give a run with IBRION = 0."
        )
    notes = [truncation_note(len(frames))] if was_cut else []
    if found.is_ragged or frames.frame_shape[0] != len(found.atoms):
        raise TrajectoryError(f"The number of atoms changes in {path}; give a run with constant composition.")
    start, end = (_number(settings, name, path) for name in ("TEBEG", "TEEND"))
    if start and end and start != end and end > 0:
        notes.append(f"The thermostat went from {start:g} to {end:g} K during the run.")
    symbols = _elements(found.atoms, options, path, notes)
    stride, question = _stride(found, path)
    return RawTrajectory(
        symbols=symbols,
        fractional=frames.array(),
        cells_angstrom=found.cells.array(),
        time_step_fs=_number(settings, "POTIM", path),
        steps_per_frame=stride,
        question=question,
        kinetic_temperature_k=(
            temperature_from_kinetic_energy(float(np.mean(found.kinetic)), _degrees_of_freedom(found, len(symbols)))
            if found.kinetic and np.mean(found.kinetic) > 0
            else None
        ),
        thermostat_temperature_k=start,
        is_held=start is not None and end in (None, 0.0, start) and not _is_microcanonical(settings, path),
        notes=tuple(notes),
    )


@dataclass
class _Collected:
    """What has been read so far."""

    atoms: list[tuple[str, str]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    frames: FrameStore = field(default_factory=FrameStore)
    is_ragged: bool = False
    cells: FrameStore = field(default_factory=FrameStore)
    kinetic: list[float] = field(default_factory=list)
    free_coordinates: int | None = None
    n_machine_learned: int = 0
    is_finished: bool = False


def _parse(stream: IO[bytes], found: _Collected) -> None:
    """Go through the file: ab initio steps are calculations, machine-learned ones stand between them."""
    depth = 0
    root: ElementTree.Element | None = None
    for event, element in ElementTree.iterparse(stream, events=("start", "end")):
        if event == "start":
            root = element if root is None else root
            depth += 1
            continue
        depth -= 1
        if depth == 0:
            found.is_finished = True
        if depth != 1:
            continue
        if element.tag == "atominfo":
            rows = element.findall("array[@name='atoms']/set/rc")
            found.atoms = [tuple((cell.text or "").strip() for cell in row.findall("c"))[:2] for row in rows]  # type: ignore[misc]
        elif element.tag in ("incar", "parameters"):  # the parameters VASP used come later, and win
            found.settings |= {entry.get("name", ""): (entry.text or "").strip() for entry in element.iter("i")}
        elif element.tag == "calculation":
            structure = element.find("structure")
            if structure is not None:
                _take_frame(structure, found)
                _take_energy(element.find("energy"), found)
        elif element.tag == "structure" and element.get("name") is None:
            _take_frame(element, found)
            found.n_machine_learned += 1
        elif element.tag == "energy":
            _take_energy(element, found)
        elif element.tag == "structure" and element.get("name") == "initialpos":
            flags = [row.text or "" for row in element.findall("varray[@name='selective']/v")]
            if flags:
                found.free_coordinates = sum(text.split().count("T") for text in flags)
        if root is not None:
            root.clear()


def _take_frame(structure: ElementTree.Element, found: _Collected) -> None:
    cell = _vectors(structure, "crystal/varray[@name='basis']")
    if cell.shape != (3, 3):
        raise ValueError("cell")
    positions = _vectors(structure, "varray[@name='positions']")
    if len(found.frames) and positions.shape != found.frames.frame_shape:
        found.is_ragged = True
        return
    found.cells.append(cell)
    found.frames.append(positions)


def _take_energy(energy: ElementTree.Element | None, found: _Collected) -> None:
    kinetic = None if energy is None else energy.find("i[@name='kinetic']")
    if kinetic is not None and kinetic.text:
        found.kinetic.append(float(kinetic.text))


def _number(settings: dict[str, str], name: str, path: Path) -> float | None:
    if name not in settings:
        return None
    try:
        value = float(settings[name])
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise TrajectoryError(f"{name} = {settings[name]!r} in {path} is no number; correct the file.")
    return value


def _elements(atoms: list[tuple[str, str]], options: ReadOptions, path: Path, notes: list[str]) -> tuple[str, ...]:
    """Name the atoms: by the caller, one element for each type or each name, else by the file."""
    labels = [atom[0] for atom in atoms]
    order = options.species_order
    if order is None:
        return tuple(vasp_symbol(label, notes) for label in labels)
    types = [atom[-1] for atom in atoms]
    if len(order) == len(set(types)) != len(set(labels)):
        renamed = stated_species(types, kinds_in_order(types), options, path, notes, "types of atoms")
        note_renamed(labels, renamed, notes)
        return renamed
    return stated_species(labels, kinds_in_order(labels), options, path, notes, "elements")


def _is_microcanonical(settings: dict[str, str], path: Path) -> bool:
    """Say whether energy is conserved and TEBEG only gives the first velocities."""
    return settings.get("MDALGO", "0") == "0" and _number(settings, "SMASS", path) == -3.0


def _stride(found: _Collected, path: Path) -> tuple[float, str | None]:
    """Return the steps between frames, or why they cannot be known."""
    settings = found.settings
    if not settings.get("ML_LMLFF", "F").strip(". ").upper().startswith("T"):
        return 1.0, None
    stride = _number(settings, "ML_OUTBLOCK", path) or 1.0
    steps = _number(settings, "NSW", path)
    n_frames, n_learned = len(found.frames), found.n_machine_learned
    advice = (
        "read the run's XDATCAR instead, or give frame_interval_fs (--frame-interval-fs) if they are evenly spaced."
    )
    if n_learned == 0 and steps != n_frames:
        return stride, (
            "is a run with machine learning (ML_LMLFF) but holds ab initio steps only, with an unknown number of "
            f"machine-learned ones between them; {advice}"
        )
    if stride > 1 and n_learned != n_frames:
        return stride, f"writes every {stride:g}th machine-learned step (ML_OUTBLOCK) among ab initio ones; {advice}"
    return stride, None


def _degrees_of_freedom(found: _Collected, n_atoms: int) -> int:
    """Count the free coordinates of selective dynamics, else three for each atom less the centre of mass."""
    free = found.free_coordinates
    return free if free is not None and 0 < free < 3 * n_atoms else 3 * n_atoms - 3


def _vectors(parent: ElementTree.Element, where: str) -> NDArray[np.float64]:
    rows = parent.findall(f"{where}/v")
    values = parse_numbers(" ".join(row.text or "" for row in rows).encode())
    if values is None or values.size != 3 * len(rows):
        raise ValueError(where)
    return values.reshape(-1, 3)
