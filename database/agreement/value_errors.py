"""How far computed lie from measured values, and whether one constant for all would do as well."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..properties import PropertyDefinition, PropertyEstimate
from .bootstrap import percentile_interval
from .pair_order import range_of
from .results import ValueErrors, WithInterval

LEAST_VALUES = 3
"""Below this number of values no error is given an interval, and none compared with a constant."""


def value_errors(
    computed: Sequence[PropertyEstimate],
    measured: Sequence[PropertyEstimate],
    definition: PropertyDefinition,
    *,
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> ValueErrors:
    """Compare computed with measured values of one quantity, on a logarithmic scale where it is logarithmic.

    Only rows with a value for both enter an error. Of a row with a bound nothing is known but whether the bound is
    kept: counted as an error of zero it would flatter, so that kept and violated bounds are counted apart.
    The constant predicts each value as the mean of all others, and so never saw what it predicts.

    Parameters
    ----------
    computed, measured : sequence of PropertyEstimate
        One per row, in the same order and unit.
    definition : PropertyDefinition
        What the property is; its scale is that of the errors.
    n_bootstrap : int
        Samples of the rows; the constant's predictions stay those of all rows.
    seed : int
        Same seed, same intervals.

    Returns
    -------
    ValueErrors
        The errors.

    Examples
    --------
    >>> from superion.database.properties import PROPERTIES
    >>> estimates = [PropertyEstimate(value=value) for value in (1.0, 10.0, 100.0)]
    >>> measured = [PropertyEstimate(value=value) for value in (0.1, 10.0, 1000.0)]
    >>> errors = value_errors(estimates, measured, PROPERTIES["sigma_300k_ms_cm"])
    >>> errors.n, round(errors.root_mean_square.value, 3), round(errors.constant_root_mean_square, 3)
    (3, 0.816, 2.449)
    """
    values: list[tuple[float, float]] = []
    gaps: list[float] = []
    n_without_logarithm = 0
    for estimates in zip(computed, measured, strict=True):
        ranges = [_on_scale(range_of(estimate), definition.logarithmic) for estimate in estimates]
        if any(math.isnan(end) for ends in ranges for end in ends):
            n_without_logarithm += 1
            continue
        (low, high), (measured_low, measured_high) = ranges
        if low == high and measured_low == measured_high:
            values.append((low, measured_low))
        else:
            gaps.append(max(0.0, low - measured_high, measured_low - high))
    errors = np.array([ours - theirs for ours, theirs in values], dtype=np.float64)
    constant = _constant_errors(np.array([theirs for _, theirs in values], dtype=np.float64))
    n = len(errors)
    generator = np.random.default_rng([seed, 3])
    drawn = generator.integers(n, size=(n_bootstrap, n)) if n >= LEAST_VALUES else None
    rms = _with_interval(_rms(errors), None if drawn is None else _rms(errors[drawn]))
    difference = WithInterval(None)
    if drawn is not None:
        difference = _with_interval(_rms(errors) - _rms(constant), _rms(errors[drawn]) - _rms(constant[drawn]))
    violated = [gap for gap in gaps if gap > 0.0]
    return ValueErrors(
        unit="log10" if definition.logarithmic else definition.unit,
        n=n,
        root_mean_square=rms,
        median_absolute=_with_interval(_median(errors), None if drawn is None else _median(errors[drawn])),
        mean=_with_interval(_mean(errors), None if drawn is None else _mean(errors[drawn])),
        constant_root_mean_square=None if drawn is None else float(_rms(constant)),
        constant_median_absolute=None if drawn is None else float(_median(constant)),
        root_mean_square_difference=difference,
        n_bounds=len(gaps),
        n_bounds_violated=len(violated),
        greatest_violation=max(violated, default=None),
        n_without_logarithm=n_without_logarithm,
    )


def _on_scale(ends: tuple[float, float], logarithmic: bool) -> tuple[float, float]:
    """Put a range on the scale of the errors; NaN where a number has no logarithm, which an open end needs not."""
    if not logarithmic:
        return ends
    low, high = (_log10(end) for end in ends)
    return (low, high)


def _log10(end: float) -> float:
    if math.isinf(end):
        return end
    return math.log10(end) if end > 0.0 else math.nan


def _constant_errors(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predict each value as the mean of the others."""
    n = len(measured)
    if n < LEAST_VALUES:
        return np.full(n, np.nan)
    return np.asarray((measured.sum() - measured) / (n - 1) - measured)


def _rms(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.mean(errors**2, axis=-1))) if errors.size else np.asarray(np.nan)


def _median(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.median(np.abs(errors), axis=-1)) if errors.size else np.asarray(np.nan)


def _mean(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.mean(errors, axis=-1)) if errors.size else np.asarray(np.nan)


def _with_interval(value: NDArray[np.float64], replicates: NDArray[np.float64] | None) -> WithInterval:
    number = float(value)
    if math.isnan(number):
        return WithInterval(None)
    return WithInterval(number, None if replicates is None else percentile_interval(replicates))
