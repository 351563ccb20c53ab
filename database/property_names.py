"""Names of properties as users write them: with their unit, or without it."""

from __future__ import annotations

import difflib
from functools import cache

from .properties import PROPERTIES


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
    return tuple(name for name, definition in PROPERTIES.items() if definition.is_ranked)


def usual_order() -> tuple[str, ...]:
    """List the properties that a campaign is ranked by where its file names none, the first that is known.

    Returns
    -------
    tuple of str
        Names with their unit.

    Examples
    --------
    >>> usual_order()[:2]
    ('sigma_300k_ms_cm', 'greatest_sigma_300k_ms_cm')
    """
    ranks = {name: definition.usual_rank for name, definition in PROPERTIES.items() if definition.is_ranked}
    return tuple(sorted((name for name, rank in ranks.items() if rank is not None), key=lambda name: ranks[name] or 0))


def usual_front() -> tuple[str, ...]:
    """List the properties of the Pareto front where a campaign file names none, as far as they are known.

    Returns
    -------
    tuple of str
        Names with their unit.

    Examples
    --------
    >>> usual_front()[:2]
    ('sigma_300k_ms_cm', 'activation_energy_ev')
    """
    return tuple(name for name, definition in PROPERTIES.items() if definition.on_usual_front and definition.is_ranked)


def indexed_names(*, in_campaigns: bool = False) -> tuple[str, ...]:
    """List the properties by which rows are sorted with an index.

    Parameters
    ----------
    in_campaigns : bool
        Whether the rows of one campaign are meant, and not those of whole stores.

    Returns
    -------
    tuple of str
        Names with their unit.

    Examples
    --------
    >>> "electrochemical_window_v" in indexed_names(), "electrochemical_window_v" in indexed_names(in_campaigns=True)
    (True, False)
    """
    kinds = ("campaigns",) if in_campaigns else ("stores", "campaigns")
    return tuple(name for name, definition in PROPERTIES.items() if definition.indexed in kinds)


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
        Name of a property, or of its measured value.

    Returns
    -------
    str
        The same where it ends in no unit, or is no property.

    Examples
    --------
    >>> short_name("sigma_300k_ms_cm"), short_name("measured_energy_above_hull_ev_per_atom")
    ('sigma_300k', 'measured_energy_above_hull')
    """
    definition = PROPERTIES.get(name.removeprefix("measured_"))
    endings = () if definition is None else _unit_endings(definition.unit)
    return next((name.removesuffix(ending) for ending in endings if name.endswith(ending)), name)


def _unit_endings(unit: str) -> tuple[str, ...]:
    """Write a unit as names may end in it: mS/cm as _ms_cm, eV/atom as _ev_per_atom."""
    plain = unit.lower().replace("**", "").replace("*", "_").replace(" ", "_")
    if not plain:
        return ()
    if plain.startswith("1/"):
        return (f"_per_{plain.removeprefix('1/')}",)
    return (f"_{plain.replace('/', '_per_')}", f"_{plain.replace('/', '_')}")


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
