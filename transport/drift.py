"""The drift of the whole cell, which is no transport and is taken off before anything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .displacement_run import DisplacementRun

_FRAMES_PER_BLOCK = 256
"""Few enough that a block in double precision stays in the processor's cache."""


def drift_angstrom(run: DisplacementRun) -> NDArray[np.float64]:
    """Return the mass-weighted mean displacement of the framework since the first frame.

    Parameters
    ----------
    run : DisplacementRun
        The run; where its framework is empty, all atoms define the drift. Where all atoms are mobile ions, their
        centre of mass carries the current, and nothing is taken off.

    Returns
    -------
    ndarray, shape (n_frames, 3)
        Drift in Å, zero in the first frame.
    """
    positions = run.positions_angstrom
    if not run.has_framework:
        return np.zeros((run.n_frames, 3))
    chosen = run.framework_indices if run.framework_indices.size else slice(None)
    weights = run.masses_amu[chosen] / run.masses_amu[chosen].sum()
    centre = np.empty((run.n_frames, 3))
    for first in range(0, run.n_frames, _FRAMES_PER_BLOCK):
        block = positions[first : first + _FRAMES_PER_BLOCK, chosen].astype(np.float64)
        centre[first : first + len(block)] = np.einsum("tax,a->tx", block, weights)
    return centre - centre[0]
