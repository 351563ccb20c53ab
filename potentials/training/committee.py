"""A committee of students: where their forces disagree, none of them has learned enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..quiet import quietly

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator


def force_deviation(forces_ev_per_angstrom: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how much the members of a committee disagree on the force on each atom.

    Parameters
    ----------
    forces_ev_per_angstrom : ndarray, shape (n_members, n_atoms, 3)
        Forces in eV/Å.

    Returns
    -------
    ndarray, shape (n_atoms,)
        Root mean square over the members of the distance of their force vectors from the mean vector, in eV/Å.

    References
    ----------
    L. Zhang et al., Phys. Rev. Materials 3, 023804 (2019), https://doi.org/10.1103/PhysRevMaterials.3.023804

    Examples
    --------
    >>> force_deviation(np.array([[[1.0, 0, 0]], [[3.0, 0, 0]]])).tolist()
    [1.0]
    """
    forces = np.asarray(forces_ev_per_angstrom, dtype=float)
    around_mean = forces - forces.mean(axis=0)
    return np.sqrt((around_mean**2).sum(axis=2).mean(axis=0))


def largest_deviations(frames: Sequence[Atoms], calculators: Sequence[Calculator]) -> NDArray[np.float64]:
    """Compute the largest disagreement on any atom of each frame.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        The frames; left as they are.
    calculators : sequence of ase.calculators.calculator.Calculator
        The members of the committee.

    Returns
    -------
    ndarray, shape (n_frames,)
        In eV/Å; infinite where a force is not a number.
    """
    largest = []
    for frame in frames:
        atoms = frame.copy()
        forces = []
        for calculator in calculators:
            atoms.calc = calculator
            with quietly():
                forces.append(atoms.get_forces())
        deviation = force_deviation(np.array(forces))
        largest.append(float(np.max(deviation)) if np.isfinite(deviation).all() else float("inf"))
    return np.array(largest)


def deviation_threshold(
    known_deviations: NDArray[np.floating],
    *,
    ratio: float = 2.0,
    minimum_ev_per_angstrom: float = 0.15,
    maximum_ev_per_angstrom: float = 0.6,
    percentile: float = 95.0,
) -> float:
    """Set the disagreement above which a frame is worth a label, by what the committee shows on frames like its own.

    Parameters
    ----------
    known_deviations : ndarray, shape (n_frames,)
        Largest deviations on labelled frames that were held out of the training, in eV/Å.
    ratio : float
        How many times their usual upper end.
    minimum_ev_per_angstrom : float
        Smallest threshold, in eV/Å.
    maximum_ev_per_angstrom : float
        Largest threshold, in eV/Å: a committee that disagrees on everything excuses nothing. A larger minimum wins.
    percentile : float
        What counts as their upper end.

    Returns
    -------
    float
        Threshold in eV/Å.

    Examples
    --------
    >>> deviation_threshold(np.array([0.1, 0.15, 0.2]), percentile=100.0)
    0.4
    """
    known = np.asarray(known_deviations, dtype=float)
    known = known[np.isfinite(known)]
    usual = float(np.percentile(known, percentile)) if known.size else 0.0
    return max(minimum_ev_per_angstrom, min(maximum_ev_per_angstrom, ratio * usual))
