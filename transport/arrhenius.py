"""Weighted Arrhenius fits, extrapolated with the full covariance of slope and intercept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from ..constants import BOLTZMANN_EV_PER_K, ROOM_TEMPERATURE_K
from ..errors import AnalysisError
from .curvature import curvature_test
from .log_chi_squared import log_bias, log_cumulant, weighted_sum_quantile
from .results import ArrheniusPoint, ArrheniusResult, Bounds

ArrheniusQuantity = Literal["diffusivity_cm2_s", "nernst_einstein_ms_cm", "collective_ms_cm"]

_REWEIGHTINGS = 4
"""Fits with errors taken at the line before; the weights hardly move after the second."""

SCATTER_SIGNIFICANCE = 0.01
"""Probability of flagging points that scatter about the line just as their errors allow."""

ONE_SIGMA_PROBABILITY = float(ndtr(1.0) - ndtr(-1.0))
"""0.6827: the "68 %" interval is one standard deviation to each side for Gaussian errors."""


@dataclass(frozen=True)
class ArrheniusInput:
    """What is known at one temperature.

    Parameters
    ----------
    temperature_k : float
        Temperature in K.
    value : float or None
        Diffusivity in cm²/s or conductivity in mS/cm; None where only an upper bound is known.
    standard_error : float or None
        Its standard error, same unit.
    degrees_of_freedom : float or None
        ν, when the value scatters about the truth like χ²_ν/ν, as an estimate from squared displacements does
        (ν = 2/relative error²).  None treats ln(value) as Gaussian.
    exclusion_reason : str or None
        Why the point must not enter the fit; None lets it in.
    upper_bound_95 : float or None
        One-sided 95 % upper bound, same unit; for excluded points the line is compared with it.
    counting_share : float
        Share of the error's variance that comes from counting rare events, 0 to 1.  This part of the relative
        variance goes as 1/value and is therefore taken at the fitted line: a point that came out low by chance
        would otherwise claim a larger error, weigh too little, and the line would run too high.

    Examples
    --------
    >>> ArrheniusInput(600.0, 1.24e-6, 3.4e-7).exclusion_reason is None
    True
    """

    temperature_k: float
    value: float | None
    standard_error: float | None
    degrees_of_freedom: float | None = None
    exclusion_reason: str | None = None
    upper_bound_95: float | None = None
    counting_share: float = 0.0


@dataclass(frozen=True)
class _Line:
    """A fitted line ln y = log_prefactor − E_a/(k_B T), in the fit's own variable."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    chi_squared: float
    point_weights: NDArray[np.float64]
    """(2, n) matrix that takes the logarithms of the points to (log_prefactor, E_a)."""

    def at(self, temperature_k: float) -> float:
        return float(_design(np.array([temperature_k]))[0] @ self.coefficients)


