"""The slope of a mean-squared displacement by generalised least squares, with its Gaussian variance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .covariance import pooled_covariance
from .msd_model import MsdModel, fit_msd_model
from .regime import diffusive_start, gls

_ITERATIONS = 2


@dataclass(frozen=True)
class DiffusivityFit:
    """Straight-line fit to the diffusive part of an MSD curve.

    Parameters
    ----------
    value : float
        Diffusivity in Å²/ps: slope / 6; may be negative by noise.
    per_axis : tuple of float
        Diffusivity along x, y and z in Å²/ps: slope / 2.
    variance : float
        Variance of `value` by the Gaussian theory, in Å⁴/ps².
    offset : float
        Intercept of the line in Å²: what rattling and back-hops add to the MSD.
    weights : ndarray, shape (n_lags,)
        The linear map from the MSD in Å² to `value`; zero before the start.
    start_index : int
        Index of the first lag used.
    start_found : bool
        Whether a diffusive regime was found.
    covariance : ndarray, shape (n_lags, n_lags)
        Covariance of the MSD points in Å⁴.
    model : MsdModel
        Smooth model behind the covariance, in steps.
    """

    value: float
    per_axis: tuple[float, float, float]
    variance: float
    offset: float
    weights: NDArray[np.float64]
    start_index: int
    start_found: bool
    covariance: NDArray[np.float64]
    model: MsdModel


def fit_diffusivity(
    msd: NDArray[np.float64],
    lags: NDArray[np.integer],
    run_lengths: tuple[int, ...],
    step_ps: float,
    n_walkers: int,
    *,
    axis_shares: NDArray[np.float64] | None = None,
    earliest_index: int = 0,
) -> DiffusivityFit:
    """Fit D to an MSD curve where the motion is diffusive.

    Parameters
    ----------
    msd : ndarray, shape (n_lags, 3)
        MSD per axis in Å², over all time origins of all runs.
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    run_lengths : tuple of int
        Length of each run in steps, counting both ends.
    step_ps : float
        Duration of one step in ps.
    n_walkers : int
        Independent walkers averaged over: the ions for tracer, 1 for collective motion.
    axis_shares : ndarray, shape (3,), optional
        Share of each axis in the motion; taken from the curve when not given.
    earliest_index : int
        Index of a lag before which the fit must not start.

    Returns
    -------
    DiffusivityFit
        D, its Gaussian variance and how it was obtained.

    Examples
    --------
    >>> import numpy as np
    >>> lags = np.arange(1, 30)
    >>> msd = 2 * 0.5 * lags[:, None] * np.ones(3)
    >>> round(fit_diffusivity(msd, lags, (1000,), 1.0, 10).value, 6)
    0.5
    """
    total = msd.sum(axis=1)
    if axis_shares is None:
        middle = msd[len(lags) // 2]
        axis_shares = middle / middle.sum() if middle.sum() > 0 else np.full(3, 1.0 / 3.0)
    # Along an axis m is a share of the total, and the covariance is quadratic in it.
    prefactor = float(np.sum(np.asarray(axis_shares) ** 2)) / n_walkers
    steps = np.arange(max(run_lengths) + int(lags[-1]) + 1)
    model = fit_msd_model(lags, total)
    for _ in range(_ITERATIONS):
        covariance = pooled_covariance(model(steps), lags, run_lengths) * prefactor
        start, found = diffusive_start(
            lags[earliest_index:], total[earliest_index:], covariance[earliest_index:, earliest_index:]
        )
        start += earliest_index
        lag = lags[start:].astype(float)
        design = np.column_stack([lag, np.ones(len(lag))])
        parameters, parameter_covariance, rows = gls(design, total[start:], covariance[start:, start:])
        if parameters[0] <= 0:
            break
        model = replace(model, slope=float(parameters[0]))
    per_step = 1.0 / step_ps
    weights = np.zeros(len(lags))
    weights[start:] = rows[0] * per_step / 6.0
    per_axis = tuple(float(3.0 * weights @ msd[:, axis]) for axis in range(3))
    return DiffusivityFit(
        value=float(parameters[0]) * per_step / 6.0,
        per_axis=(per_axis[0], per_axis[1], per_axis[2]),
        variance=float(parameter_covariance[0, 0]) * (per_step / 6.0) ** 2,
        offset=float(parameters[1]),
        weights=weights,
        start_index=start,
        start_found=found,
        covariance=covariance,
        model=model,
    )
