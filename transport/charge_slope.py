"""The slope of a collective MSD, whose onset of diffusion the tracer's curve tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .lines import StraightLines
from .regime import SlopeAverage

SHARED_PRIOR = 0.06
"""Prior probability that a collective curve bends as the tracer's does beyond the first lag. Hops taken back by the ion
itself show in the collective curve by themselves; what a crowd does not show needs the prior."""

_NEGLIGIBLE = 1e-4
"""Probability below which a model of the tracer's curve is left out."""


def charge_slope(
    lags: NDArray[np.integer],
    msd: NDArray[np.float64],
    covariance: NDArray[np.float64],
    tracer: SlopeAverage,
    tracer_msd: NDArray[np.float64],
) -> SlopeAverage:
    """Average straight lines through a collective MSD over the models of the tracer's curve.

    One collective walker is too noisy to show alone where its own motion becomes diffusive. Hops that an ion takes
    back bend both curves alike; hops that a neighbour makes good, as in a crowd, bend the tracer's only. So the
    relaxations of the tracer's curve are in the collective one with a probability, which the collective curve updates,
    and the line starts where its own variance and that of this doubt are least together.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    msd : ndarray, shape (n_lags,)
        Collective MSD in Å².
    covariance : ndarray, shape (n_lags, n_lags)
        Its covariance in Å⁴.
    tracer : SlopeAverage
        The models of the tracer's curve at the same lags.
    tracer_msd : ndarray, shape (n_lags,)
        That curve in Å².

    Returns
    -------
    SlopeAverage
        Slope and its variances; whether a diffusive regime was found, probabilities and amplitudes are the tracer's.
    """
    lines = StraightLines(lags, msd, covariance)
    ends = slice(0, lines.latest + 1)
    shared = _probability_of_the_same_bend(lines, tracer_msd)
    # What a relaxation of unit amplitude adds to the slope of a line that does not know of it.
    blind = -lines.rows[ends] @ tracer.shapes.values
    rows = np.zeros_like(lines.rows)
    by_start = np.zeros(len(lags))
    slope, variance, probability = [], [], []
    for start, column in np.argwhere(tracer.probabilities > _NEGLIGIBLE):
        later = slice(start, lines.latest + 1)
        bias = np.zeros(lines.latest + 1 - start)
        if column:
            bias = tracer.amplitudes[start, column - 1] * blind[later, column - 1]
        doubt = shared * (1.0 - shared) * (bias * lines.slope[later]) ** 2
        best = int(np.argmin(lines.variance[later] + doubt))
        chance = tracer.probabilities[start, column]
        correction = 1.0 / (1.0 + shared * bias[best])
        slope.append(lines.slope[start + best] * correction)
        variance.append(lines.variance[start + best] + doubt[best])
        probability.append(chance)
        by_start[start + best] += chance
        rows[start + best] += chance * correction * lines.rows[start + best]
    weight = np.array(probability) / np.sum(probability)
    slopes = np.array(slope)
    mean_slope = float(weight @ slopes)
    middle = int(np.searchsorted(np.cumsum(by_start) / by_start.sum(), 0.5))
    return SlopeAverage(
        slope=mean_slope,
        offset=float(by_start @ lines.coefficients[:, 1] / by_start.sum()),
        within_variance=float(weight @ np.array(variance)),
        between_variance=float(weight @ (slopes - mean_slope) ** 2),
        weights=rows.sum(axis=0) / np.sum(probability),
        start_index=middle,
        found=tracer.found,
        probabilities=tracer.probabilities,
        shapes=tracer.shapes,
        amplitudes=tracer.amplitudes,
    )


def _probability_of_the_same_bend(lines: StraightLines, tracer_msd: NDArray[np.float64]) -> float:
    """Probability that the collective curve bends as the tracer's, as against not at all, from the first lag on."""
    same = np.column_stack([lines.whitened(tracer_msd[:, None])[:, 0], lines.white[:, 1]])
    coefficients, *_ = np.linalg.lstsq(same, lines.white[:, 2])
    residual = lines.white[:, 2] - same @ coefficients
    evidence = 0.5 * (lines.chi_squared[0] - float(residual @ residual))
    return float(expit(evidence + np.log(SHARED_PRIOR / (1.0 - SHARED_PRIOR))))
