"""The flows that there are: ours and those that other packages register by entry point."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..errors import SettingsError

ENTRY_POINT_GROUP = "superion.flows"
"""Entry-point group by which any package registers a flow Maker under a name."""


class FlowInfo(BaseModel):
    """A registered flow, without importing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="registered name")
    package: str = Field(description="package that registers it")
    target: str = Field(description="dotted path of its Maker class")


def list_flows() -> list[FlowInfo]:
    """List the registered flows without importing them.

    Returns
    -------
    list of FlowInfo
        Sorted by name.

    Examples
    --------
    >>> "conductivity" in [flow.name for flow in list_flows()]
    True
    """
    return [
        FlowInfo(name=name, package=_package(point), target=point.value)
        for name, point in sorted(_registered().items())
    ]


def flow_maker(name: str) -> type[Any]:
    """Give the Maker class of a flow.

    Parameters
    ----------
    name : str
        Registered name.

    Returns
    -------
    type
        A dataclass whose `make(structure)` gives a Flow.

    Raises
    ------
    SettingsError
        If there is no such flow, or it cannot be imported.

    Examples
    --------
    >>> flow_maker("conductivity").__name__
    'ConductivityMaker'
    """
    registered = _registered()
    if name not in registered:
        near = difflib.get_close_matches(name, registered, n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(registered))}."
        raise SettingsError(f"There is no flow '{name}': {hint}")
    try:
        return registered[name].load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"The flow '{name}' of {_package(registered[name])} cannot be loaded ({error}): reinstall that package."
        ) from error


def _registered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.split(".")[0]
