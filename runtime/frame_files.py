"""Files of frames below the folder of trajectories, named by what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..potentials.training.labelled_frames import (
    TEACHER,
    dataset_sha256,
    read_labelled_frames,
    write_labelled_frames,
)
from ..potentials.training.records import FrameSet
from .checkpoint_root import checkpoint_root_of

if TYPE_CHECKING:
    from ase import Atoms


def write_frame_set(
    frames: Sequence[Atoms],
    checkpoint_root: str | None,
    *,
    n_computed: int = 0,
    n_left_out: int = 0,
    wall_time_s: float = 0.0,
) -> FrameSet:
    """Write frames under their digest, and say what they are.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        Labelled or not.
    checkpoint_root : str or None
        Folder of trajectories; None for the project's, or one in the current folder.
    n_computed : int
        Labels that were computed for it.
    n_left_out : int
        Frames that were left out.
    wall_time_s : float
        Time that the step took, in s.

    Returns
    -------
    FrameSet
        For the next job.
    """
    digest = dataset_sha256(frames)
    entry = f"frames/{digest}.extxyz"
    path = checkpoint_root_of(entry, checkpoint_root) / entry
    if not path.is_file():
        write_labelled_frames(path, frames)
    formulas = {frame.get_chemical_formula(mode="hill", empirical=True) for frame in frames}
    return FrameSet(
        path=str(Path(path).absolute()),
        n_frames=len(frames),
        dataset_sha256=digest,
        teacher=next((str(frame.info[TEACHER]) for frame in frames if TEACHER in frame.info), ""),
        elements=tuple(sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})),
        compositions=tuple(sorted({_reduced(formula) for formula in formulas})),
        n_computed=n_computed,
        n_left_out=n_left_out,
        wall_time_s=round(wall_time_s, 3),
    )


def read_frame_set(frames: FrameSet) -> list[Atoms]:
    """Read the frames of a set.

    Parameters
    ----------
    frames : FrameSet
        From an earlier job.

    Returns
    -------
    list of ase.Atoms
        The frames.
    """
    return read_labelled_frames(frames.path)


def _reduced(formula: str) -> str:
    from pymatgen.core import Composition

    return str(Composition(formula).reduced_formula)
