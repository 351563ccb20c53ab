"""Numbers as CIFs write them: with an uncertainty in brackets, as fractions, and with a last digit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = re.compile(
    r"(?P<value>[+-]?(?:\d+(?P<point>\.(?P<decimals>\d*))?|\.(?P<bare>\d+)))(?:[eEdD](?P<power>[+-]?\d{1,3}))?"
    r"\s*(?:\((?P<uncertainty>\d*\.?\d*|-|\?)\))?\Z"
)
_LARGEST_POWER = 30
_LONGEST = 60
_FRACTION = re.compile(r"(?P<over>[+-]?\d{1,4})\s*/\s*(?P<under>\d{1,4})\Z")


@dataclass(frozen=True, slots=True)
class CifNumber:
    """A number with what its digits say of it.

    Attributes
    ----------
    value : float
        The number.
    decimals : int
        Digits after the point; many for a fraction, which is exact.
    uncertainty : float
        Standard uncertainty; 0 where none is written.
    text : str
        As written.
    """

    value: float
    decimals: int
    uncertainty: float
    text: str

    @property
    def last_digit(self) -> float:
        """One unit of the last digit."""
        return float(10.0**-self.decimals)


def is_missing(text: str) -> bool:
    """Say whether a value is left out: `.`, `?`, or nothing.

    Parameters
    ----------
    text : str
        A value of a CIF.

    Returns
    -------
    bool
        True for `.`, `?` and empty text.
    """
    return text in ("?", ".", "")


def parse_number(text: str) -> CifNumber | None:
    """Read a number of a CIF.

    Parameters
    ----------
    text : str
        Such as ``5.13(2)``, ``.25``, ``1/3`` or ``-1.5e-3``.

    Returns
    -------
    CifNumber or None
        None where the text is no finite number.

    Examples
    --------
    >>> parse_number("5.130(12)")
    CifNumber(value=5.13, decimals=3, uncertainty=0.012, text='5.130(12)')
    >>> parse_number("1/3").value
    0.3333333333333333
    """
    text = text.strip()
    fraction = _FRACTION.match(text)
    if fraction is not None:
        under = int(fraction["under"])
        return CifNumber(int(fraction["over"]) / under, 15, 0.0, text) if under else None
    found = _NUMBER.match(text)
    if found is None:
        return None
    power = int(found["power"] or 0)
    if power > _LARGEST_POWER or len(found["value"]) > _LONGEST:
        return None
    # 6.7e-72 is a zero of floating-point arithmetic
    power = max(power, -4 * _LARGEST_POWER)
    decimals = min(max(len(found["decimals"] or found["bare"] or "") - power, 0), 15)
    value = float(found["value"]) * 10.0**power if power else float(found["value"])
    bracket = found["uncertainty"] or ""
    uncertainty = 0.0
    if any(character.isdigit() for character in bracket):
        uncertainty = float(bracket) * (1.0 if "." in bracket else 10.0**-decimals)
    return CifNumber(value, decimals, uncertainty, text) if math.isfinite(value) else None
