"""Numbers as people read them: value and error to the same digit, intervals, powers of ten."""

from __future__ import annotations

import math
from collections.abc import Sequence

NOT_AVAILABLE = "–"
"""What stands where a number is withheld."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """Write a power of ten with a raised exponent.

    Parameters
    ----------
    exponent : int
        The exponent.

    Returns
    -------
    str
        For example ``10⁻⁵``.

    Examples
    --------
    >>> power_of_ten(-5)
    '10⁻⁵'
    """
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def format_number(value: float | None, digits: int = 3) -> str:
    """Write a number to so many significant digits, with a power of ten where plain digits would be unreadable.

    Parameters
    ----------
    value : float or None
        The number; None is written as a dash.
    digits : int
        Significant digits.

    Returns
    -------
    str
        The number.

    Examples
    --------
    >>> format_number(0.012345)
    '0.0123'
    >>> format_number(6.8075e-9)
    '6.81 × 10⁻⁹'
    >>> format_number(12345.0)
    '1.23 × 10⁴'
    >>> format_number(None)
    '–'
    """
    if value is None or math.isnan(value):
        return NOT_AVAILABLE
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0.0:
        return "0"
    mantissa_text, exponent_text = f"{value:.{digits - 1}e}".split("e")
    exponent = int(exponent_text)
    if -4 < exponent < 4:
        return f"{float(f'{mantissa_text}e{exponent_text}'):.{max(0, digits - 1 - exponent)}f}"
    return f"{mantissa_text} × {power_of_ten(exponent)}"


def format_with_error(value: float | None, error: float | None) -> str:
    """Write a value and its error to the same digit: two significant digits of the error.

    Parameters
    ----------
    value : float or None
        The number; None is written as a dash.
    error : float or None
        Its standard error, in the same unit; None leaves it out.

    Returns
    -------
    str
        Value and error with a common power of ten.

    Examples
    --------
    >>> format_with_error(0.25814, 0.01683)
    '0.258 ± 0.017'
    >>> format_with_error(1.34567e-5, 1.2e-6)
    '(1.35 ± 0.12) × 10⁻⁵'
    >>> format_with_error(2.0e-5, None)
    '2.00 × 10⁻⁵'
    """
    if value is None or error is None or not math.isfinite(error) or error <= 0.0:
        return format_number(value)
    error_exponent = int(f"{error:.1e}".split("e")[1])
    greater = max(abs(value), error)
    exponent = int(f"{greater:.6e}".split("e")[1])
    if -4 < exponent < 4:
        decimals = max(0, 1 - error_exponent)
        return f"{value:.{decimals}f} ± {error:.{decimals}f}"
    scale = 10.0**exponent
    decimals = max(0, 1 - error_exponent + exponent)
    return f"({value / scale:.{decimals}f} ± {error / scale:.{decimals}f}) × {power_of_ten(exponent)}"


_FAR_APART = 100.0
"""Ratio of two ends from which a common power of ten would hide one of them."""


def format_interval(bounds: Sequence[float] | None, digits: int = 3) -> str:
    """Write an interval in square brackets, with one power of ten for both ends unless they lie far apart.

    Parameters
    ----------
    bounds : sequence of two floats, or None
        Lower and upper end; None is written as a dash.
    digits : int
        Significant digits.

    Returns
    -------
    str
        The interval.

    Examples
    --------
    >>> format_interval((0.687, 1.699))
    '[0.687, 1.70]'
    >>> format_interval((6.2e-9, 1.71e-8))
    '[0.620, 1.71] × 10⁻⁸'
    >>> format_interval((1.61, 10500.0))
    '[1.61, 1.05 × 10⁴]'
    """
    if bounds is not None and 0.0 < bounds[0] * _FAR_APART < bounds[1] < math.inf:
        return f"[{', '.join(format_number(float(value), digits) for value in bounds)}]"
    return NOT_AVAILABLE if bounds is None else format_list(bounds, digits, brackets="[]")


def format_list(values: Sequence[float], digits: int = 3, *, brackets: str = "()") -> str:
    """Write numbers of one kind, with one power of ten for all where they need one.

    Parameters
    ----------
    values : sequence of float
        The numbers.
    digits : int
        Significant digits of each.
    brackets : str
        Opening and closing bracket.

    Returns
    -------
    str
        The numbers.

    Examples
    --------
    >>> format_list((1.7e-5, 1.9e-5, 2.1e-5), 2)
    '(1.7, 1.9, 2.1) × 10⁻⁵'
    """
    finite = [abs(float(value)) for value in values if math.isfinite(value) and value != 0.0]
    exponent = int(f"{max(finite):.{digits - 1}e}".split("e")[1]) if finite else 0
    is_plain = -4 < exponent < 4
    scale = 1.0 if is_plain else 10.0**exponent
    inside = ", ".join(format_number(float(value) / scale, digits) for value in values)
    return f"{brackets[0]}{inside}{brackets[1]}" + ("" if is_plain else f" × {power_of_ten(exponent)}")


def format_bound(upper: float | None, digits: int = 2) -> str:
    """Write an upper bound.

    Parameters
    ----------
    upper : float or None
        The bound; None is written as a dash.
    digits : int
        Significant digits.

    Returns
    -------
    str
        For example ``< 1.2 × 10⁻⁷``.

    Examples
    --------
    >>> format_bound(1.23e-7)
    '< 1.2 × 10⁻⁷'
    """
    return NOT_AVAILABLE if upper is None else f"< {format_number(upper, digits)}"


def format_duration(seconds: float | None) -> str:
    """Write a stretch of time in the two largest units that fit.

    Parameters
    ----------
    seconds : float or None
        The time in s; None is written as a dash.

    Returns
    -------
    str
        For example ``1 h 05 min``.

    Examples
    --------
    >>> format_duration(3900)
    '1 h 05 min'
    >>> format_duration(42.4)
    '42 s'
    """
    if seconds is None or not math.isfinite(seconds):
        return NOT_AVAILABLE
    total = max(0, round(seconds))
    days, rest = divmod(total, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours:02d} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    if minutes:
        return f"{minutes} min {left:02d} s"
    return f"{left} s"
