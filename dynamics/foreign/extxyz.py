"""Extended XYZ with a Lattice, as ASE and many other programs write it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import TrajectoryError
from .atoms_frames import raw_from_atoms
from .text_file import LineReader, TruncatedFrame, open_binary, truncation_note
from .trajectory import RawTrajectory, ReadOptions

if TYPE_CHECKING:
    from ase import Atoms

_TIME_KEYS_FS = {"time_fs": 1.0, "time_ps": 1000.0}
"""Keys of the comment line that say when a frame was, with their unit in fs; a bare `time` has no known unit."""


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of an (extended) XYZ file.

    Parameters
    ----------
    head : bytes
        First bytes, decompressed.
    file_name : str
        Name of the file.

    Returns
    -------
    bool
        True if so.
    """
    first, _, rest = head.partition(b"\n")
    return first.strip().isdigit() and (b"lattice=" in rest.partition(b"\n")[0].lower() or ".xyz" in file_name)


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read an extended XYZ file with ASE, frame by frame.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    options : ReadOptions
        Not needed: the file names its elements.

    Returns
    -------
    RawTrajectory
        Positions as they are; the temperature from momenta or velocities where the file has them.

    Raises
    ------
    TrajectoryError
        A frame makes no sense, or has no lattice.
    """
    notes: list[str] = []
    with open_binary(path) as stream:
        lines = LineReader(stream)
        raw = raw_from_atoms(_frames(lines, path), path, _TIME_KEYS_FS)
        if lines.was_cut:
            notes.append(truncation_note(raw.fractional.shape[0]))
    return RawTrajectory(**{**raw.__dict__, "notes": (*raw.notes, *notes)})


def _frames(lines: LineReader, path: Path) -> Iterator[Atoms]:
    from ase.io import read as ase_read

    count = 0
    for line in lines:
        if not line.strip():
            continue
        if not line.strip().isdigit():
            raise TrajectoryError(
                f"Line {lines.number} of {path} should be a number of atoms and is {line.strip()[:40]!r}; "
                "cut the file before it."
            )
        try:
            block = lines.take(1 + int(line))
        except TruncatedFrame:
            lines.was_cut = True
            return
        count += 1
        try:
            frame = ase_read(io.StringIO(line + "".join(block)), format="extxyz")
        except Exception as error:
            raise TrajectoryError(f"Frame {count} of {path} is damaged ({error}); cut the file before it.") from None
        yield frame
