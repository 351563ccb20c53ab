"""Ranking by several properties at once, with weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingsError
from ..candidate_rows import order_value
from ..documents.candidate_summary import CandidateSummary
from .ranked import (
    RankedRow,
    Ranking,
    UnrankedRow,
    definition_of,
    direction_of,
    may_be_any_worse,
    places,
    split_by_presence,
)
from .sampling import sample_estimate, uniform_numbers


def rank_by_weighted_score(
    rows: Iterable[CandidateSummary], weights: Mapping[str, float], *, n_samples: int = 500, seed: int = 0
) -> Ranking:
    """Sort rows by a weighted sum over properties.

    Each property counts from 0 for the worst of the ranked rows to 1 for the best of them, evenly on its own scale
    (logarithmic for conductivities); weights are divided by their sum, so scores lie between 0 and 1. A row that may be
    any worse than its bound counts at it, but no better than the worst row that has a value.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows in any order; the result does not depend on it.
    weights : mapping of str to float
        Names of properties and their weights, above zero.
    n_samples : int
        Draws for the intervals of the scores; 0 for none.
    seed : int
        Same seed, same intervals.

    Returns
    -------
    Ranking
        The greatest score first; rows that lack one of the properties apart.

    Raises
    ------
    SettingsError
        If there is no weight, one is not above zero, or a property does not exist or has no better end.
    """
    if not weights:
        raise SettingsError("A weighted score needs weights: name at least one property.")
    for name, weight in weights.items():
        direction_of(name)
        if not (math.isfinite(weight) and weight > 0.0):
            raise SettingsError(f"The weight of '{name}' is {weight:g}: give one above zero, or leave it out.")
    # The order in which the user names the weights changes nothing, to the last digit.
    names = sorted(weights)
    complete, unranked = split_by_presence(rows, names)
    without_value = {row.key: _without_value(row, names) for row in complete}
    usable = [row for row in complete if not without_value[row.key].missing]
    unranked = (*unranked, *(entry for entry in without_value.values() if entry.missing))
    unranked = tuple(sorted(unranked, key=lambda entry: entry.row.key))
    by = "weighted score"
    if not usable:
        return Ranking(by, (), unranked)
    total = math.fsum(weights.values())
    scores = np.zeros(len(usable))
    samples = np.zeros((len(usable), n_samples))
    for name in names:
        central = _central_of_all(usable, name)
        share = weights[name] / total
        scores += share * _between_0_and_1(central, central, direction_of(name))
        for position, row in enumerate(usable):
            if n_samples:
                uniform = uniform_numbers(row.key, name, n_samples, seed)
                drawn = sample_estimate(row.properties[name], definition_of(name), uniform)
                samples[position] += share * _between_0_and_1(drawn, central, direction_of(name))
    order = sorted(range(len(usable)), key=lambda position: (-scores[position], usable[position].key))
    ranks = places([float(scores[position]) for position in order])
    return Ranking(
        by,
        tuple(
            RankedRow(
                row=usable[position],
                rank=rank,
                score=float(scores[position]),
                interval_68=_quantiles(samples[position], 0.16, 0.84),
                interval_95=_quantiles(samples[position], 0.025, 0.975),
                is_bound=any(usable[position].properties[name].bound is not None for name in names),
            )
            for rank, position in zip(ranks, order, strict=True)
        ),
        unranked,
    )


def _central(row: CandidateSummary, name: str) -> float | None:
    """Find the value or the bound on the scale of the property; None where it has no place there."""
    value = order_value(row.properties[name])
    if value is None:
        return None
    if definition_of(name).logarithmic:
        return math.log(value) if value > 0.0 else None
    return value


def _central_of_all(rows: Sequence[CandidateSummary], name: str) -> NDArray[np.float64]:
    """Find where rows stand on the scale of the property; those that may be any worse, no better than the others."""
    direction = direction_of(name)
    goodness = direction * np.array([_central(row, name) for row in rows], dtype=np.float64)
    is_open = np.array([may_be_any_worse(row.properties[name], direction) for row in rows])
    if not is_open.all():
        goodness[is_open] = np.minimum(goodness[is_open], goodness[~is_open].min())
    return direction * goodness


def _without_value(row: CandidateSummary, names: list[str]) -> UnrankedRow:
    return UnrankedRow(row, tuple(name for name in names if _central(row, name) is None))


def _between_0_and_1(values: NDArray[np.float64], among: NDArray[np.float64], direction: int) -> NDArray[np.float64]:
    """Place values between the worst and the best of a set; all alike count as the best."""
    ends = float(np.min(among)), float(np.max(among))
    worst, best = ends if direction > 0 else ends[::-1]
    if best == worst:
        return np.ones_like(values)
    return np.clip((values - worst) / (best - worst), 0.0, 1.0)


def _quantiles(samples: NDArray[np.float64], low: float, high: float) -> tuple[float, float] | None:
    if not samples.size:
        return None
    ends = np.quantile(samples, [low, high])
    return float(ends[0]), float(ends[1])
