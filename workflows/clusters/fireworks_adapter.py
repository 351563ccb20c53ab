"""From a profile to the queue adapters of FireWorks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources as package_files
from typing import TYPE_CHECKING, Any

from ...errors import SettingsError
from .job_script import option_directives, pbs_selection, preparation_lines
from .profile import ClusterProfile, JobResources
from .time_limit import write_time_limit

if TYPE_CHECKING:
    from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

QUEUE_TIMEOUT_S = 60
"""How long FireWorks waits for the queue's answer; busy queues take longer than its own 5 s."""


def to_queue_adapter(
    profile: ClusterProfile,
    kind: str,
    rocket_launch: str,
    *,
    job_name: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> CommonAdapter:
    """Make the queue adapter for a kind of job.

    Slurm's scripts come from FireWorks' own template; for PBS, whose template there is made for another generation of
    it, from one beside this module.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    kind : str
        Name of the kind.
    rocket_launch : str
        The line that starts FireWorks in the allocation.
    job_name : str, optional
        Name in the queue; ``superion-`` and the kind if None.
    environment : mapping of str to str, optional
        Variables of the job; those of the profile if None.

    Returns
    -------
    CommonAdapter
        Ready to write scripts, to submit them, and to be saved as ``my_qadapter.yaml``.

    Raises
    ------
    SettingsError
        If the profile has no queue.

    Examples
    --------
    >>> from superion.workflows.clusters.find import load_cluster
    >>> adapter = to_queue_adapter(load_cluster("slurm_gpu"), "md", "rlaunch rapidfire")
    >>> adapter["gres"], adapter["walltime"], adapter["queue"]
    ('gpu:1', '24:00:00', 'gpu')
    """
    from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

    if profile.scheduler == "shell":
        raise SettingsError("A cluster with the scheduler shell has no queue: start `rlaunch` itself there.")
    resources = profile.resources_of(kind)
    common = {
        "job_name": job_name or f"superion-{kind}",
        "rocket_launch": rocket_launch,
        # directives count as long as no command has come before them
        "pre_rocket": "\n".join([*_directives(profile, resources), *preparation_lines(profile, environment)]),
        "walltime": write_time_limit(resources.time_limit_s),
        "queue": resources.partition,
        "account": resources.account,
    }
    asked = _of_slurm(resources) if profile.scheduler == "slurm" else {"select": pbs_selection(resources)}
    template = None
    if profile.scheduler == "pbs":
        template = str(package_files.files(__package__) / "pbs_script.txt")
    return CommonAdapter(
        q_type=profile.scheduler.upper(),
        template_file=template,
        timeout=QUEUE_TIMEOUT_S,
        **{key: value for key, value in {**common, **asked}.items() if value is not None},
    )


def _directives(profile: ClusterProfile, resources: JobResources) -> list[str]:
    """Write what FireWorks' templates have no words for."""
    written = option_directives(profile.scheduler, resources)
    if profile.scheduler == "slurm" and "requeue" not in resources.options:
        # Slurm would start the allocation of a dead node again under its old number, minutes after its jobs were put
        # back.
        written.append("#SBATCH --no-requeue")
    return written


def _of_slurm(resources: JobResources) -> dict[str, Any]:
    """Name what is asked for as FireWorks' template for Slurm does."""
    return {
        "nodes": resources.nodes,
        "ntasks_per_node": 1,
        "cpus_per_task": resources.cores,
        "mem": f"{resources.memory_mb}M",
        "gres": f"gpu:{resources.gpus}" if resources.gpus else None,
        "qos": resources.qos,
    }
