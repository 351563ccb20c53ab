"""The Pareto front: candidates that no other one beats in everything that counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingsError
from ..documents.candidate_summary import CandidateSummary
from ..properties import PropertyEstimate
from .ranked import UnrankedRow, direction_of, split_by_presence


@dataclass(frozen=True)
class ParetoRow:
    """A row and whether it is on the front.

    Attributes
    ----------
    row : CandidateSummary
        The row.
    is_on_front : bool
        Whether no other row is surely at least as good in everything and better in something.
    dominated_by : str or None
        Key of one row that is.
    is_bound : bool
        Whether one of its properties is known as a bound only, and taken at its best.
    """

    row: CandidateSummary
    is_on_front: bool
    dominated_by: str | None
    is_bound: bool


@dataclass(frozen=True)
class ParetoRanking:
    """Rows on the Pareto front and behind it.

    Attributes
    ----------
    properties : tuple of str
        What counts.
    rows : tuple of ParetoRow
        In the order of their keys.
    unranked : tuple of UnrankedRow
        Rows that lack one of the properties.
    """

    properties: tuple[str, ...]
    rows: tuple[ParetoRow, ...]
    unranked: tuple[UnrankedRow, ...]

    @property
    def front(self) -> tuple[CandidateSummary, ...]:
        """The rows on the front, in the order of their keys."""
        return tuple(entry.row for entry in self.rows if entry.is_on_front)


def pareto_front(rows: Iterable[CandidateSummary], names: Sequence[str]) -> ParetoRanking:
    """Find the rows that no other row beats.

    Values are compared as they are, without their errors.  A row with a bound only is taken at its best where it is
    to be beaten, and at its worst where it would beat another: nothing is dominated on a guess.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows in any order; the result does not depend on it.
    names : sequence of str
        Properties that count, each in its usual direction.

    Returns
    -------
    ParetoRanking
        All rows, with what dominates them.

    Raises
    ------
    SettingsError
        If no property is named, one twice, or one does not exist or has no better end.
    """
    if not names:
        raise SettingsError("A Pareto front needs properties: name at least one, better two.")
    if len(set(names)) < len(names):
        raise SettingsError("A property of the Pareto front is named twice: keep one of them.")
    directions = {name: direction_of(name) for name in names}
    complete, unranked = split_by_presence(rows, names)
    if not complete:
        return ParetoRanking(tuple(names), (), unranked)
    ends = np.array(
        [
            [_worst_and_best(row.properties[name], direction) for name, direction in directions.items()]
            for row in complete
        ],
        dtype=np.float64,
    )
    dominators = _dominators(ends[:, :, 0], ends[:, :, 1])
    return ParetoRanking(
        tuple(names),
        tuple(
            ParetoRow(
                row=row,
                is_on_front=dominator is None,
                dominated_by=None if dominator is None else complete[dominator].key,
                is_bound=any(row.properties[name].bound is not None for name in names),
            )
            for row, dominator in zip(complete, dominators, strict=True)
        ),
        unranked,
    )


def _worst_and_best(estimate: PropertyEstimate, direction: int) -> tuple[float, float]:
    """Find between which ends a property lies, greater being better."""
    if estimate.bound == "upper" and estimate.limit is not None:
        low, high = -math.inf, estimate.limit
    elif estimate.bound == "lower" and estimate.limit is not None:
        low, high = estimate.limit, math.inf
    else:
        assert estimate.value is not None  # an estimate has a value or a bound
        low = high = estimate.value
    return (low, high) if direction > 0 else (-high, -low)


def _dominators(worst: NDArray[np.float64], best: NDArray[np.float64]) -> list[int | None]:
    """For each row, find the first one whose worst is at least its best everywhere, and better somewhere."""
    strongest = _maximal(worst)
    candidates = worst[strongest]
    found: list[int | None] = []
    for ends in best:
        beaten = np.all(candidates >= ends, axis=1) & np.any(candidates > ends, axis=1)
        found.append(int(strongest[np.argmax(beaten)]) if beaten.any() else None)
    return found


def _maximal(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the points that no other one beats: whatever is beaten at all is beaten by one of them."""
    kept: list[int] = []
    # In this order no later point beats an earlier one.
    for position in np.lexsort(points.T[::-1])[::-1]:
        point, chosen = points[position], points[kept]
        if not np.any(np.all(chosen >= point, axis=1) & np.any(chosen > point, axis=1)):
            kept.append(int(position))
    return np.array(sorted(kept), dtype=np.intp)
