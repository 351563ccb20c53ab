"""The potentials among the settings of a flow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from ..potentials.specification import PotentialSpecification
from ..runtime.maker import Maker

MakerType = TypeVar("MakerType", bound=Maker)


def map_potentials(maker: MakerType, change: Callable[[PotentialSpecification], PotentialSpecification]) -> MakerType:
    """Change every potential that a flow and its sub-makers name.

    Parameters
    ----------
    maker : Maker
        A flow; it stays as it is.
    change : callable
        Gives the potential to put in the place of one.

    Returns
    -------
    Maker
        The changed copy; the same object where nothing changes.

    Examples
    --------
    >>> from superion.flows.conductivity import ConductivityMaker
    >>> on_cpu = map_potentials(ConductivityMaker(), lambda given: given.model_copy(update={"device": "cpu"}))
    >>> on_cpu.potential.device
    'cpu'
    """
    if not dataclasses.is_dataclass(maker):
        return maker
    changes = {}
    for field in dataclasses.fields(maker):
        value = getattr(maker, field.name)
        new = value
        if isinstance(value, PotentialSpecification):
            new = change(value)
        elif isinstance(value, Maker):
            new = map_potentials(value, change)
        if new is not value and new != value:
            changes[field.name] = new
    return dataclasses.replace(maker, **changes) if changes else maker
