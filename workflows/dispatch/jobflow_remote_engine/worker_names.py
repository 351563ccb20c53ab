"""Names of the workers of a project: one for each kind of job on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from jobflow import Job

from ....makers.resource_kind import load_resource_kind, resource_kinds


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


def worker_name(cluster: str, kind: str) -> str:
    """Name the worker of one kind of job.

    Parameters
    ----------
    cluster : str
        Name of a profile, or path of its file.
    kind : str
        Name of the kind.

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


def generated_kind_of(job: Job) -> str | None:
    """Say what kind of resources the jobs need that a job makes while it runs.

    Parameters
    ----------
    job : Job
        A job.

    Returns
    -------
    str or None
        Of the kinds of the Makers that its own Maker holds, the one of lowest priority, whose jobs are the longest;
        None where it holds none.

    Examples
    --------
    >>> from superion.makers.stage_stability import CompetingPhasesMaker
    >>> generated_kind_of(CompetingPhasesMaker().make(None, None))
    'relax'
    """
    kinds = sorted(set(_kinds_within(job.maker)))
    return min(kinds, key=lambda kind: load_resource_kind(kind).priority, default=None)


def _kinds_within(maker: Any) -> Iterator[str]:
    if not is_dataclass(maker) or isinstance(maker, type):
        return
    for one in fields(maker):
        value = getattr(maker, one.name, None)
        kind = getattr(type(value), "resource_kind", None)
        if kind in resource_kinds():
            yield kind
