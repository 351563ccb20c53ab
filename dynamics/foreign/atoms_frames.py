"""From a stream of ASE `Atoms` to one raw trajectory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import TrajectoryError
from .trajectory import RawTrajectory

if TYPE_CHECKING:
    from ase import Atoms


def raw_from_atoms(
    frames: Iterable[Atoms], path: Path, time_keys_fs: Mapping[str, float] | None = None
) -> RawTrajectory:
    """Collect ASE frames.

    Parameters
    ----------
    frames : iterable of ase.Atoms
        The frames, in order.
    path : Path
        Where they come from, for messages.
    time_keys_fs : mapping or None
        Keys of `atoms.info` that hold the time of a frame, and their units in fs.

    Returns
    -------
    RawTrajectory
        Positions as they are; temperatures from momenta.

    Raises
    ------
    TrajectoryError
        No frame, no three-dimensional cell, or atoms that change.
    """
    symbols: tuple[str, ...] | None = None
    fractional, cells, temperatures, times = [], [], [], []
    for number, atoms in enumerate(frames, start=1):
        found = tuple(atoms.get_chemical_symbols())
        if symbols is None:
            symbols = found
        elif found != symbols:
            raise TrajectoryError(
                f"The atoms of frame {number} of {path} are not those of the first frame; "
                "write the same atoms in the same order in every frame."
            )
        cell = np.array(atoms.cell)
        if abs(np.linalg.det(cell)) < 1e-6:
            raise TrajectoryError(
                f"Frame {number} of {path} has no three-dimensional cell; write the lattice with every frame."
            )
        if not all(atoms.pbc):
            raise TrajectoryError(
                f"Frame {number} of {path} is not periodic in all directions (pbc); a conductivity needs a crystal."
            )
        fractional.append(np.linalg.solve(cell.T, atoms.positions.T).T)
        cells.append(cell)
        if atoms.has("momenta"):
            # The centre of mass carries no temperature: 3N - 3 degrees of freedom.
            n_atoms = len(atoms)
            temperatures.append(atoms.get_temperature() * n_atoms / max(n_atoms - 1, 1))
        for key, unit in (time_keys_fs or {}).items():
            if key in atoms.info:
                times.append(float(atoms.info[key]) * unit)
    if symbols is None:
        raise TrajectoryError(f"{path} holds no whole frame; was the run stopped at its start?")
    return RawTrajectory(
        symbols=symbols,
        fractional=np.array(fractional),
        cells_angstrom=np.array(cells),
        frame_interval_fs=constant_interval(np.array(times), path) if len(times) == len(cells) > 1 else None,
        kinetic_temperature_k=float(np.mean(temperatures)) if temperatures and np.mean(temperatures) > 0 else None,
    )


def constant_interval(times: np.ndarray, path: Path) -> float:
    """Return the time between frames, which must be the same throughout.

    Parameters
    ----------
    times : (n_frames,) array
        Times of the frames, in any unit.
    path : Path
        Where they come from, for the message.

    Returns
    -------
    float
        The interval, in the same unit.

    Raises
    ------
    TrajectoryError
        The frames are unevenly spaced.
    """
    gaps = np.diff(times)
    mean = float(gaps.mean())
    if mean <= 0 or np.abs(gaps - mean).max() > 1e-3 * mean:
        raise TrajectoryError(
            f"The frames of {path} are unevenly spaced in time ({gaps.min():g} to {gaps.max():g}); "
            "write them at a constant interval."
        )
    return mean
