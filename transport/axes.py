"""The sampling law of the diffusivity along each axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..constants import CM2_PER_S_FROM_ANGSTROM2_PER_PS
from .diffusivity import DiffusivityFit
from .intervals import interval, upper_bound_where_withheld
from .learned_correction import LearnedCorrection
from .results import Bounds, SamplingLaw
from .scatter import MotionScatter


def axis_laws(
    fit: DiffusivityFit,
    msd: NDArray[np.float64],
    scatter: MotionScatter,
    *,
    quantum: float,
    minimum_hops: float,
    inflation: float,
    correction: LearnedCorrection,
) -> tuple[SamplingLaw, SamplingLaw, SamplingLaw]:
    """Give the sampling law along x, y and z.

    Along one axis there are fewer independent coordinates than in all, and fewer hops where hops go along axes. What
    the choice of the onset of diffusion adds, and what the memory of activity adds, is the same share of each.

    Parameters
    ----------
    fit : DiffusivityFit
        Fit to the total.
    msd : ndarray, shape (n_lags, 3)
        The curve that was fitted, in Å².
    scatter : MotionScatter
        Scatter of the motion.
    quantum : float
        Diffusivity in Å²/ps that one hop adds to the total.
    minimum_hops : float
        Hops along an axis below which the quantum decides.
    inflation : float
        Factor by which the scatter of replicas enlarges the error.
    correction : LearnedCorrection
        Correction of the diffusivity; along an axis with too few hops its errors stay as they are.

    Returns
    -------
    tuple of SamplingLaw
        The laws along x, y and z; where fewer hops than needed were seen along an axis, with a background error.
    """
    unit = CM2_PER_S_FROM_ANGSTROM2_PER_PS
    weights = 3.0 * fit.weights
    # The covariance along an axis goes as the square of that axis's curve, over its own number of coordinates.
    relative = fit.covariance / np.outer(fit.msd, fit.msd) / float(np.sum(scatter.axis_shares**2))
    at_weights = float(fit.weights @ fit.covariance @ fit.weights)
    beyond = max(fit.variance - at_weights, 0.0) / fit.value**2 if fit.value > 0 else 0.0
    uneven = scatter.counting + scatter.memory
    counted = fit.counting_variance / (fit.value**2 * uneven) if fit.value > 0 < uneven else 0.0
    laws = []
    for axis, value in enumerate(fit.per_axis):
        weighted = weights * msd[:, axis]
        variance = float(weighted @ relative @ weighted) + beyond * value**2
        few = value <= 3.0 * quantum * minimum_hops
        share = max(float(scatter.axis_shares[axis]), 1e-9)
        hop = (
            3.0 * quantum
            if few
            else value * counted * (scatter.counting * scatter.hop_alignment / share + scatter.memory)
        )
        law = SamplingLaw(
            estimate_cm2_s=value * unit,
            gaussian_relative_variance=variance / value**2 * inflation**2 if value > 0 else 0.0,
            counting_quantum_cm2_s=hop * unit * inflation**2,
            background_error_cm2_s=float(np.sqrt(variance)) * unit if few else 0.0,
            diffusive_relative_variance=fit.diffusive_relative_variance * 3.0 if few else None,
        )
        laws.append(correction.scaled(law) if few else correction.corrected(law, along_axis=True))
    return laws[0], laws[1], laws[2]


def axis_intervals(
    laws: tuple[SamplingLaw, SamplingLaw, SamplingLaw], coverage: float
) -> tuple[Bounds, Bounds, Bounds]:
    """Give the interval along each axis; from zero where too few hops were seen along it.

    Parameters
    ----------
    laws : tuple of SamplingLaw
        Laws from `axis_laws`.
    coverage : float
        Two-sided coverage.

    Returns
    -------
    tuple of tuple of float
        Ends along x, y and z in cm²/s.
    """
    x, y, z = (_interval(law, coverage) for law in laws)
    return x, y, z


def _interval(law: SamplingLaw, coverage: float) -> Bounds:
    if law.background_error_cm2_s > 0 or law.estimate_cm2_s <= 0:
        return 0.0, upper_bound_where_withheld(law, 0.5 + 0.5 * coverage)
    return interval(law, coverage)
