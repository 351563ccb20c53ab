"""What chance alone gives: the same two sets of numbers, paired at random."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .rank_correlation import RankCorrelations, order_scores

_NUMBERS_AT_ONCE = 4_000_000
"""Pairs held at a time: 2,000 permutations of 250 rows would take half a gigabyte in one piece."""

_ROUNDING = 1e-12


def permutation_null(
    first: NDArray[np.int8], second: NDArray[np.int8], n_permutations: int, generator: np.random.Generator
) -> RankCorrelations:
    """Correlate two orders after pairing their rows at random.

    A row keeps its bound as it is permuted, so that the null has the same bounds and ties as the data. It assumes
    that which rows have bounds has nothing to do with the other quantity.

    Parameters
    ----------
    first, second : ndarray of int8, shape (n, n)
        As of `pair_signs`.
    n_permutations : int
        How often.
    generator : numpy.random.Generator
        Source of chance.

    Returns
    -------
    RankCorrelations
        Arrays of shape (n_permutations,).
    """
    n = len(first)
    orders = generator.permuted(np.tile(np.arange(n), (n_permutations, 1)), axis=1)
    scores_a, scores_b = order_scores(first), order_scores(second)
    rho = _divided(scores_b[orders] @ scores_a, float((scores_a**2).sum()), float((scores_b**2).sum()))
    # Of each pair one half suffices, for both signs turn over together.
    rows, columns = np.triu_indices(n, 1)
    upper = first[rows, columns].astype(np.float64)
    product = np.empty(n_permutations)
    step = max(1, _NUMBERS_AT_ONCE // max(len(rows), 1))
    for start in range(0, n_permutations, step):
        chosen = orders[start : start + step]
        product[start : start + step] = second[chosen[:, rows], chosen[:, columns]] @ upper
    decided_a, decided_b = (0.5 * float(np.abs(signs).sum()) for signs in (first, second))
    return RankCorrelations(rho, _divided(product, decided_a, decided_b))


def two_sided_p_value(observed: float, null: NDArray[np.float64]) -> float:
    """Find how often chance gives a correlation as far from zero.

    Parameters
    ----------
    observed : float
        The correlation.
    null : ndarray, shape (n_permutations,)
        Those of the permutations.

    Returns
    -------
    float
        (1 + permutations with at least this size) / (1 + permutations), which is never zero.

    References
    ----------
    B. Phipson, G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39 (2010), https://doi.org/10.2202/1544-6115.1585

    Examples
    --------
    >>> two_sided_p_value(0.5, np.array([0.1, -0.6, 0.2]))
    0.5
    """
    as_far = np.count_nonzero(np.abs(null) >= abs(observed) - _ROUNDING)
    return float((1 + as_far) / (1 + len(null)))


def _divided(product: NDArray[np.float64], first: float, second: float) -> NDArray[np.float64]:
    norm = math.sqrt(first * second)
    return product / norm if norm > 0.0 else np.full(len(product), np.nan)
