"""What kind of resources a job needs, so that a queue gives a GPU to dynamics and one core to an analysis."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from jobflow import Job

from ..plugins import PluginGroup

DEFAULT_KIND = "analysis"
"""Kind of the jobs whose Makers name none."""


class ResourceKind:
    """A kind of jobs that ask a queue for the same resources.

    A subclass is found by its entry point in the group `superion.resource_kinds`, whose name is the kind's. Profiles of
    clusters then have resources and packing for it, each engine has workers for it, and Makers name it by their class
    attribute `resource_kind`.
    """

    description: ClassVar[str]
    """What its jobs are, in a few words."""
    priority: ClassVar[int] = 0
    """A worker that could take jobs of several kinds takes those of the highest first: short ones, which end units. Of
    the jobs that a job makes while it runs, those of the lowest say where all of them go: the longest."""
    shares_allocations: ClassVar[bool] = True
    """Whether an allocation usually takes many of its jobs, one after the other; False where one may fill it."""
    runs_anywhere: ClassVar[bool] = False
    """Whether allocations for other kinds take its jobs, too: short work on one core."""
    uses_potential: ClassVar[bool] = True
    """Whether its jobs compute with a potential, so that the check of a cluster tries one."""


RESOURCE_KINDS: PluginGroup[ResourceKind] = PluginGroup("superion.resource_kinds", "resource kind", ResourceKind)
"""The entry points by which any package registers a kind."""


@cache
def resource_kinds() -> tuple[str, ...]:
    """List the names of all resource kinds.

    Returns
    -------
    tuple of str
        Sorted names.

    Examples
    --------
    >>> {"analysis", "md", "relax"} <= set(resource_kinds())
    True
    """
    return RESOURCE_KINDS.names()


@cache
def load_resource_kind(name: str) -> type[ResourceKind]:
    """Load a resource kind by name.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    type of ResourceKind
        The kind; all that it says are class attributes.

    Raises
    ------
    SettingsError
        If there is none, the nearest known one being named, or its package does not load.

    Examples
    --------
    >>> load_resource_kind("md").shares_allocations
    False
    """
    return RESOURCE_KINDS.load(name)


def resource_kind_of(job: Job) -> str:
    """Say what kind of resources a job needs.

    Parameters
    ----------
    job : Job
        A job; its Maker says the kind by a class attribute `resource_kind`.

    Returns
    -------
    str
        Name of the kind; analysis where the Maker says nothing.

    Raises
    ------
    SettingsError
        If the Maker names a kind that nobody registered.

    Examples
    --------
    >>> from superion.flows.conductivity import ConductivityMaker
    >>> flow = ConductivityMaker(temperatures_k=(1000.0,)).make("Li6PS5Cl")
    >>> [(job.name, resource_kind_of(job)) for job, _ in flow.iterflow()][1:4]
    [('relax', 'relax'), ('supercell', 'analysis'), ('MD 1000 K', 'md')]
    """
    name = getattr(job.maker, "resource_kind", DEFAULT_KIND)
    load_resource_kind(name)
    return name
