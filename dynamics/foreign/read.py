"""One function that reads a trajectory made by any program whose format is registered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import TrajectoryError
from .registry import find_format
from .trajectory import ForeignTrajectory, RawTrajectory, ReadOptions
from .unwrap import LONG_STEP, unwrap_fractional

TEMPERATURE_MISMATCH = 0.05
"""Relative difference between the stated and the kinetic temperature that deserves a note."""

VARIABLE_CELL = 1e-4
"""Relative change of a cell vector above which the cell counts as variable."""


def read_foreign_trajectory(
    path: str | Path,
    *,
    time_step_fs: float | None = None,
    frame_interval_fs: float | None = None,
    temperature_k: float | None = None,
    species_order: Sequence[str] | None = None,
    file_format: str | None = None,
) -> ForeignTrajectory:
    """Read a trajectory from a VASP, LAMMPS, extended XYZ, ASE or H5MD file.

    Positions are unwrapped by the nearest image between frames unless the file follows its atoms itself.  What the
    file does not say must be given; what the caller states wins over the file, with a note.  A file that ends
    inside a frame keeps its earlier frames.

    Parameters
    ----------
    path : str or Path
        The file; .gz, .bz2 and .xz are unpacked on the fly.
    time_step_fs : float or None
        Time step of the integrator in fs, where the file counts steps only.
    frame_interval_fs : float or None
        Time between frames in fs; goes before any time step.
    temperature_k : float or None
        Temperature in K; None takes the mean kinetic one, else the thermostat's.
    species_order : sequence of str or None
        Elements of the numbered types, where the file does not name them.
    file_format : str or None
        Registered name of the format; None looks into the file.

    Returns
    -------
    ForeignTrajectory
        Unwrapped positions in Å, mean cell, times and temperature, with notes on what was assumed.

    Raises
    ------
    TrajectoryError
        One sentence: what is missing or damaged, and which option mends it.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> from ase.io import write
    >>> frames = [bulk("Li", cubic=True) for _ in range(3)]
    >>> file = Path(tempfile.mkdtemp()) / "run.extxyz"
    >>> write(file, frames)
    >>> run = read_foreign_trajectory(file, frame_interval_fs=10, temperature_k=300)
    >>> run.format, run.n_frames, round(run.duration_ps, 3)
    ('extxyz', 3, 0.02)
    """
    path = Path(path)
    for name, number in (
        ("time_step_fs", time_step_fs),
        ("frame_interval_fs", frame_interval_fs),
        ("temperature_k", temperature_k),
    ):
        if number is not None and not (math.isfinite(number) and number > 0):
            raise TrajectoryError(f"{name} must be a positive number, not {number}; correct it.")
    if path.is_dir():
        raise TrajectoryError(f"{path} is a folder; give the trajectory file inside it.")
    found = find_format(path, file_format)
    raw = found.read(path, ReadOptions(tuple(species_order) if species_order is not None else None))
    notes = list(raw.notes)
    _check(raw, path)
    interval = _frame_interval(raw, path, time_step_fs, frame_interval_fs, notes)
    temperature = _temperature(raw, path, temperature_k, notes)
    if raw.is_unwrapped:
        fractional = raw.fractional
    else:
        fractional, longest = unwrap_fractional(raw.fractional)
        if longest > LONG_STEP:
            notes.append(
                f"Atoms move up to {longest:.2f} of a cell vector between frames; "
                "frames this sparse may hide boundary crossings."
            )
    mean_cell = raw.cells_angstrom.mean(axis=0)
    if np.abs(raw.cells_angstrom - mean_cell).max() > VARIABLE_CELL * np.abs(mean_cell).max():
        notes.append("The cell varies; displacements are fractional ones times the mean cell.")
    return ForeignTrajectory(
        positions_angstrom=fractional @ mean_cell,
        symbols=raw.symbols,
        mean_cell_angstrom=mean_cell,
        volume_angstrom3=float(np.abs(np.linalg.det(raw.cells_angstrom)).mean()),
        frame_interval_ps=interval / 1000.0,
        temperature_k=temperature,
        format=found.name,
        notes=tuple(notes),
    )


def _check(raw: RawTrajectory, path: Path) -> None:
    from ase.data import atomic_numbers

    unknown = sorted({symbol for symbol in raw.symbols if atomic_numbers.get(symbol, 0) < 1})
    if unknown:
        raise TrajectoryError(
            f"{path} names {', '.join(unknown)}, which is no chemical element; "
            "give species_order (--species-order) or correct the file."
        )
    bad = np.flatnonzero(~np.isfinite(raw.fractional).all(axis=(1, 2)))
    if bad.size:
        raise TrajectoryError(
            f"Frame {bad[0] + 1} of {path} has positions that are not finite (the run exploded); cut the file there."
        )


def _frame_interval(
    raw: RawTrajectory, path: Path, time_step_fs: float | None, frame_interval_fs: float | None, notes: list[str]
) -> float:
    """Return the time between frames in fs: stated, else counted in stated steps, else the file's."""
    if frame_interval_fs is not None:
        _note_difference("frame interval", frame_interval_fs, raw.frame_interval_fs, "fs", notes)
        return frame_interval_fs
    if raw.is_stride_assumed:
        notes.append(
            "The file does not say how many steps lie between its frames; one is assumed (NBLOCK = 1), "
            "give frame_interval_fs (--frame-interval-fs) if it is otherwise."
        )
    if time_step_fs is not None and raw.steps_per_frame is not None:
        _note_difference("time step", time_step_fs, raw.time_step_fs, "fs", notes)
        return time_step_fs * raw.steps_per_frame
    if raw.frame_interval_fs is not None and time_step_fs is None:
        return raw.frame_interval_fs
    if raw.time_step_fs is not None and raw.steps_per_frame is not None:
        return raw.time_step_fs * raw.steps_per_frame
    if raw.fractional.shape[0] < 2 and raw.steps_per_frame is None:
        raise TrajectoryError(f"{path} holds a single frame; a trajectory needs at least two.")
    if raw.steps_per_frame is not None:
        raise TrajectoryError(
            f"{path} counts {raw.steps_per_frame:g} step(s) between frames but does not say how long a step is; "
            "give time_step_fs or frame_interval_fs (--time-step-fs, --frame-interval-fs)."
        )
    raise TrajectoryError(
        f"{path} does not say how much time lies between its frames; give frame_interval_fs (--frame-interval-fs)."
    )


def _temperature(raw: RawTrajectory, path: Path, temperature_k: float | None, notes: list[str]) -> float:
    if temperature_k is not None:
        measured = raw.kinetic_temperature_k
        if measured is not None and abs(measured / temperature_k - 1) > TEMPERATURE_MISMATCH:
            notes.append(f"The stated temperature is {temperature_k:g} K, the mean kinetic one {measured:.0f} K.")
        return temperature_k
    if raw.kinetic_temperature_k is not None:
        return raw.kinetic_temperature_k
    if raw.thermostat_temperature_k is not None:
        notes.append("The temperature is the thermostat's; the file has no velocities to check it.")
        return float(raw.thermostat_temperature_k)
    raise TrajectoryError(f"{path} has neither velocities nor a temperature; give temperature_k (--temperature).")


def _note_difference(what: str, stated: float, found: float | None, unit: str, notes: list[str]) -> None:
    if found is not None and not math.isclose(stated, found, rel_tol=1e-3):
        notes.append(f"The stated {what} of {stated:g} {unit} replaces the file's {found:g} {unit}.")
