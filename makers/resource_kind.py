"""What kind of resources a job needs, so that a queue gives a GPU to dynamics and one core to an analysis."""

from __future__ import annotations

from typing import Literal, cast, get_args

from jobflow import Job

ResourceKind = Literal["relax", "md", "analysis"]
"""Kinds of jobs that a cluster profile gives resources to."""

RESOURCE_KINDS: tuple[ResourceKind, ...] = get_args(ResourceKind)


def resource_kind_of(job: Job) -> ResourceKind:
    """Say what kind of resources a job needs.

    Parameters
    ----------
    job : Job
        A job; its Maker says the kind by a class attribute `resource_kind`.

    Returns
    -------
    str
        relax, md or analysis; analysis where the Maker says nothing.

    Examples
    --------
    >>> from superion.flows.conductivity import ConductivityMaker
    >>> flow = ConductivityMaker(temperatures_k=(1000.0,)).make("Li6PS5Cl")
    >>> [(job.name, resource_kind_of(job)) for job, _ in flow.iterflow()][1:4]
    [('relax', 'relax'), ('supercell', 'analysis'), ('MD 1000 K', 'md')]
    """
    kind = getattr(job.maker, "resource_kind", "analysis")
    return cast(ResourceKind, kind) if kind in RESOURCE_KINDS else "analysis"
