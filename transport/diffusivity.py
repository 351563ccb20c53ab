"""The slope of a mean-squared displacement by generalised least squares, with its Gaussian variance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .charge_slope import charge_slope
from .covariance import counting_covariance, pooled_covariance
from .msd_model import MsdModel, fit_msd_model
from .regime import SlopeAverage, average_slope
from .relaxations import N_SINGLE_TIMES

_RATTLING_COUNTS_FROM = 0.02
"""Relative variance of D from which it is asked how much of it rattling makes up; below, no bound hangs on that."""

_LEAST_CHARGE_SHARE = 0.02
"""Charge over tracer diffusivity below which the errors of a collective curve do not fall any further."""

_GREATEST_CHARGE_SHARE = 1e3
"""The same where it is above: hundreds of ions that move as one, and beyond that noise alone."""


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
    model_variance : float
        What of `variance` is due to the choice of the start and of the relaxation.
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
    independent_share : float
        One over the number of independent coordinates behind it.
    model : MsdModel
        Smooth model behind the covariance, in steps.
    average : SlopeAverage
        The models of the onset of diffusion and their probabilities.
    msd : ndarray, shape (n_lags,)
        The curve that was fitted, summed over the axes, in Å².
    diffusive_relative_variance : float
        Variance of `value` by the Gaussian theory relative to its square, were the motion nothing but diffusion; at
        most what `variance` is of `value` squared.
    """

    value: float
    per_axis: tuple[float, float, float]
    variance: float
    model_variance: float
    counting_variance: float
    offset: float
    weights: NDArray[np.float64]
    start_index: int
    start_found: bool
    covariance: NDArray[np.float64]
    independent_share: float
    model: MsdModel
    average: SlopeAverage
    msd: NDArray[np.float64]
    diffusive_relative_variance: float

    @property
    def straight_probability(self) -> float:
        """Probability that the curve is straight from the start of the fit on."""
        return float(self.average.probabilities[:, 0].sum())

    @property
    def tail_rise(self) -> float:
        """Mean share by which relaxations with a long tail raise the slope at lag zero."""
        tails = slice(N_SINGLE_TIMES, None)
        shapes = self.average.amplitudes[:, tails] / self.average.shapes.units[tails]
        return float(np.sum(self.average.probabilities[:, 1:][:, tails] * shapes))

    @property
    def onset_variance_share(self) -> float:
        """Share of `model_variance` in all variance."""
        total = self.variance + self.counting_variance
        return self.model_variance / total if total > 0 else 0.0


def fit_msd(
    msd: NDArray[np.float64],
    lags: NDArray[np.integer],
    run_lengths: tuple[int, ...],
    step_ps: float,
    independent_share: float,
    *,
    tracer: DiffusivityFit | None = None,
    model: MsdModel | None = None,
    counting: float = 0.0,
    hop_ps: float | None = None,
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
    independent_share : float
        One over the number of independent coordinates averaged over: 1/(3 n) for n independent isotropic walkers.
    tracer : DiffusivityFit, optional
        For a collective curve, the fit to the tracer's.
    model : MsdModel, optional
        Smooth model for the covariance; fitted to the curve when not given.
    counting : float
        Relative variance of D that the rarity of hops and the memory of activity add.
    hop_ps : float, optional
        Time in which an ion diffuses by one hop, in ps.

    Returns
    -------
    DiffusivityFit
        D, its variance and how it was obtained.

    Examples
    --------
    >>> import numpy as np
    >>> lags = np.arange(1, 30)
    >>> msd = 2 * 0.5 * lags[:, None] * np.ones(3)
    >>> round(fit_msd(msd, lags, (1000,), 1.0, 1 / 30).value, 2)
    0.5
    """
    total = msd.sum(axis=1)
    steps = np.arange(max(run_lengths) + int(lags[-1]) + 1)
    if tracer is None:
        model = model or fit_msd_model(lags, total)
        unit = pooled_covariance(model(steps), lags, run_lengths, model.memory)
    else:
        ratio = _charge_share(tracer, total)
        model = replace(tracer.model, slope=ratio * tracer.model.slope, amplitudes=ratio * tracer.model.amplitudes)
        unit = tracer.covariance * (ratio**2 / tracer.independent_share)
    gaussian = unit * independent_share
    by_counting = counting * model.slope**2 * counting_covariance(lags, run_lengths)
    covariance = gaussian + by_counting
    if tracer is None:
        line = average_slope(lags, total, covariance, None if hop_ps is None else hop_ps / step_ps)
    else:
        line = charge_slope(lags, total, covariance, tracer.average, tracer.msd)
    to_diffusivity = 1.0 / (6.0 * step_ps)
    weights = line.weights * to_diffusivity
    counting_variance = float(weights @ by_counting @ weights)
    variance = max((line.within_variance + line.between_variance) * to_diffusivity**2 - counting_variance, 0.0)
    value = line.slope * to_diffusivity
    relative_variance = variance / value**2 if value > 0 else math.inf
    if relative_variance > _RATTLING_COUNTS_FROM:
        unit_covariance = pooled_covariance(steps.astype(float), lags, run_lengths, 1) * independent_share
        pure = float(line.weights @ unit_covariance @ line.weights)
        relative_variance = min(relative_variance, pure)
    return DiffusivityFit(
        value=value,
        per_axis=tuple((3.0 * weights @ msd).tolist()),
        variance=variance,
        model_variance=line.between_variance * to_diffusivity**2,
        counting_variance=counting_variance,
        offset=line.offset,
        weights=weights,
        start_index=line.start_index,
        start_found=line.found,
        covariance=gaussian,
        independent_share=independent_share,
        model=model,
        average=line,
        msd=total,
        diffusive_relative_variance=relative_variance,
    )


def _charge_share(tracer: DiffusivityFit, msd: NDArray[np.float64]) -> float:
    """Charge over tracer diffusivity: the tracer's model is scaled by it, as one of its own would bias the slope."""
    grown = float(tracer.weights @ tracer.msd)
    # Without any diffusion to compare, the curves themselves are.
    ratio = float(tracer.weights @ msd) / grown if grown > 0 else float(msd.sum() / tracer.msd.sum())
    return min(max(ratio, _LEAST_CHARGE_SHARE), _GREATEST_CHARGE_SHARE)
