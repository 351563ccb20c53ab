"""From the resources of a profile to those of qtoolkit, which jobflow-remote submits with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .job_script import option_directives, pbs_selection
from .profile import JobResources, Scheduler

if TYPE_CHECKING:
    from qtoolkit.core.data_objects import QResources


def to_qresources(resources: JobResources, job_name: str, scheduler: Scheduler = "slurm") -> QResources:
    """Translate resources.

    Parameters
    ----------
    resources : JobResources
        What one allocation asks for.
    job_name : str
        Name in the queue.
    scheduler : str
        slurm, pbs or shell: qtoolkit has no word for a GPU under PBS, so its own is written there; a shell reserves
        nothing.

    Returns
    -------
    QResources
        The same for qtoolkit: one process on each node, with the cores as its threads.

    Raises
    ------
    ImportError
        If jobflow-remote, which brings qtoolkit, is not installed.
    """
    from qtoolkit.core.data_objects import QResources

    if scheduler == "shell":
        return QResources(job_name=job_name)
    further: dict[str, Any] = {}
    directives = option_directives(scheduler, resources)
    if directives:
        further["qverbatim"] = "\n".join(directives)
    gpus: int | None = resources.gpus or None
    if scheduler == "pbs" and gpus is not None:
        further["select"] = f"select={pbs_selection(resources)}"
        gpus = None
    return QResources.evenly_distributed(
        nodes=resources.nodes,
        processes_per_node=1,
        threads_per_process=resources.cores,
        memory_per_thread=-(-resources.memory_mb // resources.cores),
        gpus_per_job=gpus,
        time_limit=resources.time_limit_s,
        queue_name=resources.partition,
        account=resources.account,
        qos=resources.qos,
        job_name=job_name,
        scheduler_kwargs=further,
    )
