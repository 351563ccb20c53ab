"""One function that reads a trajectory made by any program whose format is registered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .jumps import check_jumps
from .read_limits import (
    COLDEST_K,
    FARTHEST_CELLS,
    GREATEST_VOLUME_ANGSTROM3,
    HOTTEST_K,
    LEAST_VOLUME_ANGSTROM3,
)
from .registry import find_format
from .timing import Series, even_series, interval_of_times
from .trajectory import ForeignTrajectory, RawTrajectory, ReadOptions
from .unwrap import (
    FRAMES_PER_BLOCK,
    LONG_STEP,
    LongestStep,
    ambiguous_path,
    check_unwrapped,
    follow_cell_vectors,
    unwrap_fractional,
)

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
    unwrapped: bool = False,
    file_format: str | None = None,
) -> ForeignTrajectory:
    """Read a trajectory from a VASP, LAMMPS, extended XYZ, ASE or H5MD file.

    Positions are unwrapped by the nearest image between frames unless the file follows its atoms itself.  What the
    file does not say must be given; what the caller states wins over the file, with a note.  A file that ends
    inside a frame keeps its earlier frames.

    Parameters
    ----------
    path : str or Path
        The file; gzip, bzip2 and xz are unpacked on the fly.
    time_step_fs : float or None
        Time step of the integrator in fs, where the file counts steps only.
    frame_interval_fs : float or None
        Time between frames in fs; goes before any time step.
    temperature_k : float or None
        Temperature in K; None takes the mean kinetic one, else the thermostat's.
    species_order : sequence of str or None
        Elements of the numbered types or of the names in the file; goes before what the file says.
    unwrapped : bool
        Whether the positions follow each atom across the boundaries already, in a file that does not say so.
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
    with np.errstate(all="ignore"):  # what is not finite is refused next
        raw = found.read(path, ReadOptions(tuple(species_order) if species_order is not None else None, time_step_fs))
        notes = list(raw.notes)
        _check(raw, path)
    series = even_series(raw, path, notes)
    if series.kept.size < 2:
        raise TrajectoryError(f"{path} holds a single frame; a trajectory needs at least two.")
    interval = _frame_interval(raw, series, path, time_step_fs, frame_interval_fs, notes)
    temperature = _temperature(raw, path, temperature_k, notes)
    is_whole = series.kept.size == raw.fractional.shape[0]
    fractional = raw.fractional if is_whole else raw.fractional[series.kept]
    cells = raw.cells_angstrom if is_whole else raw.cells_angstrom[series.kept]
    fractional, cells, n_changes = follow_cell_vectors(fractional, cells)
    if n_changes:
        notes.append(f"The cell vectors change {n_changes} time(s) for others of the same lattice; this is followed.")
    mean_cell = cells.mean(axis=0)
    longest = LongestStep(0.0)
    if unwrapped and not raw.is_unwrapped:
        check_unwrapped(fractional, path)
    elif not raw.is_unwrapped:
        fractional, longest = unwrap_fractional(fractional, mean_cell, in_place=True)
        if longest.share > LONG_STEP:
            notes.append(
                f"Atoms move up to {longest.share:.2f} of a lattice vector between frames; "
                "frames this sparse may hide boundary crossings."
            )
    if np.abs(cells - mean_cell).max() > VARIABLE_CELL * np.abs(mean_cell).max():
        notes.append("The cell varies; displacements are fractional ones times the mean cell.")
    positions = _to_angstrom(fractional, mean_cell)
    check_jumps(positions, raw.symbols, interval, temperature, path, notes)
    if longest.is_ambiguous:  # and no jump of labels or runs, which has another remedy
        raise ambiguous_path(longest, path)
    return ForeignTrajectory(
        positions_angstrom=positions,
        symbols=raw.symbols,
        mean_cell_angstrom=mean_cell,
        volume_angstrom3=float(np.abs(np.linalg.det(cells)).mean()),
        frame_interval_ps=interval / 1000.0,
        temperature_k=temperature,
        format=found.name,
        notes=tuple(notes),
        thermostat_temperature_k=raw.thermostat_temperature_k if raw.is_held else None,
    )


