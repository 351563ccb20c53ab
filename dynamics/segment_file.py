"""One closed H5MD file: the frames of a segment and the checkpoint at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from .. import __version__
from ..errors import TrajectoryError
from .checkpoint import Checkpoint

SEGMENT_PATTERN = "segment-*.h5md"

PARTICLES = "particles/trajectory"
"""The H5MD group of all atoms; MDAnalysis derives a minimal topology from a group of this name."""

OBSERVABLE_UNITS = {
    "potential_energy": "eV",
    "kinetic_energy": "eV",
    "temperature": "K",
    "volume": "Angstrom3",
    "pressure": "GPa",
    "conserved_energy": "eV",
}
"""Scalars stored with each frame; pressure and conserved energy only where there is one."""

_OVERHEAD_BYTES = 1 << 18


def segment_name(index: int) -> str:
    """File name of the segment with this index."""
    return f"segment-{index:06d}.h5md"


@dataclass(frozen=True)
class SegmentHeader:
    """What is the same in every segment of a trajectory.

    Attributes
    ----------
    key : str
        Identity of the trajectory.
    numbers : numpy.ndarray, shape (n_atoms,)
        Atomic numbers.
    masses_amu : numpy.ndarray, shape (n_atoms,)
        Masses in amu.
    periodic : tuple of 3 bool
        Periodicity along the cell vectors.
    time_step_fs : float
        Time step in fs.
    """

    key: str
    numbers: np.ndarray
    masses_amu: np.ndarray
    periodic: tuple[bool, bool, bool]
    time_step_fs: float


@dataclass
class SegmentFrames:
    """Frames of the open segment, in memory.

    Attributes
    ----------
    positions : numpy.ndarray, shape (capacity, n_atoms, 3)
        Unwrapped positions in Å, float32: exact to 4e-6 Å within 64 Å of the origin.
    velocities : numpy.ndarray or None, same shape
        Velocities in Å/ps, float32.
    steps : list of int
        MD step of each frame so far.
    cells : list of numpy.ndarray, shape (3, 3)
        Cell vectors in Å.
    observables : dict of lists
        Scalars by the names of `OBSERVABLE_UNITS`.
    """

    positions: np.ndarray
    velocities: np.ndarray | None
    steps: list[int] = field(default_factory=list)
    cells: list[np.ndarray] = field(default_factory=list)
    observables: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def with_capacity(cls, n_frames: int, n_atoms: int, *, with_velocities: bool) -> SegmentFrames:
        """Make room for a number of frames."""
        shape = (n_frames, n_atoms, 3)
        return cls(
            positions=np.empty(shape, dtype=np.float32),
            velocities=np.empty(shape, dtype=np.float32) if with_velocities else None,
        )

    def append(
        self,
        step: int,
        positions: np.ndarray,
        velocities_angstrom_per_ps: np.ndarray,
        cell: np.ndarray,
        observables: dict[str, float],
    ) -> None:
        """Add one frame."""
        index = len(self.steps)
        self.positions[index] = positions
        if self.velocities is not None:
            self.velocities[index] = velocities_angstrom_per_ps
        self.steps.append(step)
        self.cells.append(np.array(cell, dtype=np.float64))
        for name, value in observables.items():
            self.observables.setdefault(name, []).append(value)

    @property
    def n_frames(self) -> int:
        """Number of frames so far."""
        return len(self.steps)


def estimated_size_bytes(n_frames: int, n_atoms: int, *, with_velocities: bool) -> int:
    """Upper bound of the size of a segment file, as if nothing could be compressed."""
    per_frame = n_atoms * 12 * (2 if with_velocities else 1) + 72 + 16 + 8 * len(OBSERVABLE_UNITS)
    return int(1.02 * n_frames * per_frame) + 64 * n_atoms + _OVERHEAD_BYTES


def encode_segment(
    header: SegmentHeader,
    frames: SegmentFrames,
    checkpoint: Checkpoint,
    compression: Literal["none", "gzip", "lzf"],
) -> bytes:
    """Build the bytes of an H5MD 1.1 file.

    The file is made in memory, so it reaches the disk in one piece, and the same frames give the same bytes.

    Parameters
    ----------
    header : SegmentHeader
        What belongs to the whole trajectory.
    frames : SegmentFrames
        The frames; there may be none.
    checkpoint : Checkpoint
        State at the end of the segment.
    compression : {"none", "gzip", "lzf"}
        Compression of positions and velocities.

    Returns
    -------
    bytes
        The file's content.

    References
    ----------
    .. [1] P. de Buyl, P. H. Colberg & F. Höfling, Comput. Phys. Commun. 185, 1546 (2014),
       DOI 10.1016/j.cpc.2014.01.018.
    """
    with h5py.File("segment", "w", driver="core", backing_store=False) as file:
        _write_metadata(file)
        steps = np.array(frames.steps, dtype=np.int64)
        particles = file.create_group(PARTICLES)
        box = particles.create_group("box")
        box.attrs["dimension"] = 3
        box.attrs["boundary"] = ["periodic" if value else "none" for value in header.periodic]
        particles.create_dataset("species", data=np.asarray(header.numbers, dtype=np.int32))
        mass = particles.create_dataset("mass", data=np.asarray(header.masses_amu, dtype=np.float64))
        mass.attrs["unit"] = "u"

        positions = particles.create_group("position")
        step_set = positions.create_dataset("step", data=steps)
        time_set = positions.create_dataset("time", data=steps * (header.time_step_fs / 1000.0))
        time_set.attrs["unit"] = "ps"
        clock = (step_set, time_set)
        _write_frames(positions, frames.positions[: frames.n_frames], "Angstrom", compression)
        if frames.velocities is not None:
            velocities = _element(particles, "velocity", clock)
            _write_frames(velocities, frames.velocities[: frames.n_frames], "Angstrom ps-1", compression)
        cells = np.array(frames.cells, dtype=np.float64).reshape(-1, 3, 3)
        edges = _element(box, "edges", clock).create_dataset("value", data=cells)
        edges.attrs["unit"] = "Angstrom"
        observables = file.create_group("observables")
        for name, values in frames.observables.items():
            value = _element(observables, name, clock).create_dataset("value", data=np.array(values, dtype=np.float64))
            value.attrs["unit"] = OBSERVABLE_UNITS[name]
        checkpoint.write(file.create_group("superion/checkpoint"))
        file.flush()
        return file.id.get_file_image()


def _write_metadata(file: h5py.File) -> None:
    h5md = file.create_group("h5md")
    h5md.attrs["version"] = np.array([1, 1], dtype=np.int32)
    h5md.create_group("author").attrs["name"] = "superion"
    creator = h5md.create_group("creator")
    creator.attrs["name"] = "superion"
    creator.attrs["version"] = __version__


def _element(parent: h5py.Group, name: str, clock: tuple[h5py.Dataset, h5py.Dataset]) -> h5py.Group:
    """Make a time-dependent H5MD element that shares step and time with the positions."""
    group = parent.create_group(name)
    group["step"], group["time"] = clock
    return group


def _write_frames(group: h5py.Group, values: np.ndarray, unit: str, compression: str) -> None:
    options: dict[str, Any] = {}
    if len(values) and compression != "none":
        frames_per_chunk = max(1, min(len(values), (1 << 20) // values[0].nbytes))
        options = {"compression": compression, "shuffle": True, "chunks": (frames_per_chunk, *values.shape[1:])}
    group.create_dataset("value", data=values, **options).attrs["unit"] = unit


@contextmanager
def open_segment(path: Path) -> Iterator[h5py.File]:
    """Open a segment for reading, with one clear sentence where it is damaged.

    Parameters
    ----------
    path : Path
        A segment file.

    Yields
    ------
    h5py.File
        The open file.

    Raises
    ------
    TrajectoryError
        If the file is missing, truncated or no HDF5 file.
    """
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError as error:
        raise TrajectoryError(
            f"The trajectory segment {path} is missing: restore it, or move the later segments away too "
            "and run again to continue from the one before it."
        ) from error
    except OSError as error:
        why = str(error).splitlines()[0]
        if error.errno is None:
            raise damaged(path, why) from error
        # the system refused, so nothing is said about the content
        remedy = "set HDF5_USE_FILE_LOCKING=FALSE" if "lock" in why else "mend its permissions"
        raise TrajectoryError(f"The trajectory segment {path} cannot be opened ({why}): {remedy}.") from error
    try:
        with file:
            yield file
    except (OSError, KeyError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(path, str(error).splitlines()[0]) from error


def damaged(path: Path, why: str) -> TrajectoryError:
    """Make the error for a segment that cannot be trusted.

    Parameters
    ----------
    path : Path
        The file.
    why : str
        What was found.

    Returns
    -------
    TrajectoryError
        One sentence with the file and the way out.
    """
    return TrajectoryError(
        f"The trajectory segment {path} is truncated or damaged ({why}): restore it from a copy, or move it and "
        "any later segment away and run again to recompute them from the checkpoint before; nothing was overwritten."
    )


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the checkpoint at the end of a segment.

    Parameters
    ----------
    path : Path
        A segment file.

    Returns
    -------
    Checkpoint
        The exact state.

    Raises
    ------
    TrajectoryError
        If the file is damaged.
    """
    with open_segment(path) as file:
        return Checkpoint.read(file["superion/checkpoint"])
