"""Displacements of the mobile ions over equal, separate stretches of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .displacement_run import DisplacementRun


def block_displacements(
    runs: Sequence[DisplacementRun], drifts: Sequence[NDArray[np.float64]], length: int
) -> list[NDArray[np.float64]]:
    """Cut each run into blocks and return what the mobile ions moved in each, without drift.

    Parameters
    ----------
    runs : sequence of DisplacementRun
        The runs.
    drifts : sequence of ndarray, shape (n_frames, 3)
        Drift of each run in Å.
    length : int
        Frames of a block.

    Returns
    -------
    list of ndarray, shape (n_blocks, n_ions, 3)
        Displacements in Å, one array for each run; what is left of a run after its last whole block is not used.
    """
    blocks = []
    for run, drift in zip(runs, drifts, strict=True):
        sampled = run.positions_angstrom[::length][:, run.mobile_indices].astype(np.float64)
        sampled -= drift[::length, None, :]
        blocks.append(np.diff(sampled, axis=0))
    return blocks


def block_length(n_frames: int, n_blocks: int) -> int:
    """Frames of a block, so that there are about so many, and at least one frame.

    Parameters
    ----------
    n_frames, n_blocks : int
        Frames of the run and blocks wanted.

    Returns
    -------
    int
        Frames.

    Examples
    --------
    >>> block_length(2001, 50), block_length(20, 50)
    (40, 1)
    """
    return max(1, (n_frames - 1) // n_blocks)
