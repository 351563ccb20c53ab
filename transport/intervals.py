"""Skewed confidence intervals for a diffusivity whose error has a Gaussian and a hop-counting part."""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from .results import SamplingLaw

_SMALLEST_SKEWNESS = 1e-3


def probability_below(law: SamplingLaw, true_cm2_s: float) -> float:
    """Probability of an estimate no larger than the one seen, were `true_cm2_s` the truth.

    The estimate is modelled by a Pearson type III law with the mean, variance and skewness of a sum of
    squared Gaussians (the part that any walk has) and of counted hops (the part that rare hops add). Both limits
    are right: chi-squared for the one, Poisson without its lattice for the other.

    Parameters
    ----------
    law : SamplingLaw
        Estimate and the two parts of its variance.
    true_cm2_s : float
        Supposed truth in cm²/s.

    Returns
    -------
    float
        Probability.
    """
    gaussian = _gaussian_relative_variance(law, true_cm2_s)
    counting = law.counting_quantum_cm2_s / true_cm2_s
    variance = gaussian + counting
    skewness = (2.0 * gaussian**2 + 3.0 * gaussian * counting + counting**2) / variance**1.5
    score = (law.estimate_cm2_s - true_cm2_s) / (true_cm2_s * math.sqrt(variance))
    if skewness < _SMALLEST_SKEWNESS:
        return float(ndtr(score - law.median_shift))
    shape = 4.0 / skewness**2
    unshifted = float(gammainc(shape, max(0.0, shape + score * math.sqrt(shape))))
    return unshifted if law.median_shift == 0 else float(ndtr(ndtri(unshifted) - law.median_shift))


def _gaussian_relative_variance(law: SamplingLaw, true_cm2_s: float) -> float:
    """Relative variance that Gaussian increments would leave at a supposed truth."""
    beyond = true_cm2_s - law.estimate_cm2_s
    if law.diffusive_relative_variance is None or beyond <= 0:
        return law.gaussian_relative_variance
    at_estimate = math.sqrt(law.gaussian_relative_variance) * law.estimate_cm2_s
    return ((at_estimate + math.sqrt(law.diffusive_relative_variance) * beyond) / true_cm2_s) ** 2


def confidence_bound(law: SamplingLaw, confidence: float) -> float:
    """Upper bound of the truth that holds with the given one-sided confidence.

    Parameters
    ----------
    law : SamplingLaw
        Estimate and the two parts of its variance.
    confidence : float
        One-sided confidence; below one half it is the lower bound of confidence 1 - `confidence`.

    Returns
    -------
    float
        Bound in cm²/s.

    Examples
    --------
    Pure chi-squared noise with 2 / 0.02 = 100 degrees of freedom:

    >>> law = SamplingLaw(estimate_cm2_s=1.0, gaussian_relative_variance=0.02, counting_quantum_cm2_s=0.0)
    >>> round(confidence_bound(law, 0.95), 3)
    1.283
    """
    estimate = law.estimate_cm2_s
    if estimate <= 0:
        return scarce_upper_bound(law, confidence)
    wanted = 1.0 - confidence

    def excess(log_truth: float) -> float:
        return probability_below(law, math.exp(log_truth)) - wanted

    low = high = math.log(estimate)
    while excess(low) < 0:
        low -= 1.0
        if low < math.log(estimate) - 60:
            return 0.0
    while excess(high) > 0:
        high += 1.0
        if high > math.log(estimate) + 60:
            return math.inf
    return math.exp(brentq(excess, low, high, xtol=1e-10)) if low < high else estimate


def interval(law: SamplingLaw, coverage: float) -> tuple[float, float]:
    """Equal-tailed interval that holds the truth with probability `coverage`.

    Parameters
    ----------
    law : SamplingLaw
        Estimate and the two parts of its variance.
    coverage : float
        Two-sided coverage.

    Returns
    -------
    tuple of float
        Lower and upper end in cm²/s.
    """
    tail = (1.0 - coverage) / 2.0
    return confidence_bound(law, tail), confidence_bound(law, 1.0 - tail)


def scarce_upper_bound(law: SamplingLaw, confidence: float) -> float:
    """Upper bound where so few hops were seen that no value is claimed.

    The Poisson bound of the hops seen (three hops where none was seen, at 95 %), widened by the noise of the
    rattling.

    Parameters
    ----------
    law : SamplingLaw
        Estimate, which may be zero or negative, and its noise.
    confidence : float
        One-sided confidence.

    Returns
    -------
    float
        Bound in cm²/s.
    """
    seen = max(law.estimate_cm2_s, 0.0)
    quantum = law.counting_quantum_cm2_s
    poisson = 0.0
    if quantum > 0:
        poisson = quantum * float(gammaincinv(seen / quantum + 1.0, confidence))
    noise = float(ndtri(confidence)) * max(law.background_error_cm2_s, seen * math.sqrt(law.gaussian_relative_variance))
    return seen + math.hypot(max(poisson - seen, 0.0), max(noise, 0.0))


def standard_error_cm2_s(law: SamplingLaw) -> float:
    """Return the standard error of an estimate.

    Parameters
    ----------
    law : SamplingLaw
        Estimate and the two parts of its variance.

    Returns
    -------
    float
        Standard error in cm²/s.
    """
    estimate = max(law.estimate_cm2_s, 0.0)
    variance = law.gaussian_relative_variance * estimate**2 + law.counting_quantum_cm2_s * estimate
    return math.sqrt(max(variance, law.background_error_cm2_s**2))


def upper_bound_where_withheld(law: SamplingLaw, confidence: float) -> float:
    """Upper bound to give where the value is withheld: the greater of the two that could apply.

    Parameters
    ----------
    law : SamplingLaw
        Estimate, which may be zero or negative, and its noise.
    confidence : float
        One-sided confidence.

    Returns
    -------
    float
        Bound in cm²/s.
    """
    scarce = scarce_upper_bound(law, confidence)
    return max(scarce, confidence_bound(law, confidence)) if law.estimate_cm2_s > 0 else scarce
