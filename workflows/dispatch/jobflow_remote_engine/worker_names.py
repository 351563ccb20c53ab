"""Names of the workers of a project: one for each kind of job on a cluster."""

from __future__ import annotations

from pathlib import Path


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
