"""Jumps that no atom makes: labels in another order, frames left out, time or temperature stated wrongly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...constants import BOLTZMANN_EV_PER_K
from ...errors import TrajectoryError
from .temperature import EV_PER_AMU_ANGSTROM2_PER_FS2
from .trajectory import atomic_masses_amu
from .unwrap import FRAMES_PER_BLOCK

_FASTEST = 8.0
"""Speed in units of √(kT/m) that no atom has in a run of any length: one in 10¹³ (Maxwell)."""

_SHORTEST_JUMP_ANGSTROM = 1.5
"""Shorter steps are no hop to another site."""

_EXCESS = 3.0
"""Mean squared step over what thermal velocities allow, above which the times cannot be right."""


def check_jumps(
    positions_angstrom: NDArray[np.float64],
    symbols: tuple[str, ...],
    frame_interval_fs: float,
    temperature_k: float,
    path: Path,
    notes: list[str],
) -> None:
    """Look for steps between frames that no molecular dynamics makes.

    In equilibrium the mean squared displacement of an atom in a time t is at most 3kT/m·t², whatever the forces. Frames
    close in time are measured by that. Frames too far apart for it are measured by each other: labels that change their
    order move most atoms of several elements at once, in a few frames.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) array
        Unwrapped positions in Å.
    symbols : tuple of str
        Element of each atom.
    frame_interval_fs : float
        Time between frames in fs.
    temperature_k : float
        Temperature in K.
    path : Path
        The file, for messages.
    notes : list of str
        Gets a sentence where all steps are longer than the temperature allows.

    Raises
    ------
    TrajectoryError
        Naming atom, frame, distance and what to do.
    """
    n_frames = positions_angstrom.shape[0]
    if n_frames < 3:
        return
    masses = atomic_masses_amu(symbols)
    # √(kT/m) in Å/fs
    thermal = np.sqrt(BOLTZMANN_EV_PER_K * temperature_k / (EV_PER_AMU_ANGSTROM2_PER_FS2 * masses))
    squared = _squared_steps(positions_angstrom, masses / masses.sum())
    reach = np.maximum(_FASTEST * thermal * frame_interval_fs, _SHORTEST_JUMP_ANGSTROM)
    allowed = 3.0 * (thermal * frame_interval_fs) ** 2
    per_frame = squared @ (1.0 / allowed) / allowed.size
    usual = float(np.median(per_frame))
    _refuse_impossible(squared, reach, symbols, frame_interval_fs, temperature_k, path)
    _refuse_rare(squared, symbols, path)
    if usual > _EXCESS:
        notes.append(
            f"The atoms move {np.sqrt(usual):.1f} times as far in {frame_interval_fs:g} fs as velocities at "
            f"{temperature_k:g} K can carry them; check the time between frames and the temperature."
        )
        return
    limit = max(_EXCESS * max(usual, 0.0), 1.0 + 8.0 * np.sqrt(2.0 / (3.0 * len(symbols))))
    holes = np.flatnonzero(per_frame > limit)
    if holes.size and holes.size <= 0.05 * n_frames:
        first = int(holes[0])
        raise TrajectoryError(
            f"Between frames {first + 1} and {first + 2} of {path} the atoms move "
            f"{np.sqrt(per_frame[first] / max(usual, 1e-9)):.1f} times as far as elsewhere, farther "
            f"than velocities at {temperature_k:g} K carry them in {frame_interval_fs:g} fs "
            f"({holes.size} such place(s)): frames are missing there; split the file and give "
            "the parts as files of their own, or write the frames again."
        )


def _squared_steps(positions: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared steps of all atoms against the centre of mass, (n_frames - 1, n_atoms), in Å²."""
    squared = np.empty((positions.shape[0] - 1, positions.shape[1]))
    for start in range(0, squared.shape[0], FRAMES_PER_BLOCK):
        steps = np.diff(positions[start : start + FRAMES_PER_BLOCK + 1], axis=0)
        steps -= np.einsum("tax,a->tx", steps, weights)[:, None]
        squared[start : start + len(steps)] = np.einsum("tax,tax->ta", steps, steps)
    return squared


