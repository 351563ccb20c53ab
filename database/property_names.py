"""Names of properties as users write them: with their unit, or without it."""

from __future__ import annotations

import difflib
from functools import cache

from .properties import PROPERTIES

_UNIT_SUFFIXES = ("_ms_cm", "_ev_per_atom", "_cm2_s", "_usd_per_kg", "_per_angstrom3", "_percent", "_amu", "_ev", "_v")
"""What names of properties end in, the longer ones first."""


def ranked_names() -> tuple[str, ...]:
    """List the properties one end of which is better, so that rows can be ranked by them.

    Returns
    -------
    tuple of str
        Names with their unit.

    Examples
    --------
    >>> "sigma_300k_ms_cm" in ranked_names(), "volume_change_percent" in ranked_names()
    (True, False)
    """
    return tuple(name for name, definition in PROPERTIES.items() if definition.better != "neither")


@cache
def short_names() -> dict[str, str]:
    """Map names without their unit to names with it.

    Returns
    -------
    dict of str to str
        For example ``sigma_300k`` to ``sigma_300k_ms_cm``.

    Examples
    --------
    >>> short_names()["energy_above_hull"]
    'energy_above_hull_ev_per_atom'
    """
    return {short_name(name): name for name in PROPERTIES if short_name(name) != name}


def short_name(name: str) -> str:
    """Take the unit off a property's name.

    Parameters
    ----------
    name : str
        Name of a property.

    Returns
    -------
    str
        The same where it ends in no unit.

    Examples
    --------
    >>> short_name("sigma_300k_ms_cm")
    'sigma_300k'
    """
    return next((name.removesuffix(suffix) for suffix in _UNIT_SUFFIXES if name.endswith(suffix)), name)


def full_name(name: str) -> str | None:
    """Find the property that a user's name means.

    Parameters
    ----------
    name : str
        With its unit or without it.

    Returns
    -------
    str or None
        Name with the unit; None where there is no such property.

    Examples
    --------
    >>> full_name("activation_energy"), full_name("nonsense")
    ('activation_energy_ev', None)
    """
    return name if name in PROPERTIES else short_names().get(name)


def nearest_property(name: str) -> str:
    """Name the known property that is spelled most like a given one.

    Parameters
    ----------
    name : str
        What the user wrote.

    Returns
    -------
    str
        A known name, with or without unit as fits best.

    Examples
    --------
    >>> nearest_property("sgima_300k")
    'sigma_300k'
    """
    return difflib.get_close_matches(name, [*short_names(), *PROPERTIES], n=1, cutoff=0.0)[0]
