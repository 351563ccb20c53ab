"""Write a trajectory in formats that other programs read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TextIO

import numpy as np
from ase import Atoms
from ase.io.extxyz import write_extxyz

from ..errors import TrajectoryError
from .durable import TEMPORARY_SUFFIX
from .trajectory import Trajectory

_BLOCK_FRAMES = 500


def _frames(trajectory: Trajectory) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Give index, positions and cell of every frame, reading block by block."""
    cells = trajectory.cells()
    index = 0
    for block in trajectory.iterate_positions(_BLOCK_FRAMES):
        for positions in block:
            yield index, positions, cells[index]
            index += 1


def _write_extxyz(stream: TextIO, trajectory: Trajectory) -> None:
    times, energies, temperatures = trajectory.times_ps(), trajectory.energies(), trajectory.temperatures()
    for index, positions, cell in _frames(trajectory):
        atoms = Atoms(trajectory.symbols, positions=positions, cell=cell, pbc=trajectory.description.periodic)
        atoms.info = {
            "time_ps": float(times[index]),
            "potential_energy_ev": float(energies[index]),
            "temperature_k": float(temperatures[index]),
        }
        write_extxyz(stream, [atoms], columns=["symbols", "positions"])


def _write_xdatcar(stream: TextIO, trajectory: Trajectory) -> None:
    order = sorted(range(trajectory.n_atoms), key=lambda atom: trajectory.symbols.index(trajectory.symbols[atom]))
    groups = [(symbol, len(list(atoms))) for symbol, atoms in groupby(trajectory.symbols[atom] for atom in order)]
    previous: np.ndarray | None = None
    for index, positions, cell in _frames(trajectory):
        # VASP repeats the header before each frame of a run with a changing cell, and writes it once otherwise
        if previous is None or not np.array_equal(cell, previous):
            stream.write(f"superion trajectory {trajectory.key[:12]}\n1.0\n")
            stream.writelines(f"{row[0]:22.16f}{row[1]:22.16f}{row[2]:22.16f}\n" for row in cell)
            stream.write(" ".join(symbol for symbol, _ in groups) + "\n")
            stream.write(" ".join(str(count) for _, count in groups) + "\n")
            previous = cell
        stream.write(f"Direct configuration= {index + 1:6d}\n")
        if abs(np.linalg.det(cell)) < 1e-9:
            raise TrajectoryError("XDATCAR needs a cell with three lattice vectors: export to extxyz instead.")
        fractional = np.linalg.solve(cell.T, positions[order].T).T
        stream.writelines(f"{row[0]:16.10f}{row[1]:16.10f}{row[2]:16.10f}\n" for row in fractional)


EXPORTERS: dict[str, Callable[[TextIO, Trajectory], None]] = {
    "extxyz": _write_extxyz,
    "xdatcar": _write_xdatcar,
}
"""Formats by name; a new one is a new entry."""


def export_trajectory(trajectory: Trajectory, path: str | Path, fmt: str) -> Path:
    """Write all frames of a trajectory to one file.

    Positions stay unwrapped. ``extxyz`` keeps the atom order and adds time, potential energy and temperature;
    ``xdatcar`` groups the atoms by element, in order of first appearance, as VASP does.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.
    path : str or Path
        File to write; replaced as a whole when done.
    fmt : {"extxyz", "xdatcar"}
        Format.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TrajectoryError
        If there is no such format, no frame, or the file cannot be written.

    Examples
    --------
    >>> sorted(EXPORTERS)
    ['extxyz', 'xdatcar']
    """
    if fmt not in EXPORTERS:
        raise TrajectoryError(f"There is no export format '{fmt}': choose one of {', '.join(sorted(EXPORTERS))}.")
    if not trajectory.n_frames:
        raise TrajectoryError(f"The trajectory in {trajectory.folder} has no frame yet: run it first.")
    target = Path(path)
    temporary = target.with_name(target.name + TEMPORARY_SUFFIX)
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            EXPORTERS[fmt](stream, trajectory)
        os.replace(temporary, target)
    except TrajectoryError:
        temporary.unlink(missing_ok=True)
        raise
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TrajectoryError(
            f"The file {target} cannot be written ({error.strerror}): choose another path or free some space."
        ) from error
    return target
