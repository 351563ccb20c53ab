"""VASP vasprun.xml of a molecular-dynamics run, read as a stream: a cut-off file keeps its whole steps."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .temperature import temperature_from_kinetic_energy
from .text_file import BROKEN_STREAM, open_binary, truncation_note
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
        Not needed: the file names its elements.

    Returns
    -------
    RawTrajectory
        Wrapped positions, POTIM as the time step, the mean kinetic temperature or TEBEG.

    Raises
    ------
    TrajectoryError
        No molecular dynamics, no whole step, or no XML.
    """
    symbols: list[str] = []
    settings: dict[str, str] = {}
    frames: list[NDArray[np.float64]] = []
    cells: list[NDArray[np.float64]] = []
    kinetic: list[float] = []
    was_cut = False
    with open_binary(path) as stream:
        try:
            for _, element in ElementTree.iterparse(stream):
                if element.tag == "atominfo":
                    symbols = _symbols(element)
                elif element.tag in ("incar", "parameters"):  # the parameters VASP used come later, and win
                    settings |= {entry.get("name", ""): (entry.text or "").strip() for entry in element.iter("i")}
                elif element.tag == "calculation":
                    structure = element.find("structure")
                    if structure is None:
                        continue
                    cells.append(_vectors(structure, "crystal/varray[@name='basis']"))
                    frames.append(_vectors(structure, "varray[@name='positions']"))
                    energy = element.find("energy/i[@name='kinetic']")
                    if energy is not None and energy.text:
                        kinetic.append(float(energy.text))
                    element.clear()
        except (ElementTree.ParseError, *BROKEN_STREAM):
            was_cut = True
        except (ValueError, AttributeError):
            raise TrajectoryError(
                f"Ionic step {len(frames) + 1} of {path} is damaged; read the run's XDATCAR instead."
            ) from None
    if not frames or not symbols:
        raise TrajectoryError(f"{path} holds no whole ionic step; was the run stopped at its start?")
    if settings.get("IBRION", "0") != "0":
        raise TrajectoryError(
            f"{path} is no molecular dynamics (IBRION = {settings['IBRION']}); give a run with IBRION = 0."
        )
    notes = [truncation_note(len(frames))] if was_cut else []
    if any(frame.shape != frames[0].shape for frame in frames) or frames[0].shape[0] != len(symbols):
        raise TrajectoryError(f"The number of atoms changes in {path}; give a run with constant composition.")
    start, end = (settings.get(name) for name in ("TEBEG", "TEEND"))
    if start and end and float(start) != float(end) and float(end) > 0:
        notes.append(f"The thermostat went from {float(start):g} to {float(end):g} K during the run.")
    return RawTrajectory(
        symbols=tuple(symbols),
        fractional=np.array(frames),
        cells_angstrom=np.array(cells),
        time_step_fs=float(settings["POTIM"]) if "POTIM" in settings else None,
        steps_per_frame=float(settings.get("ML_OUTBLOCK", 1)),
        kinetic_temperature_k=(
            temperature_from_kinetic_energy(float(np.mean(kinetic)), len(symbols))
            if kinetic and np.mean(kinetic) > 0
            else None
        ),
        thermostat_temperature_k=float(start) if start else None,
        notes=tuple(notes),
    )


def _symbols(atominfo: ElementTree.Element) -> list[str]:
    rows = atominfo.findall("array[@name='atoms']/set/rc")
    return [(row.findtext("c") or "").strip().split("_")[0] for row in rows]


def _vectors(parent: ElementTree.Element, where: str) -> NDArray[np.float64]:
    rows = parent.findall(f"{where}/v")
    return np.array([[float(word) for word in (row.text or "").split()] for row in rows]).reshape(-1, 3)
