"""The flows that there are: ours and those that other packages register by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..plugins import PluginGroup

FLOWS: PluginGroup[Any] = PluginGroup("superion.flows", "flow", object)
"""The entry points by which any package registers a flow Maker under a name."""


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
    return [FlowInfo(name=name, package=_package(point), target=point.value) for name, point in FLOWS.points().items()]


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
    return FLOWS.load(name)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.split(".")[0]
