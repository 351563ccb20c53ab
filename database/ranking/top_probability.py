"""How likely each candidate is among the best: what an uncertain ranking is worth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from ...errors import SettingsError
from ..documents.candidate_summary import CandidateSummary
from .ranked import RankedRow, Ranking, definition_of, direction_of, places, split_by_presence
from .sampling import sample_estimate, uniform_numbers


def top_k_probabilities(
    rows: Iterable[CandidateSummary],
    name: str,
    k: int,
    *,
    better: Literal["higher", "lower"] | None = None,
    n_samples: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Find the probability that each row is among the best k by a property.

    All rows are drawn together many times, each from its own interval or beyond its own bound, independently of
    each other; errors that all rows share, such as that of the potential, are not in it.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows in any order; the result does not depend on it.
    name : str
        Name of the property.
    k : int
        How many are the best.
    better : str, optional
        ``higher`` or ``lower``; what is usual for the property if None.
    n_samples : int
        How often all are drawn; a probability p is known to ±√(p(1-p)/n_samples).
    seed : int
        Same seed, same probabilities.

    Returns
    -------
    Ranking
        The likeliest first, the probability as score; rows that tie at rank k are all counted in.

    Raises
    ------
    SettingsError
        If there is no such property, or k or n_samples is not positive.
    """
    if k < 1 or n_samples < 1:
        raise SettingsError(f"The best {k} of {n_samples} samples cannot be found: both are at least 1.")
    definition = definition_of(name)
    direction = direction_of(name, better)
    complete, unranked = split_by_presence(rows, [name])
    if not complete:
        return Ranking(f"probability of the top {k} by {name}", (), unranked)
    samples = np.empty((len(complete), n_samples), dtype=np.float64)
    for position, row in enumerate(complete):
        uniform = uniform_numbers(row.key, name, n_samples, seed)
        samples[position] = direction * sample_estimate(row.properties[name], definition, uniform)
    if k >= len(complete):
        hits = np.full(len(complete), n_samples)
    else:
        threshold = np.partition(samples, len(complete) - k, axis=0)[len(complete) - k]
        hits = np.count_nonzero(samples >= threshold, axis=1)
    probabilities = [float(hit) / n_samples for hit in hits]
    order = sorted(range(len(complete)), key=lambda position: (-probabilities[position], complete[position].key))
    ranks = places([probabilities[position] for position in order])
    return Ranking(
        by=f"probability of the top {k} by {name}",
        ranked=tuple(
            RankedRow(
                row=complete[position],
                rank=rank,
                score=probabilities[position],
                is_bound=complete[position].properties[name].bound is not None,
            )
            for rank, position in zip(ranks, order, strict=True)
        ),
        unranked=unranked,
    )
