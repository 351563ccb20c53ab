"""Estimates as the tables of a campaign show them: values with their interval, bounds as bounds."""

from __future__ import annotations

from ....database.properties import PROPERTIES, PropertyEstimate
from ..html_parts import Column, Markup, escape
from ..numbers import NOT_AVAILABLE, format_interval, format_number

_SIGNS = {"upper": "<", "lower": ">"}


def estimate_text(estimate: PropertyEstimate | None) -> str:
    """Write a value, or a bound as a bound.

    Parameters
    ----------
    estimate : PropertyEstimate or None
        The estimate; None is written as a dash.

    Returns
    -------
    str
        Such as ``0.258``, ``< 1.20 × 10⁻⁷``, or ``0.0310 (> 0.0310)`` for a value that is a bound besides.

    Examples
    --------
    >>> estimate_text(PropertyEstimate(bound="upper", limit=1.2e-7))
    '< 1.20 × 10⁻⁷'
    """
    if estimate is None:
        return NOT_AVAILABLE
    bound = f"{_SIGNS[estimate.bound]} {format_number(estimate.limit)}" if estimate.bound is not None else ""
    if estimate.value is None:
        return bound
    return format_number(estimate.value) + (f" ({bound})" if bound else "")


def estimate_cell(estimate: PropertyEstimate | None) -> Markup:
    """Write a value or bound, and below it the 95 % interval where one is known.

    Parameters
    ----------
    estimate : PropertyEstimate or None
        The estimate; None is written as a dash.

    Returns
    -------
    Markup
        HTML.
    """
    text = escape(estimate_text(estimate))
    if estimate is None or estimate.value is None or estimate.interval_95 is None:
        return text
    return Markup(f'{text}<span class="range">{escape(format_interval(estimate.interval_95, 2))}</span>')


def property_column(name: str, *, is_measured: bool = False) -> Column:
    """Head the column of a property.

    Parameters
    ----------
    name : str
        Name of the property.
    is_measured : bool
        Whether the column holds measured values.

    Returns
    -------
    Column
        Label and unit.
    """
    label, unit = property_label(name)
    return Column(f"{label}, measured" if is_measured else label, unit, True)


def property_label(name: str) -> tuple[str, str]:
    """Split the label of a property into what it is and its unit.

    Parameters
    ----------
    name : str
        Name of the property; one that is not known stands for itself.

    Returns
    -------
    tuple of str
        Label and unit, such as ``σ(300 K)`` and ``mS cm⁻¹``.

    Examples
    --------
    >>> property_label("sigma_300k_ms_cm")
    ('σ(300 K)', 'mS cm⁻¹')
    """
    if name not in PROPERTIES:
        return name, ""
    label, _, unit = PROPERTIES[name].label.partition(" / ")
    return label, unit
