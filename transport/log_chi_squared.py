"""The logarithm of a χ²-distributed estimate: its bias, its cumulants, and quantiles of weighted sums.

A diffusivity from a mean squared displacement is an average of squares, so it scatters about the truth like χ²_ν/ν.
Its logarithm, which an Arrhenius fit uses, is biased and skewed:
E[ln(χ²_ν/ν)] = ψ(ν/2) − ln(ν/2), and the k-th cumulant is ψ⁽ᵏ⁻¹⁾(ν/2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, ndtri, polygamma


def log_bias(degrees_of_freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of ln(χ²_ν/ν): how much too low the logarithm of an estimate lies on average.

    Parameters
    ----------
    degrees_of_freedom : (n,) array
        Degrees of freedom ν; infinity stands for a Gaussian logarithm.

    Returns
    -------
    (n,) array
        Bias of the logarithm, at most 0, dimensionless.

    Examples
    --------
    >>> import numpy as np
    >>> float(np.round(log_bias(np.array([2.0]))[0], 4))
    -0.5772
    """
    half = np.asarray(degrees_of_freedom, dtype=float) / 2.0
    finite = np.isfinite(half)
    safe = np.where(finite, half, 1.0)
    return np.where(finite, digamma(safe) - np.log(safe), 0.0)


def log_cumulant(order: int, degrees_of_freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cumulant of ln(χ²_ν) of an order of 2 or more; 0 where ν is infinite.

    Parameters
    ----------
    order : int
        2 (variance), 3 or 4.
    degrees_of_freedom : (n,) array
        Degrees of freedom ν.

    Returns
    -------
    (n,) array
        Cumulants, dimensionless.
    """
    half = np.asarray(degrees_of_freedom, dtype=float) / 2.0
    finite = np.isfinite(half)
    return np.where(finite, polygamma(order - 1, np.where(finite, half, 1.0)), 0.0)


def weighted_sum_quantile(
    probability: float,
    weights: NDArray[np.float64],
    variances: NDArray[np.float64],
    degrees_of_freedom: NDArray[np.float64],
) -> float:
    """Return a quantile of Σ wᵢ·eᵢ, where eᵢ are the centred errors of logarithms.

    By the Cornish-Fisher expansion up to the fourth cumulant; exact for Gaussian errors.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    weights : (n,) array
        Weights wᵢ.
    variances : (n,) array
        Variances of eᵢ.
    degrees_of_freedom : (n,) array
        ν of each, infinity for a Gaussian error.

    Returns
    -------
    float
        The quantile, in the unit of the weights.

    References
    ----------
    E. A. Cornish and R. A. Fisher, Revue de l'Institut International de Statistique 5, 307 (1938), 10.2307/1400905.

    Examples
    --------
    >>> import numpy as np
    >>> round(weighted_sum_quantile(0.975, np.ones(1), np.ones(1), np.array([np.inf])), 3)
    1.96
    """
    variance = float(np.sum(weights**2 * variances))
    skewness = float(np.sum(weights**3 * log_cumulant(3, degrees_of_freedom))) / variance**1.5
    kurtosis = float(np.sum(weights**4 * log_cumulant(4, degrees_of_freedom))) / variance**2
    z = float(ndtri(probability))
    expanded = z + (z**2 - 1) * skewness / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * skewness**2 / 36
    return float(np.sqrt(variance) * expanded)
