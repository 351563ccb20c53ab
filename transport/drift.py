"""The drift of the whole cell, which is no transport and is taken off before anything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .displacement_run import DisplacementRun

_FRAMES_PER_BLOCK = 4096


def drift_angstrom(run: DisplacementRun) -> NDArray[np.float64]:
    """Return the mass-weighted mean displacement of the framework since the first frame.

    Parameters
    ----------
    run : DisplacementRun
        The run; where its framework is empty, all atoms define the drift.

    Returns
    -------
    ndarray, shape (n_frames, 3)
        Drift in Å, zero in the first frame.
    """
    positions = run.positions_angstrom
    weights = np.zeros(positions.shape[1])
    chosen = run.framework_indices if run.framework_indices.size else slice(None)
    weights[chosen] = run.masses_amu[chosen]
    weights /= weights.sum()
    centre = np.empty((run.n_frames, 3))
    origin = np.asarray(positions[0], dtype=float)
    for first in range(0, run.n_frames, _FRAMES_PER_BLOCK):
        block = positions[first : first + _FRAMES_PER_BLOCK]
        # Differences first: absolute coordinates in float32 would lose digits in the mean.
        centre[first : first + len(block)] = np.einsum("tax,a->tx", block - origin, weights, optimize=True)
    return centre
