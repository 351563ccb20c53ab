"""A folder of segments, read as one trajectory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike

from ..errors import TrajectoryError
from .description import TrajectoryDescription, load_description
from .manifest import Manifest, load_manifest
from .protocol import MdProtocol
from .results import SegmentRecord
from .segment_file import PARTICLES, damaged, open_segment
from .virtual_file import write_virtual_file

VIRTUAL_FILE = "trajectory.h5md"


class Trajectory:
    """The segments of a trajectory folder, presented as one.

    Frames are read from the files when asked for, into one array of the size of the answer. A trajectory that
    is still being written shows the segments closed when this object was made.

    Parameters
    ----------
    folder : str or Path
        The trajectory folder.

    Raises
    ------
    TrajectoryError
        If there is no trajectory in the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()
        description = load_description(self.folder)
        if description is None:
            raise TrajectoryError(
                f"There is no trajectory in {self.folder}: give the folder that holds trajectory.json and the segments."
            )
        self.description: TrajectoryDescription = description
        self.manifest: Manifest = load_manifest(self.folder, description.key)

    def __repr__(self) -> str:
        return f"Trajectory({str(self.folder)!r}, {self.n_frames} frames, {self.duration_ps:g} ps)"

    def __len__(self) -> int:
        return self.n_frames

    @property
    def key(self) -> str:
        """Identity of the trajectory; also its folder's name."""
        return self.description.key

    @property
    def protocol(self) -> MdProtocol:
        """The settings it was made with."""
        return self.description.protocol

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbols in atom order."""
        return self.description.symbols

    @cached_property
    def masses_amu(self) -> np.ndarray:
        """Masses in amu, shape (n_atoms,)."""
        return np.array(self.description.masses_amu)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.symbols)

    @property
    def segments(self) -> tuple[SegmentRecord, ...]:
        """The closed segments, in order."""
        return self.manifest.segments

    @property
    def segment_paths(self) -> tuple[Path, ...]:
        """Paths of the H5MD files that hold frames, in order; MDAnalysis reads them as one chain."""
        return tuple(self.folder / segment.file for segment in self.segments if segment.n_frames)

    @property
    def history(self) -> tuple[dict[str, Any], ...]:
        """What stop rules and health checks said after each segment."""
        return self.manifest.history

    @property
    def n_frames(self) -> int:
        """Number of frames, the one at step 0 included."""
        return sum(segment.n_frames for segment in self.segments)

    @property
    def time_step_fs(self) -> float:
        """Time step in fs."""
        return self.description.time_step_fs

    @property
    def frame_interval_ps(self) -> float:
        """Time between frames in ps."""
        return self.description.frame_interval_steps * self.time_step_fs / 1000.0

    @property
    def duration_ps(self) -> float:
        """Time from step 0 to the last checkpoint in ps."""
        return self.manifest.last_step * self.time_step_fs / 1000.0

    def positions(
        self,
        frames: slice | None = None,
        atoms: Sequence[int] | np.ndarray | None = None,
        dtype: DTypeLike = np.float64,
    ) -> np.ndarray:
        """Read unwrapped positions.

        The files hold float32, exact to 4e-6 Å within 64 Å of the origin; conversion happens while reading.

        Parameters
        ----------
        frames : slice, optional
            Frames wanted, as of a sequence; all by default. The step must be positive.
        atoms : sequence of int, optional
            Atoms wanted; all by default.
        dtype : data type
            Of the answer: float64 by default, float32 for half the memory.

        Returns
        -------
        numpy.ndarray, shape (n_frames, n_atoms, 3)
            Positions in Å.
        """
        return self._per_atom("position", frames, atoms, dtype)

    def velocities(
        self,
        frames: slice | None = None,
        atoms: Sequence[int] | np.ndarray | None = None,
        dtype: DTypeLike = np.float64,
    ) -> np.ndarray:
        """Read velocities, where they were stored.

        Parameters
        ----------
        frames, atoms, dtype
            As in `positions`.

        Returns
        -------
        numpy.ndarray, shape (n_frames, n_atoms, 3)
            Velocities in Å/ps.

        Raises
        ------
        TrajectoryError
            If a segment holds no velocities.
        """
        return self._per_atom("velocity", frames, atoms, dtype)

    def steps(self) -> np.ndarray:
        """MD steps of the frames, shape (n_frames,)."""
        return self._concatenated(f"{PARTICLES}/position/step", (), np.int64)

    def times_ps(self) -> np.ndarray:
        """Return the times of the frames in ps, shape (n_frames,)."""
        return self.steps() * (self.time_step_fs / 1000.0)

    def cells(self, frames: slice | None = None) -> np.ndarray:
        """Read cell vectors.

        Parameters
        ----------
        frames : slice, optional
            As in `positions`.

        Returns
        -------
        numpy.ndarray, shape (n_frames, 3, 3)
            Cell vectors in Å.
        """
        return self._concatenated(f"{PARTICLES}/box/edges/value", (3, 3), np.float64, frames)

    def volumes(self) -> np.ndarray:
        """Volumes in Å³, shape (n_frames,)."""
        return self._observable("volume")

    def temperatures(self) -> np.ndarray:
        """Kinetic temperatures in K, shape (n_frames,)."""
        return self._observable("temperature")

    def energies(self) -> np.ndarray:
        """Potential energies in eV, shape (n_frames,)."""
        return self._observable("potential_energy")

    def kinetic_energies(self) -> np.ndarray:
        """Kinetic energies in eV, shape (n_frames,)."""
        return self._observable("kinetic_energy")

    def pressures(self) -> np.ndarray | None:
        """Pressures in GPa, kinetic part included, shape (n_frames,); None unless each frame has one."""
        return self._optional_observable("pressure")

    def conserved_energies(self) -> np.ndarray | None:
        """Energies in eV that exact dynamics would conserve, shape (n_frames,); None for Langevin."""
        return self._optional_observable("conserved_energy")

    @cached_property
    def mean_cell_angstrom(self) -> np.ndarray:
        """Mean cell vectors in Å, shape (3, 3)."""
        cells = self.cells()
        return cells.mean(axis=0) if len(cells) else np.array(self.description.initial_cell_angstrom)

    @cached_property
    def mean_volume_angstrom3(self) -> float:
        """Mean volume in Å³."""
        volumes = self.volumes()
        if len(volumes):
            return float(volumes.mean())
        return float(abs(np.linalg.det(np.array(self.description.initial_cell_angstrom))))

    def iterate_positions(self, n_frames: int = 1000, dtype: DTypeLike = np.float64) -> Iterator[np.ndarray]:
        """Read positions block by block, for trajectories larger than the memory.

        Parameters
        ----------
        n_frames : int
            Frames of one block.
        dtype : data type
            Of the blocks.

        Yields
        ------
        numpy.ndarray, shape (at most n_frames, n_atoms, 3)
            Positions in Å.
        """
        for start in range(0, self.n_frames, n_frames):
            yield self.positions(slice(start, start + n_frames), dtype=dtype)

    def verify(self) -> None:
        """Compare every segment with the sha256 in the manifest.

        Raises
        ------
        TrajectoryError
            Naming the first segment that is missing or differs.
        """
        for segment in self.segments:
            check_size(self.folder, segment)
            path = self.folder / segment.file
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != segment.sha256:
                    raise damaged(path, "its sha256 differs from the manifest's")

    def write_virtual_file(self, path: str | Path | None = None) -> Path:
        """Write one small H5MD file whose datasets are views of the segments.

        Parameters
        ----------
        path : str or Path, optional
            By default ``trajectory.h5md`` in the folder. The segments are referred to by relative paths.

        Returns
        -------
        Path
            The file, for MDAnalysis or any H5MD reader.

        Raises
        ------
        TrajectoryError
            If there is no frame yet.
        """
        target = self.folder / VIRTUAL_FILE if path is None else Path(path).absolute()
        if not self.n_frames:
            raise TrajectoryError(f"The trajectory in {self.folder} has no frame yet: run it first.")
        try:
            write_virtual_file(target, self.segment_paths)
        except OSError as error:
            raise TrajectoryError(
                f"The file {target} cannot be written ({str(error).splitlines()[0]}): choose another path or free "
                "some space."
            ) from error
        return target

    def _segments_of(self, frames: slice | None) -> Iterator[tuple[Path, slice, slice, int]]:
        """Split a slice of frames into (file, slice in the file, slice in the answer, frames in the file)."""
        start, stop, stride = (frames or slice(None)).indices(self.n_frames)
        if stride < 1:
            raise ValueError("frames must be read forward: give a slice with a positive step")
        first = filled = 0
        for segment in self.segments:
            # the first wanted frame at or after the start of this segment
            begin = start if start >= first else start + -(-(first - start) // stride) * stride
            end = min(stop, first + segment.n_frames)
            if segment.n_frames and begin < end:
                count = -(-(end - begin) // stride)
                inside = slice(begin - first, end - first, stride)
                yield self.folder / segment.file, inside, slice(filled, filled + count), segment.n_frames
                filled += count
            first += segment.n_frames

    def _count(self, frames: slice | None) -> int:
        return len(range(*(frames or slice(None)).indices(self.n_frames)))

    def _per_atom(
        self, name: str, frames: slice | None, atoms: Sequence[int] | np.ndarray | None, dtype: DTypeLike
    ) -> np.ndarray:
        chosen = None if atoms is None else np.asarray(atoms, dtype=int)
        n_atoms = self.n_atoms if chosen is None else len(chosen)
        answer = np.empty((self._count(frames), n_atoms, 3), dtype=dtype)
        for path, inside, outside, n_frames in self._segments_of(frames):
            with open_segment(path) as file:
                dataset = _dataset(file, f"{PARTICLES}/{name}/value", path, n_frames)
                if chosen is None:
                    dataset.read_direct(answer, inside, outside)
                else:
                    answer[outside] = dataset[inside][:, chosen]
        return answer

    def _concatenated(
        self, name: str, shape: tuple[int, ...], dtype: DTypeLike, frames: slice | None = None
    ) -> np.ndarray:
        answer = np.empty((self._count(frames), *shape), dtype=dtype)
        for path, inside, outside, n_frames in self._segments_of(frames):
            with open_segment(path) as file:
                _dataset(file, name, path, n_frames).read_direct(answer, inside, outside)
        return answer

    def _observable(self, name: str) -> np.ndarray:
        return self._concatenated(f"observables/{name}/value", (), np.float64)

    def _optional_observable(self, name: str) -> np.ndarray | None:
        for path in self.segment_paths:
            with open_segment(path) as file:
                if f"observables/{name}" not in file:
                    return None
        return self._observable(name) if self.n_frames else None


def check_size(folder: Path, segment: SegmentRecord) -> None:
    """Refuse a segment whose file is missing or has another size than it was closed with.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    segment : SegmentRecord
        The segment as recorded.

    Raises
    ------
    TrajectoryError
        Naming the file and the way out.
    """
    path = folder / segment.file
    if not path.is_file():
        with open_segment(path):
            return
    size = path.stat().st_size
    if size != segment.size_bytes:
        raise damaged(path, f"{size} of {segment.size_bytes} bytes")


def _dataset(file: h5py.File, name: str, path: Path, n_frames: int) -> h5py.Dataset:
    if name not in file:
        what = name.removeprefix(f"{PARTICLES}/").removeprefix("observables/").removesuffix("/value")
        raise TrajectoryError(
            f"The trajectory segment {path} holds no {what}: run with store_velocities=True for velocities, "
            "or ask for another quantity."
        )
    dataset = file[name]
    if len(dataset) != n_frames:
        raise damaged(path, f"{len(dataset)} of {n_frames} frames")
    return dataset
