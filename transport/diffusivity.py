"""The slope of a mean-squared displacement by generalised least squares, with its Gaussian variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .covariance import counting_covariance, pooled_covariance
from .msd_model import MsdModel, fit_msd_model
from .regime import SlopeAverage, average_slope

BETWEEN_SHARE = 0.5
"""Share of the variance between onsets of diffusion that adds to the error, where the first lag shows none; by
calibration. A curve that is straight from its first lag has no onset to be wrong about."""

KINDRED_BETWEEN_SHARE = 0.4
"""The same for a collective curve, whose onset is that of the tracer's curve; by calibration."""

_RATTLING_COUNTS_FROM = 0.02
"""Relative variance of D from which it is asked how much of it rattling makes up; below, no bound hangs on that."""


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
        Variance of `value` by the Gaussian theory and by the choice of the start, in Å⁴/ps².
    counting_variance : float
        Variance of `value` by the rarity of hops, in Å⁴/ps².
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
    average : SlopeAverage
        The models of the onset of diffusion and their probabilities.
    diffusive_relative_variance : float
        Variance of `value` by the Gaussian theory relative to its square, were the motion nothing but diffusion; at
        most what `variance` is of `value` squared.
    """

    value: float
    per_axis: tuple[float, float, float]
    variance: float
    counting_variance: float
    offset: float
    weights: NDArray[np.float64]
    start_index: int
    start_found: bool
    covariance: NDArray[np.float64]
    model: MsdModel
    average: SlopeAverage
    diffusive_relative_variance: float


def fit_diffusivity(
    msd: NDArray[np.float64],
    lags: NDArray[np.integer],
    run_lengths: tuple[int, ...],
    step_ps: float,
    n_walkers: int,
    *,
    axis_shares: NDArray[np.float64] | None = None,
    kindred: DiffusivityFit | None = None,
    model: MsdModel | None = None,
    counting: float = 0.0,
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
    kindred : DiffusivityFit, optional
        Fit to a less noisy curve of the same motion: which onsets of diffusion are likely.
    model : MsdModel, optional
        Smooth model for the covariance; fitted to the curve when not given.
    counting : float
        Relative variance of D that the rarity of hops adds.

    Returns
    -------
    DiffusivityFit
        D, its variance and how it was obtained.

    Examples
    --------
    >>> import numpy as np
    >>> lags = np.arange(1, 30)
    >>> msd = 2 * 0.5 * lags[:, None] * np.ones(3)
    >>> round(fit_diffusivity(msd, lags, (1000,), 1.0, 10).value, 3)
    0.5
    """
    total = msd.sum(axis=1)
    if axis_shares is None:
        middle = msd[len(lags) // 2]
        axis_shares = middle / middle.sum() if middle.sum() > 0 else np.full(3, 1.0 / 3.0)
    # Along an axis m is a share of the total, and the covariance is quadratic in it.
    prefactor = float(np.sum(np.asarray(axis_shares) ** 2)) / n_walkers
    steps = np.arange(max(run_lengths) + int(lags[-1]) + 1)
    model = model or fit_msd_model(lags, total, kindred.model if kindred else None)
    gaussian = pooled_covariance(model(steps), lags, run_lengths, model.memory) * prefactor
    by_counting = counting * model.slope**2 * counting_covariance(lags, run_lengths)
    line = average_slope(lags, total, gaussian + by_counting, kindred.average if kindred else None)
    to_diffusivity = 1.0 / (6.0 * step_ps)
    weights = line.weights * to_diffusivity
    counting_variance = float(weights @ by_counting @ weights)
    share = BETWEEN_SHARE * _bound_share(line, int(lags[0])) if kindred is None else KINDRED_BETWEEN_SHARE
    between = share * line.between_variance
    variance = max((line.within_variance + between) * to_diffusivity**2 - counting_variance, 0.0)
    value = line.slope * to_diffusivity
    relative_variance = variance / value**2 if value > 0 else math.inf
    if relative_variance > _RATTLING_COUNTS_FROM:
        unit_covariance = pooled_covariance(steps.astype(float), lags, run_lengths, 1) * prefactor
        pure = float(line.weights @ unit_covariance @ line.weights)
        relative_variance = min(relative_variance, pure)
    return DiffusivityFit(
        value=value,
        per_axis=tuple((3.0 * weights @ msd).tolist()),
        variance=variance,
        counting_variance=counting_variance,
        offset=line.offset,
        weights=weights,
        start_index=line.start_index,
        start_found=line.found,
        covariance=gaussian,
        model=model,
        average=line,
        diffusive_relative_variance=relative_variance,
    )


def _bound_share(line: SlopeAverage, first_lag: int) -> float:
    """Share of rattling and back-hops, as against diffusion, in the MSD at the first lag."""
    bound, diffusive = max(line.offset, 0.0), max(line.slope, 0.0) * first_lag
    return bound / (bound + diffusive) if bound > 0 else 0.0
