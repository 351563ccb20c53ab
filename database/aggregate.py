"""From the orderings of a candidate to the candidate: one number per property, the spread in its error.

A disordered crystal is simulated as several ordered ones.  Conductivities average over their logarithms, other
properties over their values; the spread between the orderings adds to the error in full, for it is not known
which of them the crystal resembles.  Energies are those of the lowest ordering.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .properties import PROPERTIES, PropertyDefinition, PropertyEstimate

Z_95 = 1.959964
"""Half width of the 95 % interval of a normal distribution, in standard deviations."""

Aggregation = Callable[[Sequence[PropertyEstimate], bool], "PropertyEstimate | None"]
"""(estimates of the orderings, whether the property is logarithmic) -> that of the candidate; None if unknown."""


@dataclass(frozen=True)
class AggregatedProperties:
    """What the orderings of a candidate say together.

    Attributes
    ----------
    properties : dict of str to PropertyEstimate
        By name.
    notes : tuple of str
        What could not be brought together, and why.
    """

    properties: dict[str, PropertyEstimate] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def aggregate_properties(orderings: Sequence[Mapping[str, PropertyEstimate]]) -> AggregatedProperties:
    """Bring the properties of the orderings of one candidate together.

    Parameters
    ----------
    orderings : sequence of mapping of str to PropertyEstimate
        What one stage found, by name; one mapping per ordering that completed it.

    Returns
    -------
    AggregatedProperties
        Properties of the candidate.

    Examples
    --------
    >>> together = aggregate_properties([{"activation_energy_ev": PropertyEstimate(value=0.2)}, {}])
    >>> together.notes
    ('activation_energy_ev: known of 1 of 2 orderings',)
    """
    if len(orderings) == 1:
        return AggregatedProperties(dict(orderings[0]))
    properties: dict[str, PropertyEstimate] = {}
    notes = []
    for name in dict.fromkeys(name for ordering in orderings for name in ordering):
        estimates = [ordering[name] for ordering in orderings if name in ordering]
        estimate = aggregate_estimates(name, estimates)
        if estimate is None:
            notes.append(f"{name}: the orderings bound it from opposite sides, so nothing is known of their mean")
            continue
        properties[name] = estimate
        if len(estimates) < len(orderings):
            notes.append(f"{name}: known of {len(estimates)} of {len(orderings)} orderings")
    return AggregatedProperties(properties, tuple(notes))


def aggregate_estimates(name: str, estimates: Sequence[PropertyEstimate]) -> PropertyEstimate | None:
    """Bring the estimates of one property for several orderings together.

    Parameters
    ----------
    name : str
        Name of the property; one that superion does not know counts as even on a linear scale.
    estimates : sequence of PropertyEstimate
        One per ordering, at least one.

    Returns
    -------
    PropertyEstimate or None
        The candidate's; None where bounds from opposite sides leave nothing to say.

    Examples
    --------
    >>> together = aggregate_estimates("sigma_300k_ms_cm", [PropertyEstimate(value=1.0), PropertyEstimate(value=4.0)])
    >>> round(together.value, 6), [round(end, 2) for end in together.interval_68]
    (2.0, [0.75, 5.33])
    >>> aggregate_estimates("energy_ev_per_atom", [PropertyEstimate(value=-3.1), PropertyEstimate(value=-3.2)]).value
    -3.2
    """
    if len(estimates) == 1:
        return estimates[0]
    definition: PropertyDefinition | None = PROPERTIES.get(name)
    aggregation = AGGREGATIONS.get(name, mean_with_spread)
    return aggregation(estimates, definition is not None and definition.logarithmic)


def mean_with_spread(estimates: Sequence[PropertyEstimate], logarithmic: bool) -> PropertyEstimate | None:
    """Average over orderings; the spread between them adds to the error.

    With errors e_i and a spread s between the n orderings, the variance is mean(e_i²)/n + max(0, s² - mean(e_i²)):
    what the errors explain of the spread counts once.

    Parameters
    ----------
    estimates : sequence of PropertyEstimate
        One per ordering.
    logarithmic : bool
        Whether the logarithms are averaged.

    Returns
    -------
    PropertyEstimate or None
        A bound where some orderings have bounds only; None where these point to opposite sides.
    """
    scale = _LOGARITHMIC if logarithmic else _LINEAR
    if all(_is_plain(estimate, logarithmic) for estimate in estimates):
        return _mean_of_values(estimates, scale)
    lows, highs = zip(*(_ends(estimate, logarithmic) for estimate in estimates), strict=True)
    note = f"{sum(e.bound is not None for e in estimates)} of {len(estimates)} orderings have a bound only"
    if all(math.isfinite(high) for high in highs):
        limit = scale.back(statistics.fmean(scale.there(high) for high in highs))
        return PropertyEstimate(bound="upper", limit=limit, note=note)
    if all(math.isfinite(low) and (low > 0.0 or not logarithmic) for low in lows):
        limit = scale.back(statistics.fmean(scale.there(low) for low in lows))
        return PropertyEstimate(bound="lower", limit=limit, note=note)
    return None


def lowest(estimates: Sequence[PropertyEstimate], logarithmic: bool) -> PropertyEstimate | None:
    """Take the lowest ordering.

    Parameters
    ----------
    estimates : sequence of PropertyEstimate
        One per ordering.
    logarithmic : bool
        Does not matter here.

    Returns
    -------
    PropertyEstimate
        The lowest value, or what bounds say of it: a lower bound wherever one ordering has no more than that,
        unless another one is surely below.
    """
    values = [e for e in estimates if e.bound is None and e.value is not None]
    lower = [e.limit for e in estimates if e.bound == "lower" and e.limit is not None]
    upper = [e.limit for e in estimates if e.bound == "upper" and e.limit is not None]
    best = min(values, key=_value_of, default=None)
    if best is not None and not upper and all(_value_of(best) <= limit for limit in lower):
        return best
    if lower:
        return PropertyEstimate(bound="lower", limit=min([*lower, *(e.range_95[0] for e in values)]))
    return PropertyEstimate(bound="upper", limit=min([*upper, *map(_value_of, values)]))


AGGREGATIONS: Mapping[str, Aggregation] = {
    "energy_ev_per_atom": lowest,
    "energy_above_hull_ev_per_atom": lowest,
}
"""Properties that are not averaged."""


@dataclass(frozen=True)
class _Scale:
    """The scale on which errors are even."""

    there: Callable[[float], float]
    back: Callable[[float], float]


_LINEAR = _Scale(float, float)
_LOGARITHMIC = _Scale(math.log, math.exp)


def _mean_of_values(estimates: Sequence[PropertyEstimate], scale: _Scale) -> PropertyEstimate:
    numbers = [scale.there(_value_of(estimate)) for estimate in estimates]
    errors = [standard_error(estimate, logarithmic=scale is _LOGARITHMIC) for estimate in estimates]
    n = len(numbers)
    known = [error**2 for error in errors if error is not None]
    noise = statistics.fmean(known) if known else 0.0
    error = math.sqrt(noise / n + max(0.0, statistics.variance(numbers) - noise))
    mean = statistics.fmean(numbers)
    note = f"mean of {n} orderings, their spread in the error"
    if len(known) < n:
        note += f"; {n - len(known)} of them have no error of their own"
    return PropertyEstimate(
        value=scale.back(mean),
        interval_68=(scale.back(mean - error), scale.back(mean + error)),
        interval_95=(scale.back(mean - Z_95 * error), scale.back(mean + Z_95 * error)),
        note=note,
    )


def standard_error(estimate: PropertyEstimate, *, logarithmic: bool) -> float | None:
    """Read a standard deviation from the intervals of an estimate.

    Parameters
    ----------
    estimate : PropertyEstimate
        An estimate with a value.
    logarithmic : bool
        Whether the deviation of the natural logarithm is wanted.

    Returns
    -------
    float or None
        Half of the 68 % interval, or the 95 % interval's equivalent; None where there is no finite interval.

    Examples
    --------
    >>> standard_error(PropertyEstimate(value=2.0, interval_68=(1.5, 2.5)), logarithmic=False)
    0.5
    """
    for interval, half_width in ((estimate.interval_68, 1.0), (estimate.interval_95, Z_95)):
        if interval is None:
            continue
        low, high = interval
        if logarithmic:
            if low <= 0.0 or not math.isfinite(high):
                continue
            low, high = math.log(low), math.log(high)
        if math.isfinite(low) and math.isfinite(high):
            return max(0.0, high - low) / (2.0 * half_width)
    return None


def _value_of(estimate: PropertyEstimate) -> float:
    assert estimate.value is not None  # bounds were taken out before
    return estimate.value


def _is_plain(estimate: PropertyEstimate, logarithmic: bool) -> bool:
    """Tell whether an estimate has a finite value that may be averaged."""
    if estimate.bound is not None or estimate.value is None or not math.isfinite(estimate.value):
        return False
    return estimate.value > 0.0 or not logarithmic


def _ends(estimate: PropertyEstimate, logarithmic: bool) -> tuple[float, float]:
    """Find between which ends an ordering's value lies; a value that has no logarithm bounds from above only."""
    low, high = estimate.range_95
    if estimate.bound is not None and estimate.limit is not None:
        # Where a bound is claimed, nothing else is.
        low, high = (-math.inf, estimate.limit) if estimate.bound == "upper" else (estimate.limit, math.inf)
    if logarithmic:
        return (low if low > 0.0 else -math.inf, high if high > 0.0 else math.inf)
    return low, high