def fit_arrhenius(
    points: Sequence[ArrheniusInput],
    *,
    quantity: ArrheniusQuantity,
    extrapolation_temperature_k: float = ROOM_TEMPERATURE_K,
) -> ArrheniusResult:
    """Fit ln D, or ln(σT), against 1/T and extrapolate it with honest intervals.

    Each point weighs by the inverse variance of its logarithm: (standard error/value)², or the moments of ln χ²_ν
    where the point carries its degrees of freedom; then the bias of the logarithm is removed and the skewness of the
    errors shapes the interval.  Errors are taken as they are given, never rescaled by the scatter about the line;
    a scatter they cannot explain is flagged.

    A line without a positive activation energy is not extrapolated: thermally activated motion is never faster in the
    cold, so the runs are too short or too few, or their errors too large.

    Two temperatures give an exact line with propagated errors and a flag, one gives no line.  Excluded points stay
    in the result with their reasons, and their upper bounds, if any, are compared with the line.

    Parameters
    ----------
    points : sequence of ArrheniusInput
        The temperatures, in any order.
    quantity : {"diffusivity_cm2_s", "nernst_einstein_ms_cm", "collective_ms_cm"}
        What the values are.  Conductivities are fitted as ln(σT), which is the same line as ln D.
    extrapolation_temperature_k : float
        Temperature to extrapolate to, in K.

    Returns
    -------
    ArrheniusResult
        Activation energy in eV, extrapolated value and intervals in the unit of the quantity.  The 68 % interval
        holds 68.27 %: one standard deviation to each side when the errors are Gaussian.

    Raises
    ------
    AnalysisError
        No points at all, or a temperature, value or error that is not a positive number.

    Examples
    --------
    >>> points = [ArrheniusInput(t, d, 0.1 * d) for t, d in ((600, 1.2e-6), (900, 4.9e-6), (1200, 1.2e-5))]
    >>> fit = fit_arrhenius(points, quantity="diffusivity_cm2_s")
    >>> round(fit.activation_energy_ev, 2), fit.curvature.verdict
    (0.24, 'untestable')
    """
    if not points:
        raise AnalysisError("An Arrhenius fit needs at least one temperature, and none was given; add a trajectory.")
    if not (math.isfinite(extrapolation_temperature_k) and extrapolation_temperature_k > 0):
        raise AnalysisError(
            f"The extrapolation temperature must be a positive number of kelvin, not {extrapolation_temperature_k}; "
            "choose for example 300."
        )
    reported = sorted((_report(point, quantity) for point in points), key=lambda pair: pair[1].temperature_k)
    used = [given for given, shown in reported if shown.used]
    shown_points = tuple(shown for _, shown in reported)

    temperature = np.array([point.temperature_k for point in used])
    to_fit = temperature if quantity != "diffusivity_cm2_s" else np.ones_like(temperature)
    observed = np.log(np.array([float(point.value or 0.0) for point in used]) * to_fit)
    expected = observed
    n_temperatures = np.unique(temperature).size
    for _ in range(_REWEIGHTINGS):
        dof, log_variance = _scatter(used, np.exp(observed - expected))
        log_value = observed - log_bias(dof)
        if n_temperatures < 2:
            break
        line = _fit_line(temperature, log_value, log_variance)
        expected = _design(temperature) @ line.coefficients
    curvature = curvature_test(1.0 / temperature, log_value, log_variance)

    if n_temperatures < 2:
        flag = (
            "No usable temperature: no Arrhenius line."
            if n_temperatures == 0
            else f"Only one usable temperature ({temperature[0]:g} K): no Arrhenius line and no extrapolation."
        )
        return ArrheniusResult(
            quantity=quantity,
            activation_energy_ev=None,
            activation_energy_error_ev=None,
            log_prefactor=None,
            extrapolation_temperature_k=extrapolation_temperature_k,
            extrapolated_value=None,
            curvature=curvature,
            points=shown_points,
            flags=(flag,),
        )

    # No activated motion is faster in the cold: beyond its points, a line that rises to there says nothing.
    is_sound = line.coefficients[1] > 0 or temperature.min() <= extrapolation_temperature_k <= temperature.max()
    target = _design(np.array([extrapolation_temperature_k]))[0]
    unit = extrapolation_temperature_k if quantity != "diffusivity_cm2_s" else 1.0
    extrapolated = line.at(extrapolation_temperature_k)
    weights = target @ line.point_weights

    def interval(coverage: float) -> Bounds:
        tail = 0.5 * (1.0 - coverage)
        low, high = (weighted_sum_quantile(p, weights, log_variance, dof) for p in (tail, 1.0 - tail))
        return _exponential(extrapolated - high) / unit, _exponential(extrapolated - low) / unit

    residual_dof = temperature.size - 2
    flags = [*_fit_flags(line, n_temperatures, residual_dof), *_bound_flags(reported, line, quantity)]
    if not is_sound:
        flags.append(
            f"Nothing is extrapolated to {extrapolation_temperature_k:g} K by a line without a positive activation "
            "energy: longer runs, or more temperatures, may give one."
        )
    if curvature.verdict == "curved":
        flags.append(curvature.note)
    return ArrheniusResult(
        quantity=quantity,
        activation_energy_ev=float(line.coefficients[1]),
        activation_energy_error_ev=float(np.sqrt(line.covariance[1, 1])),
        log_prefactor=float(line.coefficients[0]),
        covariance=(
            (float(line.covariance[0, 0]), float(line.covariance[0, 1])),
            (float(line.covariance[1, 0]), float(line.covariance[1, 1])),
        ),
        extrapolation_temperature_k=extrapolation_temperature_k,
        extrapolated_value=_exponential(extrapolated) / unit if is_sound else None,
        extrapolated_interval_68=interval(ONE_SIGMA_PROBABILITY) if is_sound else None,
        extrapolated_interval_95=interval(0.95) if is_sound else None,
        reduced_chi_squared=line.chi_squared / residual_dof if residual_dof > 0 else None,
        curvature=curvature,
        points=shown_points,
        flags=tuple(flags),
    )


