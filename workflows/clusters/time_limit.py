"""Time limits as people and queues write them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_WRITTEN = re.compile(r"^(?:(?P<days>\d+)-)?(?P<hours>\d+):(?P<minutes>[0-5]?\d):(?P<seconds>[0-5]?\d)$")


def parse_time_limit(text: str) -> int:
    """Read a time limit.

    Parameters
    ----------
    text : str
        As ``hours:minutes:seconds`` or ``days-hours:minutes:seconds``.

    Returns
    -------
    int
        Time in s, above zero.

    Raises
    ------
    ValueError
        If it is written otherwise, or zero.

    Examples
    --------
    >>> parse_time_limit("01:30:00"), parse_time_limit("2-00:00:00")
    (5400, 172800)
    """
    match = _WRITTEN.match(text.strip())
    if match is None:
        raise ValueError(
            "a time limit is written hours:minutes:seconds, such as 24:00:00, or days-hours:minutes:seconds"
        )
    days, hours, minutes, seconds = (int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total == 0:
        raise ValueError("a time limit of zero lets no job run: give a longer one")
    return total


def write_time_limit(seconds: int) -> str:
    """Write a time limit as every queue reads it, with hours beyond 24 where there are days.

    Parameters
    ----------
    seconds : int
        Time in s.

    Returns
    -------
    str
        As ``hours:minutes:seconds``.

    Examples
    --------
    >>> write_time_limit(172_800 + 61)
    '48:01:01'
    """
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}"


def _checked(text: str) -> str:
    parse_time_limit(text)
    return text.strip()


TimeLimit = Annotated[str, AfterValidator(_checked)]
"""A time limit in a settings file."""
