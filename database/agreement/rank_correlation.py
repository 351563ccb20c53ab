"""Spearman's ρ and Kendall's τ from the order of pairs, so that a bound counts for what it decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .results import PairCounts


@dataclass(frozen=True)
class RankCorrelations:
    """Correlations of one or many samples.

    Attributes
    ----------
    spearman_rho, kendall_tau : ndarray, shape (...)
        NaN where one of the two quantities orders no pair.
    """

    spearman_rho: NDArray[np.float64]
    kendall_tau: NDArray[np.float64]


def order_scores(signs: NDArray[np.int8], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Score each row by how many rows are surely below it less how many are surely above it.

    With s the score, (n + 1 + s)/2 is the mean of the least and the greatest rank that the row can have; without
    bounds that is its rank, ties sharing theirs.

    Parameters
    ----------
    signs : ndarray of int8, shape (..., n, n)
        As of `pair_signs`.
    weights : ndarray, shape (..., n), optional
        How often each row is in the sample; once if not given.

    Returns
    -------
    ndarray, shape (..., n)
        Scores; their weighted mean is zero.

    References
    ----------
    E. A. Gehan, Biometrika 52, 203 (1965), https://doi.org/10.1093/biomet/52.1-2.203
    N. Mantel, Biometrics 23, 65 (1967)

    Examples
    --------
    >>> from superion.database.agreement import pair_signs
    >>> order_scores(pair_signs(np.array([3.0, 1.0, -np.inf]), np.array([3.0, 1.0, 2.0])))
    array([ 2., -1., -1.])
    """
    return _times(signs.astype(np.float32), np.ones(signs.shape[-1]) if weights is None else weights)


def rank_correlations(
    first: NDArray[np.int8], second: NDArray[np.int8], weights: NDArray[np.float64] | None = None
) -> RankCorrelations:
    """Correlate the orders that two quantities give the same rows.

    Both are sums over pairs in the general form of Daniels: Kendall's τ_b is the sum of the products of the signs
    over √(decided pairs of the first × decided pairs of the second), a pair that a bound leaves open counting as a
    tie does; Spearman's ρ is Pearson's correlation of the scores of `order_scores`. Without bounds they are the
    usual coefficients, corrected for ties.

    Parameters
    ----------
    first, second : ndarray of int8, shape (..., n, n)
        As of `pair_signs`.
    weights : ndarray, shape (..., n), optional
        How often each row is in the sample, zero included; once if not given.

    Returns
    -------
    RankCorrelations
        Of the shape of the leading axes.

    References
    ----------
    H. E. Daniels, Biometrika 33, 129 (1944)
    T. Isobe, E. D. Feigelson, P. I. Nelson, Astrophys. J. 306, 490 (1986), https://doi.org/10.1086/164359

    Examples
    --------
    >>> from superion.database.agreement import pair_signs
    >>> x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])
    >>> found = rank_correlations(pair_signs(x, x), pair_signs(y, y))
    >>> round(float(found.spearman_rho), 3), round(float(found.kendall_tau), 3)
    (0.8, 0.667)
    """
    if weights is None:
        weights = np.ones(first.shape[-1])
    a, b = first.astype(np.float32), second.astype(np.float32)
    scores_a, scores_b = _times(a, weights), _times(b, weights)
    # The weighted mean of the scores is zero, for every pair enters it once with each sign.
    rho = _ratio(
        (weights * scores_a * scores_b).sum(axis=-1),
        (weights * scores_a**2).sum(axis=-1),
        (weights * scores_b**2).sum(axis=-1),
    )
    tau = _ratio(_pair_sum(a * b, weights), _pair_sum(np.abs(a), weights), _pair_sum(np.abs(b), weights))
    return RankCorrelations(rho, tau)


def count_pairs(computed: NDArray[np.int8], measured: NDArray[np.int8]) -> PairCounts:
    """Count the pairs that are decided, and those that stand in the same order.

    Parameters
    ----------
    computed, measured : ndarray of int8, shape (n, n)
        As of `pair_signs`.

    Returns
    -------
    PairCounts
        The counts.
    """
    upper = np.triu_indices(len(computed), 1)
    a, b = computed[upper], measured[upper]
    return PairCounts(
        n_pairs=len(a),
        n_decided=int(np.count_nonzero(a * b)),
        n_concordant=int(np.count_nonzero(a * b > 0)),
        n_decided_computed=int(np.count_nonzero(a)),
        n_decided_measured=int(np.count_nonzero(b)),
    )


def _times(matrix: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply each matrix with its weights; one matrix for all of them takes the fast way.

    Whole numbers up to the number of rows come out, which single precision holds exactly.
    """
    single = weights.astype(np.float32)
    product = single @ matrix.T if matrix.ndim == 2 else np.matmul(matrix, single[..., None])[..., 0]
    return product.astype(np.float64)


def _pair_sum(matrix: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((_times(matrix, weights) * weights).sum(axis=-1))


def _ratio(
    product: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normalise; all three are sums of whole numbers, so that nothing but a true zero is zero."""
    norm = np.sqrt(first * second)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(np.where(norm > 0.0, product / norm, np.nan), -1.0, 1.0)
