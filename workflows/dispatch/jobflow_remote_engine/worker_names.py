"""Names of the workers of a project: one for each kind of job on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from jobflow import Job

from ....makers.resource_kind import RESOURCE_KINDS, ResourceKind

_MOST_DEMANDING_FIRST: tuple[ResourceKind, ...] = ("md", "relax", "analysis")


def cluster_label(cluster: str) -> str:
    """Shorten a cluster's name or the path of its profile to a label.

    Parameters
    ----------
    cluster : str
        Name of a profile, or path of its file.

    Returns
    -------
    str
        The name, or the file's name without its ending.

    Examples
    --------
    >>> cluster_label("profiles/our_cluster.yaml")
    'our_cluster'
    """
    return Path(cluster).stem if cluster.endswith((".yaml", ".yml")) else Path(cluster).name


def worker_name(cluster: str, kind: ResourceKind) -> str:
    """Name the worker of one kind of job.

    Parameters
    ----------
    cluster : str
        Name of a profile, or path of its file.
    kind : str
        relax, md or analysis.

    Returns
    -------
    str
        Name in the project file.

    Examples
    --------
    >>> worker_name("slurm_gpu", "md")
    'slurm_gpu_md'
    """
    return f"{cluster_label(cluster)}_{kind}"


def generated_kind_of(job: Job) -> ResourceKind | None:
    """Say what kind of resources the jobs need that a job makes while it runs.

    Parameters
    ----------
    job : Job
        A job.

    Returns
    -------
    str or None
        The most demanding kind among the Makers that its own Maker holds; None where it holds none.

    Examples
    --------
    >>> from superion.makers.stage_stability import CompetingPhasesMaker
    >>> generated_kind_of(CompetingPhasesMaker().make(None, None))
    'relax'
    """
    kinds = set(_kinds_within(job.maker))
    return next((kind for kind in _MOST_DEMANDING_FIRST if kind in kinds), None)


def _kinds_within(maker: Any) -> Iterator[ResourceKind]:
    if not is_dataclass(maker) or isinstance(maker, type):
        return
    for one in fields(maker):
        value = getattr(maker, one.name, None)
        kind = getattr(type(value), "resource_kind", None)
        if kind in RESOURCE_KINDS:
            yield cast(ResourceKind, kind)
