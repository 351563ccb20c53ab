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
    thermostat_temperature_k : float or None
        Constant temperature at which a thermostat held the run, in K, where the file says.
    """

    positions_angstrom: NDArray[np.float64]
    symbols: tuple[str, ...]
    mean_cell_angstrom: NDArray[np.float64]
    volume_angstrom3: float
    frame_interval_ps: float
    temperature_k: float
    format: str
    notes: tuple[str, ...] = ()
    thermostat_temperature_k: float | None = None

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
    steps : (n_frames,) float array or None
        Count of each frame as the file numbers it; NaN where it cannot be read.
    times : (n_frames,) float array or None
        Time of each frame.
    time_rounding : float
        Error that the precision of the file leaves in `times`, in their unit.
    time_unit_fs : float or None
        Unit of `times` in fs; None where the file does not say.
    time_step_fs : float or None
        Time step of the integrator, where the file gives it.
    frame_interval_fs : float or None
        Time between frames, where the file gives it outright.
    steps_per_frame : float or None
        Steps of the integrator between frames, where the file gives them and numbers no frames.
    step_note : str or None
        What is assumed where frames one count apart are taken to be one step apart.
    question : str or None
        Why the time between frames cannot be known from this file, and what to give.
    kinetic_temperature_k : float or None
        Mean kinetic temperature, from velocities or kinetic energies.
    thermostat_temperature_k : float or None
        Target temperature of the thermostat, or the initial one.
    is_held : bool
        Whether a thermostat holds this temperature to the end.
    temperature_question : str or None
        Why the velocities give no temperature, and what to give.
    temperature_note : str or None
        What is assumed where the kinetic temperature is used.
    notes : tuple of str
        What the reader had to assume or leave out.
    """

    symbols: tuple[str, ...]
    fractional: NDArray[np.float64]
    cells_angstrom: NDArray[np.float64]
    is_unwrapped: bool = False
    steps: NDArray[np.float64] | None = None
    times: NDArray[np.float64] | None = None
    time_rounding: float = 0.0
    time_unit_fs: float | None = None
    time_step_fs: float | None = None
    frame_interval_fs: float | None = None
    steps_per_frame: float | None = None
    step_note: str | None = None
    question: str | None = None
    kinetic_temperature_k: float | None = None
    thermostat_temperature_k: float | None = None
    is_held: bool = False
    temperature_question: str | None = None
    temperature_note: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows that a file may not say.

    Parameters
    ----------
    species_order : tuple of str or None
        Elements of the types 1, 2, … of a LAMMPS dump, of the blocks of a VASP file, of the sorted species numbers of
        an H5MD file, or of the names of any other file in the order in which they first appear.
    time_step_fs : float or None
        Time step of the integrator in fs; tells LAMMPS unit styles apart where a dump holds times.
    """

    species_order: tuple[str, ...] | None = None
    time_step_fs: float | None = None


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
