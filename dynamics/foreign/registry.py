"""The file formats that can be read, each with its own file and function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import TrajectoryError
from . import ase_traj, extxyz, h5md, lammps_dump, vasprun, xdatcar
from .text_file import first_bytes
from .trajectory import RawTrajectory, ReadOptions


@dataclass(frozen=True)
class ForeignFormat:
    """One file format.

    Parameters
    ----------
    name : str
        Name to choose it by.
    description : str
        What it is, for lists and messages.
    recognises : callable
        `(first_bytes, file_name) -> bool`; judged by content, decompressed.
    read : callable
        `(path, options) -> RawTrajectory`.
    """

    name: str
    description: str
    recognises: Callable[[bytes, str], bool]
    read: Callable[[Path, ReadOptions], RawTrajectory]


FOREIGN_FORMATS: dict[str, ForeignFormat] = {}
"""Formats by name, tried in this order."""


def register_foreign_format(file_format: ForeignFormat) -> None:
    """Add a format.

    Parameters
    ----------
    file_format : ForeignFormat
        The format; a name that exists is replaced.
    """
    FOREIGN_FORMATS[file_format.name] = file_format


for _format in (
    ForeignFormat("h5md", "H5MD (HDF5)", h5md.recognises, h5md.read),
    ForeignFormat("ase_traj", "ASE .traj", ase_traj.recognises, ase_traj.read),
    ForeignFormat("vasprun", "VASP vasprun.xml", vasprun.recognises, vasprun.read),
    ForeignFormat("lammps_dump", "LAMMPS text dump", lammps_dump.recognises, lammps_dump.read),
    ForeignFormat("xdatcar", "VASP XDATCAR", xdatcar.recognises, xdatcar.read),
    ForeignFormat("extxyz", "extended XYZ", extxyz.recognises, extxyz.read),
):
    register_foreign_format(_format)


def find_format(path: Path, name: str | None = None) -> ForeignFormat:
    """Return the format of a file, by name or by its content.

    Parameters
    ----------
    path : Path
        The file.
    name : str or None
        Registered name; None looks into the file.

    Returns
    -------
    ForeignFormat
        The format.

    Raises
    ------
    TrajectoryError
        No such format, no such file, or a content that none recognises.
    """
    known = ", ".join(f"{entry.name} ({entry.description})" for entry in FOREIGN_FORMATS.values())
    if name is not None:
        if name not in FOREIGN_FORMATS:
            raise TrajectoryError(f"There is no trajectory format {name!r}; choose one of {known}.")
        return FOREIGN_FORMATS[name]
    head = first_bytes(path)
    for entry in FOREIGN_FORMATS.values():
        if entry.recognises(head, path.name):
            return entry
    raise TrajectoryError(f"{path} is in no trajectory format known here; it must be one of {known}.")
