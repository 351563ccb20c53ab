"""The unit styles of LAMMPS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BOHR_ANGSTROM = 0.529177210903
_ELECTRON_VELOCITY_TIME_FS = 1.03275


@dataclass(frozen=True)
class UnitStyle:
    """Units of one style.

    Parameters
    ----------
    length_angstrom : float
        Unit of length in Å.
    time_fs : float
        Unit of time in fs.
    velocity_angstrom_fs : float
        Unit of velocity in Å/fs.
    """

    length_angstrom: float
    time_fs: float
    velocity_angstrom_fs: float


LAMMPS_UNITS: dict[str, UnitStyle] = {
    "metal": UnitStyle(1.0, 1e3, 1e-3),
    "real": UnitStyle(1.0, 1.0, 1.0),
    "electron": UnitStyle(_BOHR_ANGSTROM, 1.0, _BOHR_ANGSTROM / _ELECTRON_VELOCITY_TIME_FS),
    "si": UnitStyle(1e10, 1e15, 1e-5),
    "cgs": UnitStyle(1e8, 1e15, 1e-7),
    "nano": UnitStyle(10.0, 1e6, 1e-5),
    "micro": UnitStyle(1e4, 1e9, 1e-5),
}
"""Styles by name (https://docs.lammps.org/units.html); lj units have no fixed length or time."""


def style_of_times(times: NDArray[np.float64], steps: NDArray[np.float64], time_step_fs: float) -> str | None:
    """Tell metal from real units by a known time step.

    Parameters
    ----------
    times, steps : (n_frames,) array
        Time and step of each frame.
    time_step_fs : float
        Time step in fs.

    Returns
    -------
    str or None
        The style in which the times fit the steps; None where neither does.

    Examples
    --------
    >>> style_of_times(np.array([0.0, 0.02]), np.array([0.0, 10.0]), 2.0)
    'metal'
    """
    if steps[1] == steps[0]:
        return None
    step = float((times[1] - times[0]) / (steps[1] - steps[0]))
    for name in ("metal", "real"):
        if np.isclose(step * LAMMPS_UNITS[name].time_fs, time_step_fs, rtol=1e-3):
            return name
    return None
