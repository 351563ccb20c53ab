"""Transport from trajectories that are already there: files of other programs and folders of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError, SuperionError

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..database.documents import ConductivityDoc

SAME_TEMPERATURE = 0.015
"""Relative difference below which runs whose temperature was measured count as replicas at one temperature."""


@dataclass(frozen=True)
class ReadingOptions:
    """What the user knows that the files may not say.

    Parameters
    ----------
    time_step_fs : float or None
        Time step of the integrator in fs.
    frame_interval_fs : float or None
        Time between frames in fs.
    temperatures_k : tuple of float
        One temperature for all files, or one for each; empty takes what the files say.
    species_order : tuple of str
        Elements of numbered types; empty where the files name them.
    """

    time_step_fs: float | None = None
    frame_interval_fs: float | None = None
    temperatures_k: tuple[float, ...] = ()
    species_order: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExistingRun:
    """One trajectory, read.

    Parameters
    ----------
    source : str
        File name.
    positions_angstrom : (n_frames, n_atoms, 3) array
        Unwrapped positions in Å.
    symbols : tuple of str
        Element of each atom.
    masses_amu : (n_atoms,) array
        Masses in u.
    cell_angstrom : (3, 3) array
        Mean cell vectors as rows, in Å.
    volume_angstrom3 : float
        Mean cell volume in Å³.
    frame_interval_ps : float
        Time between frames in ps.
    temperature_k : float
        Temperature in K.
    is_temperature_exact : bool
        Whether it was stated, and not measured from velocities.
    notes : tuple of str
        What the reader assumed.
    """

    source: str
    positions_angstrom: NDArray[np.floating]
    symbols: tuple[str, ...]
    masses_amu: NDArray[np.floating]
    cell_angstrom: NDArray[np.floating]
    volume_angstrom3: float
    frame_interval_ps: float
    temperature_k: float
    is_temperature_exact: bool
    notes: tuple[str, ...] = field(default=())

    def first_structure(self) -> Structure:
        """Give the first frame as a crystal.

        Returns
        -------
        Structure
            In the mean cell.
        """
        from pymatgen.core import Lattice, Structure

        return Structure(
            Lattice(self.cell_angstrom), list(self.symbols), self.positions_angstrom[0], coords_are_cartesian=True
        )


def read_existing(paths: Sequence[Path], options: ReadingOptions) -> list[ExistingRun]:
    """Read files of other programs, or trajectory folders of our own.

    Parameters
    ----------
    paths : sequence of Path
        The files and folders.
    options : ReadingOptions
        What they may not say.

    Returns
    -------
    list of ExistingRun
        One for each.

    Raises
    ------
    SuperionError
        If one cannot be read, or does not say what is needed.
    """
    if len(options.temperatures_k) not in (0, 1, len(paths)):
        raise AnalysisError(
            f"There are {len(options.temperatures_k)} temperatures for {len(paths)} files; "
            "give one for all, or one for each in the same order."
        )
    temperatures: list[float | None] = [None] * len(paths)
    if options.temperatures_k:
        same = options.temperatures_k * (len(paths) if len(options.temperatures_k) == 1 else 1)
        temperatures = list(same)
    return [_read_one(path, kelvin, options) for path, kelvin in zip(paths, temperatures, strict=True)]


def _read_one(path: Path, temperature_k: float | None, options: ReadingOptions) -> ExistingRun:
    """Read one file or folder."""
    if path.is_dir():
        return _read_own(path)
    from ..dynamics.foreign import read_foreign_trajectory

    read = read_foreign_trajectory(
        path,
        time_step_fs=options.time_step_fs,
        frame_interval_fs=options.frame_interval_fs,
        temperature_k=temperature_k,
        species_order=options.species_order or None,
    )
    return ExistingRun(
        source=path.name,
        positions_angstrom=read.positions_angstrom,
        symbols=read.symbols,
        masses_amu=read.masses_amu,
        cell_angstrom=read.mean_cell_angstrom,
        volume_angstrom3=read.volume_angstrom3,
        frame_interval_ps=read.frame_interval_ps,
        temperature_k=read.temperature_k,
        is_temperature_exact=temperature_k is not None,
        notes=read.notes,
    )


def _read_own(folder: Path) -> ExistingRun:
    """Read a trajectory folder of our own."""
    from ..dynamics.trajectory import Trajectory

    trajectory = Trajectory(folder)
    return ExistingRun(
        source=folder.name[:12],
        positions_angstrom=trajectory.positions(),
        symbols=trajectory.symbols,
        masses_amu=trajectory.masses_amu,
        cell_angstrom=trajectory.mean_cell_angstrom,
        volume_angstrom3=trajectory.mean_volume_angstrom3,
        frame_interval_ps=trajectory.frame_interval_ps,
        temperature_k=trajectory.protocol.temperature_k,
        is_temperature_exact=True,
    )


def group_by_temperature(runs: Sequence[ExistingRun]) -> list[list[ExistingRun]]:
    """Put replicas together: runs at one temperature, to within the noise of a measured temperature.

    Parameters
    ----------
    runs : sequence of ExistingRun
        The runs.

    Returns
    -------
    list of list of ExistingRun
        Groups, the coldest first.
    """
    groups: list[list[ExistingRun]] = []
    for run in sorted(runs, key=lambda item: item.temperature_k):
        if groups:
            last = groups[-1][0]
            exact = run.is_temperature_exact and last.is_temperature_exact
            tolerance = 1.0e-6 if exact else SAME_TEMPERATURE
            if run.temperature_k <= last.temperature_k * (1.0 + tolerance):
                groups[-1].append(run)
                continue
        groups.append([run])
    return groups
