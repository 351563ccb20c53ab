"""Numbers with units, as users write them: read, checked and converted to the unit of a property."""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import Any

from ..errors import SettingsError

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?"
_QUANTITY = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>.*?)\s*")
_UNIT_LETTERS = re.compile(r"[A-Za-zµμΩÅ%/*^ ·().0-9⁻⁰¹²³⁴⁵⁶⁷⁸⁹+-]{0,40}")
_LARGE_EXPONENT = re.compile(r"\d{2}|\.")
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SUPERSCRIPT_RUN = re.compile(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_PERCENT = re.compile("%|percent")
_POWER_WITHOUT_SIGN = re.compile(r"(?<=[A-Za-zµμΩÅ])(-?\d+)")


class UnitError(SettingsError):
    """A unit that does not exist or does not fit."""


def parse_quantity(text: str, unit: str, *, what: str) -> float:
    """Read a number with its unit.

    Parameters
    ----------
    text : str
        For example ``0.1 mS/cm``.
    unit : str
        Unit to convert to; empty for a pure number.
    what : str
        What it is, for messages.

    Returns
    -------
    float
        The number in `unit`.

    Raises
    ------
    UnitError
        If it is no number, or its unit is missing, unknown or of another kind.

    Examples
    --------
    >>> parse_quantity("30 meV", "eV/atom", what="--max-ehull")
    0.03
    >>> parse_quantity("1e-4 S cm^-1", "mS/cm", what="--min-sigma")
    0.1
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UnitError(f"{what} wants a number with its unit, such as {example(unit)}, and '{text}' is none.")
    return to_unit(float(match["number"]), match["unit"], unit, what=what)


def to_unit(number: float, given: str, unit: str, *, what: str) -> float:
    """Convert a number.

    An energy per atom may be given as an energy, an energy per mole as one per particle.

    Parameters
    ----------
    number : float
        The number.
    given : str
        Its unit as the user wrote it.
    unit : str
        Unit to convert to; empty for a pure number.
    what : str
        What it is, for messages.

    Returns
    -------
    float
        The number in `unit`.

    Raises
    ------
    UnitError
        If the unit is missing, unknown or of another kind, or the number too large.

    Examples
    --------
    >>> to_unit(2.0, "kJ/mol", "eV/atom", what="the threshold") < 0.021
    True
    """
    if not math.isfinite(number):
        raise UnitError(f"{what} is too large a number: give a finite one.")
    if not given:
        if unit:
            raise UnitError(f"{what} wants a unit: write {number:g} {plain_unit(unit)}, or another unit of its kind.")
        return number
    if not unit:
        raise UnitError(f"{what} is a pure number: leave '{given}' away.")
    factor = _factor(given, unit)
    if factor is None:
        raise UnitError(f"{what} cannot be given in '{given}': write it in {plain_unit(unit)} or a unit of its kind.")
    converted = number * factor
    if not math.isfinite(converted):
        raise UnitError(f"{what} is too large a number: give a finite one.")
    # Conversion factors are no exact decimals: 30 meV are to be 0.03 eV.
    return float(f"{converted:.15g}")


def plain_unit(unit: str) -> str:
    """Write a unit as users do.

    Parameters
    ----------
    unit : str
        As in `PropertyDefinition`.

    Returns
    -------
    str
        The same with ``^`` for powers and ``%`` for percent.

    Examples
    --------
    >>> plain_unit("cm**2/s"), plain_unit("percent")
    ('cm^2/s', '%')
    """
    return unit.replace("**", "^").replace("percent", "%")


def example(unit: str) -> str:
    """Show how a quantity may be written.

    Parameters
    ----------
    unit : str
        As in `PropertyDefinition`.

    Returns
    -------
    str
        For example ``"0.1 mS/cm"``.
    """
    return f'"0.1 {plain_unit(unit)}"' if unit else '"3"'


@lru_cache(maxsize=1024)
def _factor(given: str, unit: str) -> float | None:
    """Find the factor from one unit to another; None where there is none."""
    registry = _registry()
    source = _read(given, registry)
    target = registry.parse_units(unit)
    if source is None:
        return None
    for wanted in (source, source / registry.atom, source * registry.atom):
        if wanted.dimensionality == target.dimensionality and (unit == "percent") == bool(_PERCENT.search(given)):
            return float((1.0 * wanted).to(target).magnitude)
    return None


def _read(text: str, registry: Any) -> Any:
    """Let pint read a unit; None where it cannot.  Letters, length and powers are bounded before."""
    if not _UNIT_LETTERS.fullmatch(text):
        return None
    text = _SUPERSCRIPT_RUN.sub(lambda run: f"^{run[0].translate(_SUPERSCRIPTS)}", text)
    text = text.replace("·", "*").replace("μ", "µ").replace("%", "percent").replace("**", "^")
    text = _POWER_WITHOUT_SIGN.sub(r"^\1", text)
    if any(_LARGE_EXPONENT.search(power) for power in text.split("^")[1:]):
        return None
    try:
        return registry.parse_units(re.sub(r"^\s*1\s*/", "dimensionless/", text))
    except Exception:
        # pint raises errors of many kinds for what is no unit.
        return None


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    registry.define("atom = mol / 6.02214076e23")
    registry.define("USD = [currency]")
    return registry
