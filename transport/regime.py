"""Where the motion becomes diffusive: after cage rattling and correlated back-hops have died out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

CURVATURE_THRESHOLD = 1.5
"""Standard deviations of curvature above which a lag is not yet diffusive."""

SAFETY_FACTOR = 2.0
"""The fit starts this many times later than the first lag at which no curvature is seen."""

LATEST_START_SHARE = 0.35
"""Latest start of a fit, as a share of its longest lag."""


def gls(
    design: NDArray[np.float64], values: NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Generalised least squares.

    Parameters
    ----------
    design : ndarray, shape (n_points, n_parameters)
        Design matrix.
    values : ndarray, shape (n_points,)
        Observations.
    covariance : ndarray, shape (n_points, n_points)
        Their covariance.

    Returns
    -------
    parameters : ndarray, shape (n_parameters,)
        Best estimates.
    parameter_covariance : ndarray, shape (n_parameters, n_parameters)
        Their covariance.
    weights : ndarray, shape (n_parameters, n_points)
        The linear map from observations to parameters.
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    jitter = 1e-10
    while True:
        try:
            factor = cho_factor(correlation + jitter * np.eye(len(scale)), lower=True)
            break
        except LinAlgError:
            jitter *= 100.0
    scaled = design / scale[:, None]
    solved = cho_solve(factor, scaled)
    parameter_covariance = np.linalg.inv(scaled.T @ solved)
    weights = (parameter_covariance @ solved.T) / scale[None, :]
    return weights @ values, parameter_covariance, weights


def curvature_score(lags: NDArray[np.integer], msd: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """How many standard deviations the MSD bends away from a straight line at its first lags.

    Parameters
    ----------
    lags : ndarray of int
        Lags in steps, the first of them under trial.
    msd : ndarray
        MSD in Å².
    covariance : ndarray
        Covariance of the MSD.

    Returns
    -------
    float
        Score; negative where the MSD rises too fast at first, as rattling and back-hops make it.
    """
    lag = lags.astype(float)
    design = np.column_stack([lag, np.ones(len(lag)), np.exp(-lag / lag[0])])
    parameters, parameter_covariance, _ = gls(design, msd, covariance)
    return float(parameters[2] / np.sqrt(parameter_covariance[2, 2]))


def diffusive_start(
    lags: NDArray[np.integer], msd: NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[int, bool]:
    """First lag (as an index) from which the MSD is a straight line within its noise.

    Each lag is tried in turn with a test against one more relaxation of its own length; the start must pass and so
    must the lags up to twice as long. Where any lag failed, the start is then moved later by a safety factor.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    msd : ndarray, shape (n_lags,)
        MSD in Å².
    covariance : ndarray, shape (n_lags, n_lags)
        Covariance of the MSD.

    Returns
    -------
    index : int
        Index of the first lag of the fit.
    found : bool
        False where no lag passed; the index is then the latest possible.
    """
    latest = int(np.searchsorted(lags, LATEST_START_SHARE * lags[-1]))
    latest = max(0, min(latest, len(lags) - 4))
    passes = np.array(
        [abs(curvature_score(lags[i:], msd[i:], covariance[i:, i:])) < CURVATURE_THRESHOLD for i in range(latest + 1)]
    )
    for index in range(latest + 1):
        following = lags[index : latest + 1] <= 2 * lags[index]
        if np.all(passes[index : latest + 1][following]):
            break
    else:
        return latest, False
    if index > 0:
        index = min(int(np.searchsorted(lags, SAFETY_FACTOR * lags[index])), latest)
    return index, True