def _report(point: ArrheniusInput, quantity: ArrheniusQuantity) -> tuple[ArrheniusInput, ArrheniusPoint]:
    """Check one point and say whether it enters the fit."""
    where = f"the Arrhenius point at {point.temperature_k:g} K ({quantity})"
    if not (math.isfinite(point.temperature_k) and point.temperature_k > 0):
        raise AnalysisError(f"The temperature of {where} must be a positive number of kelvin; correct it.")
    reason = point.exclusion_reason
    if reason is None and point.value is None:
        reason = "only an upper bound is known" if point.upper_bound_95 is not None else "no value is known"
    if reason is None:
        for name, number in (("value", point.value), ("standard error", point.standard_error)):
            if number is None or not math.isfinite(number) or number <= 0:
                raise AnalysisError(
                    f"The {name} of {where} must be a positive number, not {number}; "
                    "correct it or exclude the point with a reason."
                )
        if not 0.0 <= point.counting_share <= 1.0:
            raise AnalysisError(f"The counting share of {where} must lie between 0 and 1, not {point.counting_share}.")
        if point.degrees_of_freedom is not None and not point.degrees_of_freedom > 0:
            raise AnalysisError(
                f"The degrees of freedom of {where} must be positive, not {point.degrees_of_freedom}; "
                "leave them out for a Gaussian error."
            )
    return point, ArrheniusPoint(
        temperature_k=point.temperature_k,
        value=point.value,
        standard_error=point.standard_error,
        used=reason is None,
        exclusion_reason=reason,
    )


def _relative_error(point: ArrheniusInput) -> float:
    return float(point.standard_error or 0.0) / float(point.value or 1.0)


def _effective_degrees_of_freedom(point: ArrheniusInput) -> float:
    """ν of a point, lowered where its stated error is larger than ν alone explains (such as replica scatter)."""
    if point.degrees_of_freedom is None:
        return math.inf
    return min(point.degrees_of_freedom, 2.0 / _relative_error(point) ** 2)


def _scatter(
    used: Sequence[ArrheniusInput], observed_over_expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ν and the variance of each logarithm, were the expected values the true ones."""
    share = np.array([point.counting_share for point in used])
    growth = 1.0 + share * (observed_over_expected - 1.0)
    gaussian = growth * np.array([_relative_error(point) ** 2 for point in used])
    dof = np.array([_effective_degrees_of_freedom(point) for point in used]) / growth
    return dof, np.where(np.isfinite(dof), log_cumulant(2, dof), gaussian)


def _design(temperature_k: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.ones_like(temperature_k), -1.0 / (BOLTZMANN_EV_PER_K * temperature_k)])


def _fit_line(
    temperature_k: NDArray[np.float64], log_value: NDArray[np.float64], log_variance: NDArray[np.float64]
) -> _Line:
    design = _design(temperature_k)
    weighted = design / log_variance[:, None]
    covariance = np.linalg.inv(design.T @ weighted)
    point_weights = covariance @ weighted.T
    coefficients = point_weights @ log_value
    residual = log_value - design @ coefficients
    return _Line(coefficients, covariance, float(np.sum(residual**2 / log_variance)), point_weights)


def _fit_flags(line: _Line, n_temperatures: int, residual_dof: int) -> list[str]:
    flags = []
    if n_temperatures == 2:
        flags.append("Two temperatures only: the line is exact, and nothing tests it.")
    if residual_dof > 0 and chdtrc(residual_dof, line.chi_squared) < SCATTER_SIGNIFICANCE:
        flags.append(
            f"The points scatter more than their errors allow (χ² = {line.chi_squared:.1f} with {residual_dof} "
            "degrees of freedom): the intervals are too narrow or the line is wrong."
        )
    if line.coefficients[1] <= 0:
        flags.append("The activation energy is not positive: the motion is not thermally activated within the errors.")
    return flags


def _bound_flags(
    reported: Sequence[tuple[ArrheniusInput, ArrheniusPoint]], line: _Line, quantity: ArrheniusQuantity
) -> list[str]:
    """Flag excluded temperatures whose 95 % upper bound lies below the line."""
    flags = []
    for given, shown in reported:
        if shown.used or given.upper_bound_95 is None:
            continue
        unit = given.temperature_k if quantity != "diffusivity_cm2_s" else 1.0
        predicted = _exponential(line.at(given.temperature_k)) / unit
        if predicted > given.upper_bound_95:
            flags.append(
                f"At {given.temperature_k:g} K the line ({predicted:.3g}) exceeds the 95 % upper bound "
                f"({given.upper_bound_95:.3g}) of the excluded point."
            )
    return flags


def _exponential(exponent: float) -> float:
    """Exponential that saturates instead of overflowing: an unbounded interval is reported as infinite."""
    return math.exp(exponent) if exponent < 709.0 else math.inf
