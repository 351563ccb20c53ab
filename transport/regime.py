"""The slope of an MSD where the motion is diffusive, averaged over what rattling and back-hops may have been."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, log_ndtr

from .lines import StraightLines
from .relaxations import STRAIGHT_PRIOR, RelaxationShapes, relaxation_shapes

CUT_PENALTY = 3.0
"""What leaving out one lag costs, in units of χ²; 2 is Akaike's price of a parameter. Chosen with the priors of
`relaxations`: a lower price makes the intervals of plain walks too wide."""

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
    probabilities : ndarray, shape (n_lags, 1 + n_shapes)
        Probability of each model: by index of its first lag, without and with each of the relaxations.
    shapes : RelaxationShapes
        The relaxations.
    amplitudes : ndarray, shape (n_lags, n_shapes)
        Mean amplitude of each relaxation in each model, relative to the slope, in steps.
    """

    slope: float
    offset: float
    within_variance: float
    between_variance: float
    weights: NDArray[np.float64]
    start_index: int
    found: bool
    probabilities: NDArray[np.float64]
    shapes: RelaxationShapes
    amplitudes: NDArray[np.float64]


def average_slope(
    lags: NDArray[np.integer],
    msd: NDArray[np.float64],
    covariance: NDArray[np.float64],
    hop_steps: float | None = None,
) -> SlopeAverage:
    """Average generalised least-squares slopes over models of the onset of diffusion.

    A model leaves out the lags before its start, and describes the rest by a straight line, alone or with one
    relaxation: m(τ) = slope · τ + offset − amplitude · shape(τ). Choosing one model by a test and then trusting it
    makes intervals too narrow, because the same noise decides on the model and on the slope. Each model is instead
    weighted by its marginal likelihood, a lag left out costing what a parameter costs in Akaike's criterion.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    msd : ndarray, shape (n_lags,)
        MSD in Å².
    covariance : ndarray, shape (n_lags, n_lags)
        Covariance of the MSD in Å⁴.
    hop_steps : float, optional
        Time in which an ion diffuses by one hop, in steps.

    Returns
    -------
    SlopeAverage
        The slope, its variance within and between models, and the models' probabilities.

    References
    ----------
    Jay & Neil, Phys. Rev. D 103, 114502 (2021), 10.1103/PhysRevD.103.114502, for averaging over data left out.
    """
    lines = StraightLines(lags, msd, covariance)
    shapes = relaxation_shapes(lags, hop_steps)
    n_shapes = len(shapes.units)
    white_shapes = lines.whitened(-shapes.values)
    log_weight = np.full((len(lags), 1 + n_shapes), -np.inf)
    slope, variance = np.zeros_like(log_weight), np.zeros_like(log_weight)
    chi_squared = np.zeros_like(log_weight)
    amplitudes = np.zeros((len(lags), n_shapes))
    for start in range(lines.latest + 1):
        slope[start, 0], variance[start, 0] = lines.slope[start], lines.variance[start]
        log_weight[start, 0] = -0.5 * (lines.chi_squared[start] + CUT_PENALTY * start)
        chi_squared[start] = lines.chi_squared[start]
        column = np.flatnonzero(shapes.starts >= 0.99 * lags[start])
        if not column.size:
            continue
        # With a relaxation, the slope falls linearly with its amplitude, which has a half-normal prior to either side.
        part = lines.white[start:]
        to_shapes = part[:, :2].T @ white_shapes[start:, column]
        cross = lines.spread[start] @ to_shapes
        information = np.einsum("lj,lj->j", white_shapes[start:, column], white_shapes[start:, column])
        information = np.maximum(information - np.einsum("pj,pj->j", to_shapes, cross), 1e-300)
        residual = white_shapes[start:, column].T @ part[:, 2] - to_shapes.T @ lines.coefficients[start]
        scale_of_slope = max(lines.slope[start], 1e-9 * float(msd[-1]) / lags[-1])
        prior_width = shapes.scales[column] * scale_of_slope * shapes.units[column]
        log_factor, mean, width = _amplitude_posterior(
            residual / information, 1.0 / information, prior_width, shapes.persistence[column]
        )
        log_weight[start, 1 + column] = log_weight[start, 0] + log_factor + shapes.log_priors[column]
        chi_squared[start, 1 + column] -= residual**2 / information
        slope[start, 1 + column] = lines.slope[start] - cross[0] * mean
        amplitudes[start, column] = mean / np.maximum(slope[start, 1 + column], 0.1 * scale_of_slope)
        variance[start, 1 + column] = lines.variance[start] + cross[0] ** 2 * width
    log_weight[:, 0] += np.log(STRAIGHT_PRIOR)
    probability = np.exp(log_weight - log_weight.max())
    probability /= probability.sum()
    by_start = probability.sum(axis=1)
    mean_slope = float(np.sum(probability * slope))
    middle = int(np.searchsorted(np.cumsum(by_start), 0.5))
    weights = by_start @ lines.rows
    through_line = float(weights @ msd)
    likeliest = np.unravel_index(int(np.argmax(probability)), probability.shape)
    p_value = chdtrc(len(lags) - likeliest[0] - 2 - (likeliest[1] > 0), max(chi_squared[likeliest], 0.0))
    return SlopeAverage(
        slope=mean_slope,
        offset=float(by_start @ lines.coefficients[:, 1]),
        within_variance=float(np.sum(probability * variance)),
        between_variance=float(np.sum(probability * (slope - mean_slope) ** 2)),
        weights=weights * (mean_slope / through_line) if through_line > 0 < mean_slope else weights,
        start_index=middle,
        found=bool(p_value > _WORST_P_VALUE),
        probabilities=probability,
        shapes=shapes,
        amplitudes=amplitudes,
    )


def _amplitude_posterior(
    estimate: NDArray[np.float64],
    variance: NDArray[np.float64],
    prior_width: NDArray[np.float64],
    negative: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Evidence against zero (as a logarithm), mean and variance of an amplitude that is negative with a probability."""
    log_up, up, up_variance = _half_normal_posterior(estimate, variance, prior_width)
    log_down, down, down_variance = _half_normal_posterior(-estimate, variance, prior_width)
    with np.errstate(divide="ignore"):
        log_up, log_down = log_up + np.log1p(-negative), log_down + np.log(negative)
    log_factor = np.logaddexp(log_up, log_down)
    share = np.exp(log_up - log_factor)
    mean = share * up - (1.0 - share) * down
    square = share * (up_variance + up**2) + (1.0 - share) * (down_variance + down**2)
    return log_factor, mean, np.maximum(square - mean**2, 0.0)


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