def _to_angstrom(fractional: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply by the cell, in place: a trajectory may fill half of the memory."""
    for start in range(0, fractional.shape[0], FRAMES_PER_BLOCK):
        block = slice(start, start + FRAMES_PER_BLOCK)
        fractional[block] = fractional[block] @ cell
    return fractional


def _check(raw: RawTrajectory, path: Path) -> None:
    """Refuse what is no crystal of known elements with finite positions."""
    from ase.data import atomic_numbers

    unknown = sorted({symbol for symbol in raw.symbols if atomic_numbers.get(symbol, 0) < 1})
    if unknown:
        raise TrajectoryError(
            f"{path} names {', '.join(unknown)}, which is no chemical element; "
            "give species_order (--species-order) or correct the file."
        )
    finite = np.isfinite(raw.fractional.reshape(len(raw.fractional), -1).sum(axis=1))
    finite &= np.isfinite(raw.cells_angstrom).all(axis=(1, 2))
    bad = np.flatnonzero(~finite)
    if bad.size:
        raise TrajectoryError(
            f"Frame {bad[0] + 1} of {path} has positions that are not finite (the run exploded); cut the file there."
        )
    if max(float(np.max(raw.fractional)), -float(np.min(raw.fractional))) > FARTHEST_CELLS:
        raise TrajectoryError(f"{path} has atoms millions of cells away (the run exploded); cut the file before them.")
    volumes = np.abs(np.linalg.det(raw.cells_angstrom)) / len(raw.symbols)
    if volumes.min() < LEAST_VOLUME_ANGSTROM3 or volumes.max() > GREATEST_VOLUME_ANGSTROM3:
        raise TrajectoryError(
            f"A cell of {path} has {volumes.min():.3g} Å³ for each atom, as no crystal has: its lengths are not in Å, "
            "or it is damaged; convert the lengths to Å."
        )


def _frame_interval(
    raw: RawTrajectory,
    series: Series,
    path: Path,
    time_step_fs: float | None,
    frame_interval_fs: float | None,
    notes: list[str],
) -> float:
    """Return the time between frames in fs: stated, else counted in stated steps, else the file's."""
    steps = series.gap if raw.steps is not None and series.gap is not None else raw.steps_per_frame
    count = interval_of_times(raw, series, path)
    own = raw.frame_interval_fs
    if count is not None and raw.time_unit_fs is not None:
        own = count * raw.time_unit_fs
    elif own is None and raw.time_step_fs is not None and steps is not None:
        own = raw.time_step_fs * steps
    if frame_interval_fs is not None:
        if (
            time_step_fs is not None
            and raw.steps is not None
            and steps is not None
            and (not raw.step_note or steps > 1)
        ):
            counted = time_step_fs * steps
            if not math.isclose(counted, frame_interval_fs, rel_tol=1e-3):
                notes.append(
                    f"The stated frame interval of {frame_interval_fs:g} fs is used, though the file counts {steps:g} "
                    f"step(s) between frames, {counted:g} fs at the stated time step; check which is right."
                )
        _note_difference("frame interval", frame_interval_fs, own, "fs", notes)
        return frame_interval_fs
    if raw.question is not None:
        raise TrajectoryError(f"{path} {raw.question}")
    step_note = raw.step_note if raw.steps is not None and series.gap == 1.0 else None
    if time_step_fs is not None and steps is not None:
        if step_note is not None:
            notes.append(step_note)
        if raw.time_step_fs is not None:
            _note_difference("time step", time_step_fs, raw.time_step_fs, "fs", notes)
        else:
            _note_difference("frame interval", time_step_fs * steps, own, "fs", notes)
        return time_step_fs * steps
    if own is not None:
        if time_step_fs is not None:
            notes.append(
                "The stated time step is not used: the file gives the time between frames and counts no steps."
            )
        return own
    if count is not None:
        raise TrajectoryError(
            f"{path} counts {count:g} from frame to frame as time but states no unit of it; "
            f"give frame_interval_fs (--frame-interval-fs): {count:g} if that is in fs, {1000 * count:g} if in ps."
        )
    if steps is not None:
        raise TrajectoryError(
            f"{path} counts {steps:g} step(s) between frames but does not say how long a step is; "
            "give time_step_fs or frame_interval_fs (--time-step-fs, --frame-interval-fs)."
        )
    raise TrajectoryError(
        f"{path} does not say how much time lies between its frames; give frame_interval_fs (--frame-interval-fs)."
    )


def _temperature(raw: RawTrajectory, path: Path, temperature_k: float | None, notes: list[str]) -> float:
    measured = raw.kinetic_temperature_k
    is_plausible = measured is not None and COLDEST_K <= measured <= HOTTEST_K
    if temperature_k is not None:
        if measured is not None and is_plausible and abs(measured / temperature_k - 1) > TEMPERATURE_MISMATCH:
            notes.append(f"The stated temperature is {temperature_k:g} K, the mean kinetic one {measured:.0f} K.")
        return temperature_k
    if raw.temperature_question is not None:
        raise TrajectoryError(f"{path} {raw.temperature_question}")
    if measured is not None and not is_plausible:
        raise TrajectoryError(
            f"The velocities of {path} make {measured:.2g} K, which is no temperature of a crystal: their unit is "
            "another, or the run exploded; give temperature_k (--temperature)."
        )
    if measured is not None:
        if raw.temperature_note is not None:
            notes.append(raw.temperature_note)
        return measured
    if raw.thermostat_temperature_k is not None and raw.thermostat_temperature_k > 0:
        notes.append("The temperature is the thermostat's; the file has no velocities to check it.")
        return float(raw.thermostat_temperature_k)
    raise TrajectoryError(f"{path} has neither velocities nor a temperature; give temperature_k (--temperature).")


def _note_difference(what: str, stated: float, found: float | None, unit: str, notes: list[str]) -> None:
    if found is not None and not math.isclose(stated, found, rel_tol=1e-3):
        notes.append(f"The stated {what} of {stated:g} {unit} replaces the file's {found:g} {unit}.")
