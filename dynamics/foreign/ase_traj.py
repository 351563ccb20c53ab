"""ASE .traj files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import TrajectoryError
from .frame_store import FrameStore
from .species import kinds_in_order, stated_species
from .temperature import KineticTemperature
from .trajectory import RawTrajectory, ReadOptions

if TYPE_CHECKING:
    from ase import Atoms

_SEEN_IN_VELOCITIES = ("FixAtoms", "FixCom", "FixCartesian")
"""Constraints that show in the velocities themselves."""


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of an ASE trajectory.

    Parameters
    ----------
    head : bytes
        First bytes.
    file_name : str
        Name of the file.

    Returns
    -------
    bool
        True if so.
    """
    return head.startswith(b"- of Ulm") and b"ASE-Trajectory" in head[:32]


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read an ASE trajectory.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        `species_order` names the elements in the order in which they first appear.

    Returns
    -------
    RawTrajectory
        Positions as they are; time step, interval and temperature from the description that ASE's dynamics
        leaves in the file, where there is one.

    Raises
    ------
    TrajectoryError
        The file is damaged, or holds no crystal.
    """
    from ase import units
    from ase.io.trajectory import TrajectoryReader

    notes: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy, about how ASE reads
        try:
            reader = TrajectoryReader(str(path))
        except Exception as error:
            why = str(error).partition("\n")[0] or type(error).__name__
            raise TrajectoryError(f"The ASE trajectory {path} cannot be opened ({why}); copy it again.") from None
        with reader:
            raw = _collect(_frames(reader, notes, path), path, options, notes)
            try:
                description: dict[str, Any] = dict(getattr(reader, "description", None) or {})
                kind = str(description.get("type", "molecular-dynamics"))
                time_step = float(description["timestep"]) / units.fs if description.get("timestep") else None
                interval = float(description["interval"]) if description.get("interval") else None
                temperature = float(description["temperature_K"]) if description.get("temperature_K") else None
            except (ValueError, TypeError):
                raise TrajectoryError(f"The description in {path} is damaged; copy it again.") from None
    if kind != "molecular-dynamics":
        raise TrajectoryError(f"{path} is no molecular dynamics but a {kind}; give an MD run.")
    return RawTrajectory(
        **{
            **raw.__dict__,
            "time_step_fs": time_step,
            "steps_per_frame": interval,
            "thermostat_temperature_k": temperature,
            "notes": tuple(notes),
        }
    )


def _frames(reader: Any, notes: list[str], path: Path) -> Iterator[Atoms]:
    """Yield frames until one that cannot be read; the rest of the file is then given up."""
    for number in range(len(reader)):
        try:
            atoms = reader[number]
            # Whatever is damaged fails when it is first used.
            atoms.get_chemical_symbols(), atoms.get_velocities(), np.linalg.det(atoms.cell), _constrained(atoms)
        except Exception:
            notes.append(f"Frame {number + 1} of {len(reader)} cannot be read; the {number} before it are used.")
            return
        yield atoms


def _collect(frames: Iterator[Atoms], path: Path, options: ReadOptions, notes: list[str]) -> RawTrajectory:
    """Collect the frames; what constraints hold is not counted as a degree of freedom."""
    from ase import units

    symbols: tuple[str, ...] | None = None
    fractional = FrameStore()
    cells = FrameStore()
    measured: KineticTemperature | None = None
    constrained = n_measured = 0
    for number, atoms in enumerate(frames, start=1):
        found = tuple(atoms.get_chemical_symbols())
        if symbols is None:
            symbols = found
            measured = KineticTemperature(atoms.get_masses())
            constrained = _constrained(atoms)
        elif found != symbols:
            raise TrajectoryError(
                f"The atoms of frame {number} of {path} are not those of the first frame; "
                "write the same atoms in the same order in every frame."
            )
        cell = np.array(atoms.cell)
        if not 1e-6 < abs(np.linalg.det(cell)) < np.inf:
            raise TrajectoryError(
                f"Frame {number} of {path} has no three-dimensional cell; write the lattice with every frame."
            )
        if not all(atoms.pbc):
            raise TrajectoryError(
                f"Frame {number} of {path} is not periodic in all directions (pbc); a conductivity needs a crystal."
            )
        fractional.append(atoms.positions @ np.linalg.inv(cell))
        cells.append(cell)
        if atoms.has("momenta") and measured is not None:
            measured.add(atoms.get_velocities() * units.fs)
            n_measured += 1
    if symbols is None or measured is None:
        raise TrajectoryError(f"{path} holds no whole frame; was the run stopped at its start?")
    if options.species_order is not None:
        symbols = stated_species(symbols, kinds_in_order(symbols), options, path, notes, "elements")
    return RawTrajectory(
        symbols=symbols,
        fractional=fractional.array(),
        cells_angstrom=cells.array(),
        kinetic_temperature_k=measured.value_k(constrained) if n_measured == len(cells) else None,
    )


def _constrained(atoms: Atoms) -> int:
    """Count the degrees of freedom that constraints take away and velocities do not show, such as fixed bonds."""
    return int(
        sum(
            constraint.get_removed_dof(atoms)
            for constraint in atoms.constraints
            if type(constraint).__name__ not in _SEEN_IN_VELOCITIES and hasattr(constraint, "get_removed_dof")
        )
    )
