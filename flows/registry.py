"""The flows that there are: ours and those that other packages register by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..plugins import PluginGroup
from .declaration import FlowDescription

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
        A dataclass whose `make(INPUT…, label=None)` gives a Flow.

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


def describe_flow(name: str) -> FlowDescription:
    """Give what a flow declares of itself.

    A Maker declares it by its class attributes `inputs`, `options` and `document`; one that has none takes one crystal
    and has no options but its settings, so that any Maker whose `make(structure, label=None)` gives a flow serves.

    Parameters
    ----------
    name : str
        Registered name.

    Returns
    -------
    FlowDescription
        Inputs, options and document.

    Raises
    ------
    SettingsError
        If there is no such flow, or it cannot be imported.

    Examples
    --------
    >>> describe_flow("conductivity").usage
    'superion run conductivity STRUCTURE'
    """
    maker = flow_maker(name)
    declared = {field: getattr(maker, field) for field in ("inputs", "options", "document") if hasattr(maker, field)}
    return FlowDescription(name, maker, **declared)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.split(".")[0]
