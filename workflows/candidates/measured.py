"""Measured values as tables hold them: numbers, bounds such as ``<1E-10``, approximate ones, or nothing."""

from __future__ import annotations

import math
import re
from functools import cache

from ...database.properties import PROPERTIES, PropertyEstimate
from ...errors import SettingsError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CELL = re.compile(
    rf"\s*(?P<sign><=|>=|<|>|≤|≥|~|≈|ca\.?)?\s*(?P<value>{_NUMBER})\s*(?:(?:±|\+/-)\s*(?P<error>{_NUMBER}))?\s*"
)
_EMPTY = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "--", "?"})
_BOUNDS = {"<": "upper", "<=": "upper", "≤": "upper", ">": "lower", ">=": "lower", "≥": "lower"}
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹·", "-0123456789*")
_95_PER_68 = 1.959964 / 0.994458
"""Half-width of the 95 % interval over that of the 68 % interval of a normal distribution."""


def parse_measured(cell: str, name: str, unit: str) -> PropertyEstimate | None:
    """Read one cell of a table as a property.

    Parameters
    ----------
    cell : str
        Such as ``1.2e-4``, ``<1E-10`` (a bound), ``~0.3`` or ``1.2 ± 0.1`` (one standard error).
    name : str
        Name of the property.
    unit : str
        Unit of the cell, such as S/cm.

    Returns
    -------
    PropertyEstimate or None
        In the property's own unit; None for an empty cell.

    Raises
    ------
    ValueError
        If it is not such a number, or one that the property cannot have.
    SettingsError
        If the unit does not fit the property.

    Examples
    --------
    >>> parse_measured("<1E-10", "sigma_300k_ms_cm", "S/cm").limit
    1e-07
    >>> parse_measured("2.0", "activation_energy_ev", "kJ/mol").value
    0.0207285393125
    """
    text = cell.strip()
    if text.lower() in _EMPTY:
        return None
    match = _CELL.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text[:40]}' is neither a number nor a bound such as <1E-10")
    value = _converted(float(match["value"]), name, unit)
    if not math.isfinite(value):
        raise ValueError(f"'{text[:40]}' is too large")
    side = _BOUNDS.get(match["sign"] or "")
    if PROPERTIES[name].logarithmic and value <= 0.0:
        raise ValueError(f"'{text[:40]}' cannot be a {PROPERTIES[name].label.split(' / ')[0]}: it must be above zero")
    if side == "upper":
        return PropertyEstimate(bound="upper", limit=value)
    if side == "lower":
        return PropertyEstimate(bound="lower", limit=value)
    note = "approximate" if match["sign"] else None
    if match["error"] is None:
        return PropertyEstimate(value=value, note=note)
    error = abs(_converted(float(match["value"]) + float(match["error"]), name, unit) - value)
    return PropertyEstimate(
        value=value,
        interval_68=(value - error, value + error),
        interval_95=(value - _95_PER_68 * error, value + _95_PER_68 * error),
        note=note,
    )


def check_unit(name: str, unit: str) -> None:
    """Refuse a unit that does not fit a property.

    Parameters
    ----------
    name : str
        Name of the property.
    unit : str
        The unit.

    Raises
    ------
    SettingsError
        If it does not fit, or is none.
    """
    _line(name, unit)


def _converted(number: float, name: str, unit: str) -> float:
    factor, offset = _line(name, unit)
    # Twelve digits: 1e-10 S/cm is 1e-7 mS/cm and not 1.0000000000000001e-07.
    return float(f"{factor * number + offset:.12g}")


@cache
def _line(name: str, unit: str) -> tuple[float, float]:
    """Give factor and offset from a unit to that of a property."""
    import pint

    definition = PROPERTIES[name]
    registry = _registry()
    try:
        # As chemists write it: S cm-1, S cm⁻¹.
        plain = re.sub(r"([A-Za-z])\^?(-?\d)", r"\1**\2", unit.translate(_SUPERSCRIPTS))
        zero, one = (registry.Quantity(number, registry.parse_units(plain)) for number in (0.0, 1.0))
        wanted = registry.parse_units(definition.unit)
        if one.is_compatible_with(registry.Quantity(1.0, wanted) / registry.mole):
            # kJ/mol is an energy of one particle
            zero, one = zero / registry.avogadro_constant, one / registry.avogadro_constant
        first, second = zero.to(wanted).magnitude, one.to(wanted).magnitude
    except pint.DimensionalityError:
        raise SettingsError(
            f"The unit '{unit}' does not fit {name}, which is in {definition.unit or 'no unit'}: correct the unit."
        ) from None
    except Exception:
        # pint raises whatever its parser meets
        wish = definition.unit or "an empty text"
        raise SettingsError(f"'{unit}' is not a unit for {name}: write it as {wish}.") from None
    return float(second - first), float(first)


@cache
def _registry() -> pint.UnitRegistry:  # type: ignore[name-defined]  # noqa: F821
    import pint

    registry = pint.UnitRegistry()
    registry.define("atom = count")
    registry.define("USD = [currency] = dollar")
    return registry
