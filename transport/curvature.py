"""Is a straight Arrhenius line enough?  A test of the quadratic term."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .results import CurvatureTest

MINIMUM_TEMPERATURES = 4
"""Distinct temperatures below which curvature cannot be told from noise: three leave no point to check a parabola."""

SIGNIFICANCE = 0.05
"""Probability of calling a straight line curved."""


def curvature_test(
    inverse_temperature: NDArray[np.float64], log_value: NDArray[np.float64], log_variance: NDArray[np.float64]
) -> CurvatureTest:
    """Test whether ln(quantity) against 1/T needs a quadratic term.

    A parabola is fitted by weighted least squares and its quadratic coefficient compared with its standard error.
    Absence of evidence is worded as such: with large errors a strong curvature can stay unseen.

    Parameters
    ----------
    inverse_temperature : (n,) array
        1/T in any one unit, such as 1/K or 1/eV.
    log_value : (n,) array
        ln of the quantity.
    log_variance : (n,) array
        Variances of `log_value`.

    Returns
    -------
    CurvatureTest
        "untestable" below four distinct temperatures; never "passed".

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 1.2, 1.4])
    >>> curvature_test(x, -x, np.full(3, 0.01)).verdict
    'untestable'
    """
    n_temperatures = np.unique(inverse_temperature).size
    if n_temperatures < MINIMUM_TEMPERATURES:
        return CurvatureTest(
            verdict="untestable",
            note=f"Curvature is untestable with {n_temperatures} usable temperature(s); "
            f"it takes at least {MINIMUM_TEMPERATURES}.",
        )
    # Centred and scaled to [-1, 1]: the quadratic coefficient stays well conditioned, its significance unchanged.
    middle = 0.5 * float(np.max(inverse_temperature) + np.min(inverse_temperature))
    x = (inverse_temperature - middle) / (0.5 * np.ptp(inverse_temperature))
    root_weight = 1.0 / np.sqrt(log_variance)
    design = np.column_stack([np.ones_like(x), x, x**2]) * root_weight[:, None]
    covariance = np.linalg.inv(design.T @ design)
    coefficients = covariance @ (design.T @ (log_value * root_weight))
    z = float(coefficients[2] / np.sqrt(covariance[2, 2]))
    p_value = float(2.0 * ndtr(-abs(z)))
    if p_value < SIGNIFICANCE:
        bend = "upward (lower barrier at low temperature)" if z > 0 else "downward (higher barrier at low temperature)"
        return CurvatureTest(
            verdict="curved",
            p_value=p_value,
            note=f"The Arrhenius line bends {bend} with p = {p_value:.2g}; do not trust the extrapolation.",
        )
    return CurvatureTest(
        verdict="no_curvature_found",
        p_value=p_value,
        note=f"No curvature found within the errors (p = {p_value:.2g}), which does not exclude one.",
    )
