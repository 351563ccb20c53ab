"""The slope of an MSD where the motion is diffusive, averaged over what rattling and back-hops may have been."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import chdtrc, log_ndtr

CUT_PENALTY = 2.0
"""What leaving out one lag costs, in units of χ²; 2 is Akaike's price of a parameter."""

LATEST_START_SHARE = 0.35
"""Latest start of a fit, as a share of its longest lag."""

N_RELAXATION_TIMES = 12
"""Relaxation times tried, from the first lag to a third of the longest; each start tries those slower than itself."""

STRAIGHT_PRIOR = 0.7
"""Prior probability that nothing relaxes after the start."""

RELAXATION_SCALE = 1.0
"""Prior scale of a relaxation's amplitude, relative to the diffusive MSD within its relaxation time."""

KINDRED_SCALE = 1.0
"""By how much a relaxation may be stronger than in the kindred curve."""

_WORST_P_VALUE = 1e-3
_LOG_ROOT_TWO_PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class SlopeAverage:
    """Slope of an MSD averaged over models of where and how its diffusive regime starts.

    Parameters
    ----------
    slope, offset : float
        Averaged slope in Å²/step and intercept in Å² of the straight part.
    within_variance : float
        Averaged variance of the slope given a model, in Å⁴/step².
    between_variance : float
        Variance of the slope between models, in Å⁴/step².
    weights : ndarray, shape (n_lags,)
        A linear map from the MSD to the slope.
    start_index : int
        Index of the lag by which half of the weight has started.
    found : bool
        False where no model fits: the motion never becomes diffusive.
    log_probabilities : ndarray, shape (n_lags, 1 + n_relaxation_times)
        Logarithm of each model's probability: by index of its first lag, without and with a relaxation.
    relative_amplitudes : ndarray, shape (n_lags, n_relaxation_times)
        Root mean square amplitude of each relaxation, relative to the diffusive MSD within its time.
    """

    slope: float
    offset: float
    within_variance: float
    between_variance: float
    weights: NDArray[np.float64]
    start_index: int
    found: bool
    log_probabilities: NDArray[np.float64]
    relative_amplitudes: NDArray[np.float64]


