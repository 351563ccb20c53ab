"""The time step that the lightest element allows."""

from __future__ import annotations

from collections.abc import Iterable

from ase.data import atomic_numbers

from ..errors import StructureError

_LONGEST_STEP_FS = ((2, 0.5), (10, 1.0), (118, 2.0))
"""Highest atomic number of a group of elements, and the time step for it in fs."""


def default_time_step_fs(symbols: Iterable[str]) -> float:
    """Choose the time step from the lightest element present.

    Velocity Verlet needs some ten to twenty steps in the period of the fastest vibration [1]_: its
    relative frequency error is (ωΔt)²/24. The fastest vibrations belong to the lightest element:
    O-H stretches (3,700 cm⁻¹, 9 fs) with hydrogen; C-N, P-O and S-O stretches and the modes of lithium
    (2,200 to 500 cm⁻¹, 15 to 65 fs) with an element of the second period; Na, Al, Si and the metals
    below them vibrate below 550 cm⁻¹ (60 fs) on one another. So: 0.5 fs with H or He, 1 fs with
    Li to Ne, 2 fs otherwise.

    Parameters
    ----------
    symbols : iterable of str
        Chemical symbols; D and T count as hydrogen.

    Returns
    -------
    float
        Time step in fs.

    Raises
    ------
    StructureError
        If there is no atom, or a symbol is not an element.

    References
    ----------
    .. [1] D. Frenkel & B. Smit, Understanding Molecular Simulation, 2nd ed., chapter 4,
       DOI 10.1016/B978-0-12-267351-1.X5000-7.

    Examples
    --------
    >>> default_time_step_fs(["Li", "P", "S"])
    1.0
    >>> default_time_step_fs(["Na", "Cl"])
    2.0
    """
    numbers = set()
    for symbol in set(symbols):
        known = "H" if symbol in ("D", "T") else symbol
        if known not in atomic_numbers or atomic_numbers[known] == 0:
            raise StructureError(
                f"'{symbol}' is not a chemical element, so no time step fits it: correct the structure."
            )
        numbers.add(atomic_numbers[known])
    if not numbers:
        raise StructureError("A structure without atoms has no time step: give a structure with at least one atom.")
    return next(step for heaviest, step in _LONGEST_STEP_FS if min(numbers) <= heaviest)
