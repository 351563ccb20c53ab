"""Which frames train, which decide when to stop, and which are held out for the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .frame_digest import frame_digest
from .records import Student

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class DatasetSplit:
    """A labelled set in three parts.

    Attributes
    ----------
    training, validation, held_out : tuple of ase.Atoms
        Frames that train, that decide which epoch is the best, and that only the verdict sees.
    """

    training: tuple[Atoms, ...]
    validation: tuple[Atoms, ...]
    held_out: tuple[Atoms, ...]


def split_frames(
    frames: Sequence[Atoms], *, validation_fraction: float = 0.1, held_out_fraction: float = 0.1
) -> DatasetSplit:
    """Split frames by their digests, so that a frame keeps its part as the set grows.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        At least three frames.
    validation_fraction : float
        Part of the frames that decides when to stop.
    held_out_fraction : float
        Part of the frames that no training sees.

    Returns
    -------
    DatasetSplit
        Three parts, none of them empty.
    """
    digests = [frame_digest(frame) for frame in frames]
    order = sorted(range(len(frames)), key=lambda place: digests[place])
    shares = {place: int(digests[place][:12], 16) / 16**12 for place in order}
    validation = [place for place in order if shares[place] < validation_fraction]
    held_out = [
        place for place in order if validation_fraction <= shares[place] < validation_fraction + held_out_fraction
    ]
    rest = [place for place in order if place not in {*validation, *held_out}]
    for part in (validation, held_out):
        if not part and len(rest) > 1:
            part.append(rest.pop(0))
    if not rest:
        rest.append((held_out if len(held_out) > 1 else validation).pop())
    parts = (sorted(rest), sorted(validation), sorted(held_out))
    return DatasetSplit(*(tuple(frames[place] for place in part) for part in parts))


def held_out_frames(frames: Sequence[Atoms], student: Student) -> tuple[Atoms, ...]:
    """Give the frames that a student's training did not see.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        The labelled set that it was trained on.
    student : Student
        The student.

    Returns
    -------
    tuple of ase.Atoms
        Its held-out part.
    """
    return split_frames(
        frames, validation_fraction=student.validation_fraction, held_out_fraction=student.held_out_fraction
    ).held_out
