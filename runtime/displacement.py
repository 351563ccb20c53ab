"""From a trajectory and its crystal to what the transport functions take."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from ..dynamics.trajectory import Trajectory
from ..structures.framework import framework_centres
from ..transport.displacement_run import DisplacementRun


def displacement_run(trajectory: Trajectory, structure: Structure, mobile_ion: str) -> DisplacementRun:
    """Give the unwrapped positions of a trajectory with the roles of its atoms.

    Drift is judged by the heavy framework and the centres of polyanions, because the ions around such a centre
    may rotate in a sound crystal.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.
    structure : Structure
        The crystal it started from, in the same atom order.
    mobile_ion : str
        Element symbol of the mobile ion.

    Returns
    -------
    DisplacementRun
        Ready for `analyze_diffusion`.
    """
    symbols = np.array(trajectory.symbols)
    return DisplacementRun(
        positions_angstrom=trajectory.positions(dtype=np.float32),
        mobile_indices=np.flatnonzero(symbols == mobile_ion),
        framework_indices=np.asarray(framework_centres(structure, mobile_ion), dtype=int),
        masses_amu=trajectory.masses_amu,
        frame_interval_ps=trajectory.frame_interval_ps,
        volume_angstrom3=trajectory.mean_volume_angstrom3,
        temperature_k=trajectory.protocol.temperature_k,
        cell_angstrom=trajectory.mean_cell_angstrom,
    )
