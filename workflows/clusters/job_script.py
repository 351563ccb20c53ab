"""What stands in the script of every job: the queue's directives, the cluster's own lines, and variables."""

from __future__ import annotations

from collections.abc import Mapping

from ...runtime.heartbeat import PROGRESS_FOLDER_VARIABLE
from ...runtime.walltime import STOP_MARGIN_VARIABLE
from .profile import ClusterProfile, JobResources, Scheduler
from .shell_text import for_shell


def job_environment(profile: ClusterProfile) -> dict[str, str]:
    """Give the variables of every job; none is secret.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.

    Returns
    -------
    dict of str to str
        Values in which ~ and $VARIABLES are still to be expanded; those of the profile win.
    """
    return {
        PROGRESS_FOLDER_VARIABLE: profile.folder("progress"),
        STOP_MARGIN_VARIABLE: f"{profile.stop_margin_s:g}",
        **profile.environment,
    }


def preparation_lines(profile: ClusterProfile, environment: Mapping[str, str] | None = None) -> list[str]:
    """Write the lines of shell that come before any command.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    environment : mapping of str to str, optional
        Variables in place of `job_environment`.

    Returns
    -------
    list of str
        Lines for bash.

    Examples
    --------
    >>> from superion.workflows.clusters.profile import ClusterProfile
    >>> profile = ClusterProfile(scheduler="slurm", work_folder="~/runs", setup=["module load cuda"])
    >>> preparation_lines(profile, {"THREADS": "1"})
    ['module load cuda', 'export THREADS="1"']
    """
    variables = job_environment(profile) if environment is None else environment
    return [*profile.setup, *(f"export {name}={for_shell(value)}" for name, value in variables.items())]


def option_directives(scheduler: Scheduler, resources: JobResources) -> list[str]:
    """Write the further options of some resources as directives of the queue.

    Parameters
    ----------
    scheduler : str
        slurm or pbs.
    resources : JobResources
        What is asked for.

    Returns
    -------
    list of str
        Lines for the head of a script.

    Examples
    --------
    >>> option_directives("slurm", JobResources(options={"constraint": "a100", "exclusive": None}))
    ['#SBATCH --constraint=a100', '#SBATCH --exclusive']
    >>> option_directives("pbs", JobResources(options={"l filesystems": "home", "W": "depend=afterok:1"}))
    ['#PBS -l filesystems=home', '#PBS -W depend=afterok:1']
    """
    if scheduler == "slurm":
        return [f"#SBATCH {_slurm_option(name, value)}" for name, value in resources.options.items()]
    return [f"#PBS {_pbs_option(name, value)}" for name, value in resources.options.items()]


def pbs_selection(resources: JobResources) -> str:
    """Write what PBS selects for an allocation.

    Parameters
    ----------
    resources : JobResources
        What is asked for.

    Returns
    -------
    str
        Value of PBS's resource `select`.

    Examples
    --------
    >>> pbs_selection(JobResources(cores=4, gpus=1, memory_gb=16))
    '1:ncpus=4:mpiprocs=1:ngpus=1:mem=16384mb'
    """
    gpus = f":ngpus={resources.gpus}" if resources.gpus else ""
    return f"{resources.nodes}:ncpus={resources.cores}:mpiprocs=1{gpus}:mem={resources.memory_mb}mb"


def _slurm_option(name: str, value: str | None) -> str:
    if len(name) == 1:
        return f"-{name}" if value is None else f"-{name} {_word(value)}"
    return f"--{name}" if value is None else f"--{name}={_word(value)}"


def _pbs_option(name: str, value: str | None) -> str:
    option, _, resource = name.partition(" ")
    written = resource if value is None else f"{resource}={_word(value)}" if resource else _word(value)
    return f"-{option} {written}".rstrip()


def _word(value: str) -> str:
    return f'"{value}"' if " " in value else value
