"""Properties in the settings and in the sentences of rules."""

from __future__ import annotations

import difflib

from ...database.properties import PROPERTIES, PropertyEstimate
from ...database.units import plain_unit


def known_property(name: str) -> str:
    """Refuse the name of a property that does not exist.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ValueError
        If there is none, the nearest being named.
    """
    if name not in PROPERTIES:
        near = difflib.get_close_matches(name, PROPERTIES, n=1, cutoff=0.0)[0]
        raise ValueError(f"there is no property '{name}', did you mean '{near}'?")
    return name


def name_and_unit(name: str) -> tuple[str, str]:
    """Give a property's name and unit as sentences write them.

    Parameters
    ----------
    name : str
        Name of the property, with its unit.

    Returns
    -------
    name : str
        In words.
    unit : str
        With a space before it; empty where there is none.

    Examples
    --------
    >>> name_and_unit("energy_above_hull_ev_per_atom")
    ('energy above hull', ' eV/atom')
    """
    definition = PROPERTIES[name]
    return definition.label.split(" / ")[0], f" {plain_unit(definition.unit)}" if definition.unit else ""


def describe(name: str, unit: str, estimate: PropertyEstimate) -> str:
    """Say what is known of a property, as the start of a sentence.

    Parameters
    ----------
    name, unit : str
        What `name_and_unit` gives.
    estimate : PropertyEstimate
        The estimate.

    Returns
    -------
    str
        Words.
    """
    if estimate.bound is not None:
        side = "at most" if estimate.bound == "upper" else "at least"
        return f"{name} is {side} {estimate.limit:.3g}{unit}"
    if estimate.interval_95 is not None:
        low, high = estimate.interval_95
        return f"{name} is {estimate.value:.3g} (95 %: {low:.3g} to {high:.3g}){unit}"
    return f"{name} is {estimate.value:.3g}{unit}"