def average_slope(
    lags: NDArray[np.integer],
    msd: NDArray[np.float64],
    covariance: NDArray[np.float64],
    kindred: SlopeAverage | None = None,
) -> SlopeAverage:
    """Average generalised least-squares slopes over models of the onset of diffusion.

    A model leaves out the lags before its start, and describes the rest by a straight line, alone or with one slower
    relaxation: m(τ) = slope · τ + offset − amplitude · exp(−τ / time), amplitude ≥ 0. Choosing one model by a
    test and then trusting it makes intervals too narrow, because the same noise decides on the model and on the
    slope. Each model is instead weighted by its marginal likelihood, a lag left out costing what a parameter costs in
    Akaike's criterion.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    msd : ndarray, shape (n_lags,)
        MSD in Å².
    covariance : ndarray, shape (n_lags, n_lags)
        Covariance of the MSD in Å⁴.
    kindred : SlopeAverage, optional
        Result for a less noisy curve of the same motion; what it knows becomes the prior of this one.

    Returns
    -------
    SlopeAverage
        The slope, its variance within and between models, and the models' probabilities.

    References
    ----------
    Jay & Neil, Phys. Rev. D 103, 114502 (2021), 10.1103/PhysRevD.103.114502, for averaging over data left out.
    """
    latest = int(np.searchsorted(lags, LATEST_START_SHARE * lags[-1]))
    latest = max(0, min(latest, len(lags) - 5))
    lag = lags.astype(float)
    times = np.geomspace(lag[0], max(lag[-1] / 3.0, lag[0]), N_RELAXATION_TIMES)
    design = np.column_stack([lag, np.ones(len(lag)), -np.exp(-lag[:, None] / times), msd])
    # In reverse order, one factorisation serves all starts: dropping early lags only shortens it.
    scale, root = _cholesky(covariance[::-1, ::-1])
    white = solve_triangular(root, design[::-1] / scale[:, None], lower=True, check_finite=False)
    normals = np.cumsum(white[:, :, None] * white[:, None, :], axis=0)[::-1]
    log_weight = np.full((len(lags), 1 + N_RELAXATION_TIMES), -np.inf)
    slope, variance = np.zeros_like(log_weight), np.zeros_like(log_weight)
    rows = np.zeros((len(lags), len(lags)))
    amplitudes = np.full((len(lags), N_RELAXATION_TIMES), RELAXATION_SCALE)
    offset, p_value = np.zeros(len(lags)), np.zeros(len(lags))
    for start in range(latest + 1):
        normal = normals[start]
        n_lags = len(lags) - start
        spread = np.linalg.inv(normal[:2, :2])
        line = spread @ normal[:2, -1]
        chi_squared = float(normal[-1, -1] - normal[:2, -1] @ line)
        back = solve_triangular(
            root[:n_lags, :n_lags], white[:n_lags, :2] @ spread[:, 0], lower=True, trans="T", check_finite=False
        )
        rows[start, start:] = (back / scale[:n_lags])[::-1]
        offset[start] = line[1]
        p_value[start] = chdtrc(n_lags - 2, max(chi_squared, 0.0))
        slope[start, 0], variance[start, 0] = line[0], spread[0, 0]
        log_weight[start, 0] = -0.5 * (chi_squared + CUT_PENALTY * start)
        # One more relaxation each: its amplitude has a half-normal prior, and the slope falls linearly with it.
        slower = times >= 0.99 * lag[start]
        if not np.any(slower):
            continue
        to_times = normal[:2, 2:-1][:, slower]
        cross = spread @ to_times
        information = np.diag(normal)[2:-1][slower] - np.einsum("pj,pj->j", to_times, cross)
        information = np.maximum(information, 1e-300)
        amplitude = (normal[2:-1, -1][slower] - to_times.T @ line) / information
        scale_of_slope = max(line[0], 1e-9 * float(msd[-1]) / lag[-1])
        expected = RELAXATION_SCALE if kindred is None else KINDRED_SCALE * kindred.relative_amplitudes[start][slower]
        prior_width = expected * scale_of_slope * times[slower]
        log_factor, mean, width = _half_normal_posterior(amplitude, 1.0 / information, prior_width)
        column = np.flatnonzero(slower)
        log_weight[start, 1 + column] = log_weight[start, 0] + log_factor
        amplitudes[start, column] = np.sqrt(mean**2 + width) / (scale_of_slope * times[slower])
        slope[start, 1 + column] = line[0] - cross[0] * mean
        variance[start, 1 + column] = spread[0, 0] + cross[0] ** 2 * width
    if kindred is None:
        log_weight[:, 0] += np.log(STRAIGHT_PRIOR)
        log_weight[:, 1:] += np.log((1.0 - STRAIGHT_PRIOR) / N_RELAXATION_TIMES)
    else:
        log_weight += kindred.log_probabilities
    log_weight -= log_weight.max()
    probability = np.exp(log_weight)
    log_weight -= np.log(probability.sum())
    probability /= probability.sum()
    by_start = probability.sum(axis=1)
    mean_slope = float(np.sum(probability * slope))
    middle = int(np.searchsorted(np.cumsum(by_start), 0.5))
    weights = by_start @ rows
    through_line = float(weights @ msd)
    return SlopeAverage(
        slope=mean_slope,
        offset=float(by_start @ offset),
        within_variance=float(np.sum(probability * variance)),
        between_variance=float(np.sum(probability * (slope - mean_slope) ** 2)),
        weights=weights * (mean_slope / through_line) if through_line > 0 < mean_slope else weights,
        start_index=middle,
        found=bool(p_value[middle] > _WORST_P_VALUE),
        log_probabilities=log_weight,
        relative_amplitudes=amplitudes,
    )


def _cholesky(covariance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    jitter = 1e-10
    while True:
        try:
            return scale, np.linalg.cholesky(correlation + jitter * np.eye(len(scale)))
        except np.linalg.LinAlgError:
            jitter *= 100.0


def _half_normal_posterior(
    estimate: NDArray[np.float64], variance: NDArray[np.float64], prior_width: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Evidence against zero (as a logarithm), mean and variance of an amplitude that cannot be negative."""
    posterior = 1.0 / (1.0 / variance + 1.0 / prior_width**2)
    centre = posterior * estimate / variance
    score = centre / np.sqrt(posterior)
    log_tail = log_ndtr(score)
    log_factor = np.log(2.0 * np.sqrt(posterior) / prior_width) + 0.5 * score**2 + log_tail
    hazard = np.exp(-0.5 * score**2 - _LOG_ROOT_TWO_PI - log_tail)
    mean = centre + np.sqrt(posterior) * hazard
    return log_factor, mean, posterior * np.maximum(1.0 - score * hazard - hazard**2, 1e-6)
