"""How long one step of the potential takes, as a straight line in the number of atoms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

from ....errors import PotentialError
from ....potentials.check import check_potential
from ....potentials.specification import PotentialSpecification
from .documents import TimedCell

LARGEST_TIMED_ATOMS = 150
"""Larger cells are extrapolated: a plan must take seconds."""


@dataclass(frozen=True)
class StepTime:
    """Time of a step against the number of atoms.

    Parameters
    ----------
    offset_s : float
        Time of an empty step in s.
    per_atom_s : float
        Further time for each atom in s.
    """

    offset_s: float
    per_atom_s: float

    def seconds(self, n_atoms: int) -> float:
        """Estimate the time of one step.

        Parameters
        ----------
        n_atoms : int
            Atoms in the cell.

        Returns
        -------
        float
            Time in s.
        """
        return self.offset_s + self.per_atom_s * n_atoms

    def total_seconds(self, work: Iterable[tuple[int, int]]) -> float:
        """Estimate the time of several parts.

        Parameters
        ----------
        work : iterable of tuple of int
            Number of steps, and atoms in the cell, of each.

        Returns
        -------
        float
            Time in s.
        """
        return sum(n_steps * self.seconds(n_atoms) for n_steps, n_atoms in work)


def time_potential(
    potential: PotentialSpecification, structures: Sequence[Structure], sizes: Sequence[int]
) -> tuple[list[TimedCell], list[str]]:
    """Time the potential on cells of the candidates themselves.

    Parameters
    ----------
    potential : PotentialSpecification
        The potential.
    structures : sequence of Structure
        Ordered structures to take; the next is tried where the potential fails on one.
    sizes : sequence of int
        Numbers of atoms of interest.

    Returns
    -------
    timings : list of TimedCell
        Empty where the potential works on none of them.
    notes : list of str
        Why not.
    """
    timings: list[TimedCell] = []
    notes: list[str] = []
    for size in sorted({min(max(1, size), LARGEST_TIMED_ATOMS) for size in sizes}):
        for structure in structures:
            cell = _near_size(structure, size)
            if any(timed.n_atoms == len(cell) for timed in timings):
                break
            try:
                check = check_potential(potential, cell)
            except PotentialError as error:
                notes.append(f"no timing on {cell.composition.reduced_formula}: {error}")
                if not timings and len(notes) >= len(structures):
                    return [], list(dict.fromkeys(notes))
                continue
            timings.append(
                TimedCell(
                    potential=potential.written,
                    formula=check.formula,
                    n_atoms=check.n_atoms,
                    seconds_per_step=check.seconds_per_step,
                )
            )
            break
    return timings, list(dict.fromkeys(notes))


def fit_step_time(timings: Sequence[TimedCell]) -> StepTime:
    """Draw a straight line through timings.

    Parameters
    ----------
    timings : sequence of TimedCell
        At least one.

    Returns
    -------
    StepTime
        Never negative; through the origin for a single size.

    Examples
    --------
    >>> line = fit_step_time([
    ...     TimedCell(formula="", n_atoms=10, seconds_per_step=0.02),
    ...     TimedCell(formula="", n_atoms=30, seconds_per_step=0.04),
    ... ])
    >>> round(line.seconds(100), 6)
    0.11
    """
    atoms = np.array([timing.n_atoms for timing in timings], dtype=float)
    seconds = np.array([timing.seconds_per_step for timing in timings])
    if np.ptp(atoms) == 0.0:
        return StepTime(0.0, float(seconds.mean() / atoms[0]))
    slope, offset = np.polyfit(atoms, seconds, 1)
    if slope <= 0.0 or offset < 0.0:
        # Noise of short timings: a line through the origin cannot promise too little for large cells.
        return StepTime(0.0, float((atoms @ seconds) / (atoms @ atoms)))
    return StepTime(float(offset), float(slope))


def _near_size(structure: Structure, size: int) -> Structure:
    """Repeat a cell along its shortest edges until it has about so many atoms."""
    cell = structure.copy()
    while 2 * len(cell) <= 1.5 * size:
        repeats = [1, 1, 1]
        repeats[int(np.argmin(cell.lattice.abc))] = 2
        cell.make_supercell(repeats)
    return cell
