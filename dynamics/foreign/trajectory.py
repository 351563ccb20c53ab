"""What every reader of foreign files delivers, and what the caller gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ForeignTrajectory:
    """A trajectory made by another program, unwrapped and with its times known.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) float array
        Unwrapped positions in Å.  In a variable cell they are fractional coordinates times the mean cell, so that
        the breathing of the cell does not count as motion.
    symbols : tuple of str
        Element of each atom.
    mean_cell_angstrom : (3, 3) float array
        Cell vectors as rows, averaged over the frames, in Å.
    volume_angstrom3 : float
        Mean cell volume in Å³.
    frame_interval_ps : float
        Time between frames in ps.
    temperature_k : float
        Temperature in K: the one the caller states, else the mean kinetic one, else the thermostat's.
    format : str
        Registered name of the file format.
    notes : tuple of str
        What the reader had to assume or leave out, one sentence each.
    """

    positions_angstrom: NDArray[np.float64]
    symbols: tuple[str, ...]
    mean_cell_angstrom: NDArray[np.float64]
    volume_angstrom3: float
    frame_interval_ps: float
    temperature_k: float
    format: str
    notes: tuple[str, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.positions_angstrom.shape[0])

    @property
    def duration_ps(self) -> float:
        """Time between the first and the last frame, in ps."""
        return (self.n_frames - 1) * self.frame_interval_ps

    @property
    def masses_amu(self) -> NDArray[np.float64]:
        """Standard atomic masses, (n_atoms,), in u."""
        return atomic_masses_amu(self.symbols)


@dataclass(frozen=True)
class RawTrajectory:
    """What one file says, before unwrapping and before the caller's options.

    Parameters
    ----------
    symbols : tuple of str
        Element of each atom.
    fractional : (n_frames, n_atoms, 3) float array
        Fractional coordinates, wrapped or not.
    cells_angstrom : (n_frames, 3, 3) float array
        Cell vectors as rows, in Å.
    is_unwrapped : bool
        Whether the file itself follows each atom across the boundaries.
    frame_interval_fs : float or None
        Time between frames, where the file gives it outright.
    time_step_fs : float or None
        Time step of the integrator, where the file gives it.
    steps_per_frame : float or None
        Steps of the integrator between frames, where the file gives them.
    is_stride_assumed : bool
        Whether `steps_per_frame` is a guess, to be told where it is used.
    kinetic_temperature_k : float or None
        Mean kinetic temperature, from velocities or kinetic energies.
    thermostat_temperature_k : float or None
        Target temperature of the thermostat.
    notes : tuple of str
        What the reader had to assume or leave out.
    """

    symbols: tuple[str, ...]
    fractional: NDArray[np.float64]
    cells_angstrom: NDArray[np.float64]
    is_unwrapped: bool = False
    frame_interval_fs: float | None = None
    time_step_fs: float | None = None
    steps_per_frame: float | None = None
    is_stride_assumed: bool = False
    kinetic_temperature_k: float | None = None
    thermostat_temperature_k: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows that a file may not say.

    Parameters
    ----------
    species_order : tuple of str or None
        Elements of the types 1, 2, … of a LAMMPS dump, of the blocks of a VASP 4 XDATCAR, or of the sorted species
        numbers of an H5MD file.
    """

    species_order: tuple[str, ...] | None = None


def atomic_masses_amu(symbols: tuple[str, ...]) -> NDArray[np.float64]:
    """Return standard atomic masses.

    Parameters
    ----------
    symbols : tuple of str
        Element symbols.

    Returns
    -------
    (n_atoms,) array
        Masses in u.

    Examples
    --------
    >>> float(atomic_masses_amu(("Li",))[0])
    6.94
    """
    from ase.data import atomic_masses, atomic_numbers

    return np.array([atomic_masses[atomic_numbers[symbol]] for symbol in symbols])
