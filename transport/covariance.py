"""How the points of a mean-squared displacement vary together: the covariance that a fit must know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def msd_covariance(
    model_msd: NDArray[np.float64],
    lags: NDArray[np.integer],
    n_frames: int,
    memory: int | None = None,
) -> NDArray[np.float64]:
    """Covariance of time-averaged MSD points of one Gaussian walk along one axis.

    For a process with stationary Gaussian increments and mean-squared displacement m,

        Cov(i, j) = 2/(nᵢ nⱼ) · Σₐᵦ C(a − b)²,   C(k) = ½ [m(k + i) + m(k − j) − m(k) − m(k + i − j)],

    where a and b run over the time origins of lags i and j, of which there are nᵢ and nⱼ.

    Parameters
    ----------
    model_msd : ndarray, shape (at least n_frames + max(lags),)
        m at 0, 1, 2, … steps, along the axis.
    lags : ndarray of int, shape (n_lags,)
        Lags in steps, all below n_frames.
    n_frames : int
        Frames of the walk.
    memory : int, optional
        Steps after which increments are no longer correlated; unlimited when not given.

    Returns
    -------
    ndarray, shape (n_lags, n_lags)
        Covariance, in the unit of `model_msd` squared. Divide by the number of independent walkers.

    References
    ----------
    Qian, Sheetz & Elson, Biophys. J. 60, 910 (1991), 10.1016/S0006-3495(91)82125-7, for the Brownian case.

    Examples
    --------
    The squared steps of a Brownian walk are independent, so lag 1 has variance 2 m² / n.

    >>> import numpy as np
    >>> float(msd_covariance(np.arange(200.0), np.array([1]), 101)[0, 0])
    0.02
    """
    reach = n_frames - 1
    far = n_frames if memory is None else memory
    longest = int(max(lags))
    span = np.arange(-reach - longest, reach + 1)
    at_span = model_msd[np.abs(span)]
    covariance = np.empty((len(lags), len(lags)))
    ramp = np.arange(2.0 * n_frames)
    for row, first in enumerate(lags):
        n_first = n_frames - first
        half = 0.5 * (model_msd[np.abs(span + first)] - at_span)
        for column in range(row + 1):
            second = lags[column]
            n_second = n_frames - second
            k = max(1 - n_second, -first - far)
            end = min(n_first, second + far + 1)
            start = k + reach + longest
            joint = half[start : start + end - k] - half[start - second : start - second + end - k]
            joint *= joint
            # How many pairs of origins are k apart: rising, all n_first, falling.
            pairs = np.minimum(ramp[k + n_second : end + n_second], ramp[n_first - k : n_first - end : -1])
            np.minimum(pairs, float(n_first), out=pairs)
            value = 2.0 * float(np.dot(joint, pairs)) / (float(n_first) * float(n_second))
            covariance[row, column] = covariance[column, row] = value
    return covariance


def pooled_covariance(
    model_msd: NDArray[np.float64],
    lags: NDArray[np.integer],
    run_lengths: tuple[int, ...],
    memory: int | None = None,
) -> NDArray[np.float64]:
    """Covariance of MSD points averaged over all time origins of several independent runs.

    Parameters
    ----------
    model_msd : ndarray
        See `msd_covariance`.
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    run_lengths : tuple of int
        Frames of each run; runs no longer than a lag do not contribute to it.
    memory : int, optional
        See `msd_covariance`.

    Returns
    -------
    ndarray, shape (n_lags, n_lags)
        Covariance of the pooled points.
    """
    origins = {length: np.maximum(length - lags, 0).astype(float) for length in run_lengths}
    total = np.sum([origins[length] for length in run_lengths], axis=0)
    pooled = np.zeros((len(lags), len(lags)))
    for length in set(run_lengths):
        fits = lags < length
        part = msd_covariance(model_msd, lags[fits], length, memory)
        share = origins[length][fits] / total[fits]
        pooled[np.ix_(fits, fits)] += run_lengths.count(length) * part * np.outer(share, share)
    return pooled


def counting_covariance(lags: NDArray[np.integer], run_lengths: tuple[int, ...]) -> NDArray[np.float64]:
    """Covariance of MSD points that rare hops add to the Gaussian one, for unit relative variance and unit slope.

    A hop at time t enters each MSD point as often as windows of that lag cover t: the same for all lags but for hops
    near the ends of a run. Without ends the matrix would be the product of the lags.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    run_lengths : tuple of int
        Frames of each run.

    Returns
    -------
    ndarray, shape (n_lags, n_lags)
        Covariance in steps squared.
    """
    total = np.zeros((len(lags), len(lags)))
    origins = np.zeros(len(lags))
    n_steps = 0
    for length in set(run_lengths):
        times = run_lengths.count(length)
        step = np.arange(length - 1)
        covered = np.minimum(np.minimum(step + 1, length - 1 - step)[None], lags[:, None])
        covered = np.maximum(np.minimum(covered, (length - lags)[:, None]), 0).astype(float)
        total += times * (covered @ covered.T)
        origins += times * np.maximum(length - lags, 0)
        n_steps += times * (length - 1)
    return n_steps * total / np.outer(origins, origins)
