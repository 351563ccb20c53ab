"""ASE .traj files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import TrajectoryError
from .atoms_frames import raw_from_atoms
from .trajectory import RawTrajectory, ReadOptions

if TYPE_CHECKING:
    from ase import Atoms


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
        Not needed: the file names its elements.

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
    try:
        reader = TrajectoryReader(str(path))
    except Exception as error:
        raise TrajectoryError(f"The ASE trajectory {path} cannot be opened ({error}); copy it again.") from None
    with reader:
        raw = raw_from_atoms(_frames(reader, notes, path), path)
        description: dict[str, Any] = getattr(reader, "description", None) or {}
    if description.get("type", "molecular-dynamics") != "molecular-dynamics":
        raise TrajectoryError(f"{path} is no molecular dynamics but a {description['type']}; give an MD run.")
    time_step = description.get("timestep")
    return RawTrajectory(
        **{
            **raw.__dict__,
            "time_step_fs": float(time_step) / units.fs if time_step else None,
            "steps_per_frame": float(description["interval"]) if "interval" in description else None,
            "thermostat_temperature_k": description.get("temperature_K"),
            "notes": (*raw.notes, *notes),
        }
    )


def _frames(reader: Any, notes: list[str], path: Path) -> Iterator[Atoms]:
    """Yield frames until one that cannot be read; the rest of the file is then given up."""
    for number in range(len(reader)):
        try:
            atoms = reader[number]
        except Exception:
            notes.append(f"Frame {number + 1} of {len(reader)} cannot be read; the {number} before it are used.")
            return
        yield atoms
