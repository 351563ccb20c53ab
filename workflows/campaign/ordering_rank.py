"""The rank of a candidate's orderings by the potential's energy, and which of them go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...database.properties import Interval, PropertyEstimate
from ..selection.certain_range import certain_range

ENERGY = "energy_ev_per_atom"
"""Property that ranks orderings: those of one candidate are of one composition, so their energies compare."""


@dataclass(frozen=True)
class OrderingRank:
    """Where one ordering stands among those of its candidate.

    Parameters
    ----------
    energy_ev_per_atom : float or None
        Its energy by the potential in eV per atom; None where it is not known.
    rank : int or None
        1 for the lowest; equal energies share a rank; None where the energy is not known.
    left_out : str or None
        Why it does not go on, without a final stop; None where it does.
    """

    energy_ev_per_atom: float | None = None
    rank: int | None = None
    left_out: str | None = None


def rank_orderings(energies: Sequence[PropertyEstimate | None], keep_lowest: int | None = None) -> list[OrderingRank]:
    """Rank the orderings of one candidate by their energy, and say which of them go on.

    As by the rules, only what is certainly outside is left out: an ordering is, where at least `keep_lowest` others are
    lower over the whole of their 95 % ranges. One without an energy goes on, and so do equals of the last that does.
    One whose relaxation was cut off does, too: its energy may be lower yet.

    Parameters
    ----------
    energies : sequence of PropertyEstimate or None
        Energy of each ordering in eV per atom; None where it is not known.
    keep_lowest : int or None
        How many go on; None for all.

    Returns
    -------
    list of OrderingRank
        One for each, in the same order.

    Examples
    --------
    >>> found = rank_orderings([PropertyEstimate(value=value) for value in (-3.1, -3.115, -3.112)], keep_lowest=2)
    >>> [ordering.rank for ordering in found], found[0].left_out
    ([3, 1, 2], 'ordering 3 of 3 by energy: 15 meV/atom above the lowest')
    """
    values = [None if energy is None else energy.value for energy in energies]
    known = sorted(value for value in values if value is not None)
    ranges = [_range(energy) for energy in energies]
    bar = None
    if keep_lowest is not None and keep_lowest < len(energies):
        bar = sorted(high for _, high in ranges)[keep_lowest - 1]
    ranked = []
    for value, (low, _) in zip(values, ranges, strict=True):
        if value is None:
            ranked.append(OrderingRank())
            continue
        rank = known.index(value) + 1
        left_out = None
        if bar is not None and low > bar:
            above = 1000.0 * (value - known[0])
            left_out = f"ordering {rank} of {len(known)} by energy: {above:.3g} meV/atom above the lowest"
        ranked.append(OrderingRank(value, rank, left_out))
    return ranked


def _range(energy: PropertyEstimate | None) -> Interval:
    """Give the range of an energy; that of a relaxation cut off before its end, which its note tells, may fall on."""
    low, high = certain_range(energy)
    return (-math.inf, high) if energy is not None and energy.note is not None else (low, high)