def _refuse_impossible(
    squared: NDArray[np.float64],
    reach: NDArray[np.float64],
    symbols: tuple[str, ...],
    frame_interval_fs: float,
    temperature_k: float,
    path: Path,
) -> None:
    """Refuse a step that even the fastest atom cannot make in the time between frames."""
    too_far = squared > reach**2
    if not too_far.any():
        return
    places = np.flatnonzero(too_far.any(axis=1))
    frame = int(places[0])
    raise _jump(
        frame,
        np.flatnonzero(too_far[frame]),
        squared,
        symbols,
        path,
        f"which no atom does in {frame_interval_fs:g} fs at {temperature_k:g} K ({places.size} such place(s))",
        _cause(places.size / too_far.shape[0], float(too_far[places].mean())),
    )


def _refuse_rare(squared: NDArray[np.float64], symbols: tuple[str, ...], path: Path) -> None:
    """Refuse the few frames in which most atoms of several elements jump together, where otherwise they stay."""
    names = np.array(symbols)
    far = np.zeros(squared.shape, dtype=bool)
    for name in np.unique(names):
        own = names == name
        usual = float(np.median(squared[:, own], overwrite_input=True))
        far[:, own] = squared[:, own] > max(36.0 * usual, 1.5**2)
    crowded = np.flatnonzero(far.mean(axis=1) > 0.3)
    for frame in crowded if crowded.size <= 0.05 * squared.shape[0] + 1 else ():
        kinds = [name for name in np.unique(names) if far[frame, names == name].mean() > 0.3]
        if len(kinds) > 1:
            raise _jump(int(frame), np.flatnonzero(far[frame]), squared, symbols, path, "all at once", _cause(0.0, 1.0))


def _cause(share_of_frames: float, share_of_atoms: float) -> str:
    """Say what is wrong, by how many atoms jump in how many frames."""
    if share_of_frames > 0.3 and share_of_atoms > 0.3:
        return (
            "the frames do not follow each other in time (a training set, or frames in another order), or their atoms "
            "are in a different order each time; give consecutive frames of one run with the atoms in one order "
            "(LAMMPS: dump_modify sort id, or an id column)"
        )
    if share_of_frames > 0.05:
        return (
            "the atoms change their order again and again, or the time between frames or the temperature is wrong; "
            "write the atoms in one order (LAMMPS: dump_modify sort id, or an id column), or state the right time"
        )
    if share_of_atoms > 0.3:
        return (
            "the atoms change their order there, frames are missing, or another run begins; split the file there and "
            "give the parts as files of their own, or write the atoms in one order (LAMMPS: dump_modify sort id)"
        )
    return (
        "these atoms change places in the file, frames are missing, or another run begins there; write the atoms in "
        "one order (LAMMPS: dump_modify sort id, or an id column), or split the file there"
    )


def _jump(
    frame: int,
    atoms: NDArray[np.intp],
    squared: NDArray[np.float64],
    symbols: tuple[str, ...],
    path: Path,
    why: str,
    cause: str,
) -> TrajectoryError:
    distances = np.sqrt(squared[frame, atoms])
    shown = ", ".join(f"{index + 1} ({symbols[index]})" for index in atoms[:3])
    more = f" and {atoms.size - 3} more" if atoms.size > 3 else ""
    verb = "atoms" if atoms.size > 1 else "atom"
    spread = f"{distances.min():.1f} to {distances.max():.1f}" if atoms.size > 1 else f"{distances.max():.1f}"
    return TrajectoryError(
        f"Between frames {frame + 1} and {frame + 2} of {path}, {verb} {shown}{more} jump {spread} Å, {why}: {cause}."
    )
