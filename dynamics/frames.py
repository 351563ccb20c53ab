"""Frames of a trajectory as ASE atoms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ase import Atoms

from .trajectory import Trajectory


def trajectory_frames(trajectory: Trajectory, places: Sequence[int]) -> list[Atoms]:
    """Read some frames of a trajectory, and no others.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.
    places : sequence of int
        Indices of the frames, in ascending order; those outside the trajectory are left out.

    Returns
    -------
    list of ase.Atoms
        Wrapped into their cells.
    """
    places = [place for place in places if 0 <= place < trajectory.n_frames]
    frames = []
    for block in _evenly_spaced(places):
        for positions, cell in zip(trajectory.positions(block), trajectory.cells(block), strict=True):
            atoms = Atoms(trajectory.symbols, positions=positions, cell=cell, pbc=True)
            atoms.wrap()
            frames.append(atoms)
    return frames


def frames_from_segment_ends(trajectory: Trajectory, stride: int = 1) -> list[int]:
    """Choose every n-th frame of each segment, its last one among them.

    The choice does not change when segments are added.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.
    stride : int
        Distance between two frames, counted from the end of a segment.

    Returns
    -------
    list of int
        Indices of frames, in order.
    """
    places: list[int] = []
    n_frames = 0
    for segment in trajectory.segments:
        first, n_frames = n_frames, n_frames + segment.n_frames
        places += sorted(range(n_frames - 1, first - 1, -max(1, stride)))
    return places


def _evenly_spaced(places: Sequence[int]) -> list[slice]:
    """Split ascending indices into slices, one where they are evenly spaced and one for each where they are not."""
    steps = {later - earlier for earlier, later in pairwise(places)}
    if not places or 0 in steps or len(steps) > 1:
        return [slice(place, place + 1) for place in places]
    return [slice(places[0], places[-1] + 1, next(iter(steps), 1))]
