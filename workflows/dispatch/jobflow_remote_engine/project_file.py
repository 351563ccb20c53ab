"""Writing a jobflow-remote project for a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jobflow import JobStore

from ....database.job_store import open_job_store
from ....database.mongo_server import MongoServerStore, redact_uri
from ....database.settings import STORE_VARIABLE
from ....errors import SettingsError
from ....runtime.heartbeat import PROGRESS_FOLDER_VARIABLE
from ....runtime.resource_kind import load_resource_kind, resource_kinds
from ....runtime.walltime import STOP_MARGIN_VARIABLE
from ...clusters.private_file import write_private_text
from .settings import require_jobflow_remote
from .worker_names import cluster_label, worker_name

if TYPE_CHECKING:
    from qtoolkit.core.data_objects import QResources

    from ...clusters.profile import ClusterProfile

RUNNER_OPTIONS: dict[str, Any] = {
    "delay_checkout": 10,
    "delay_check_run_status": 15,
    "delay_advance_status": 10,
    "delay_refresh_limited": 120,
    "delay_update_batch": 15,
    "delay_ping_db": 60,
    "lock_timeout": 600,
    "max_step_attempts": 3,
    "delta_retry": [10, 60, 300],
}
"""How often the runner looks at what, in s; its own defaults are made for jobs of hours."""

BATCH_LOOK_S = 2.0
"""How often an idle process of an allocation looks for a job."""

_HEADER = """\
# A jobflow-remote project that superion wrote. Only you may read it: it may hold the password of your database.
# One worker per kind of job. Start its runner on a host that reaches the queue:  jf -p {name} runner start
"""


def projects_folder() -> Path:
    """Give the folder in which jobflow-remote looks for projects.

    Returns
    -------
    Path
        What JFREMOTE_PROJECTS_FOLDER or jobflow-remote's own configuration says; else `~/.jfremote`.
    """
    require_jobflow_remote()
    from jobflow_remote import SETTINGS

    return Path(SETTINGS.projects_folder).expanduser()


def write_project(
    name: str,
    cluster: str,
    profile: ClusterProfile,
    store: str,
    *,
    folder: Path | None = None,
    keep_credentials: bool = True,
    overwrite: bool = False,
    runner_options: Mapping[str, Any] | None = None,
) -> Path:
    """Write a jobflow-remote project for a cluster, and prepare its collections.

    Parameters
    ----------
    name : str
        Name of the project.
    cluster : str
        Name of the profile, or path of its file; workers are named after it.
    profile : ClusterProfile
        The profile.
    store : str
        Address of the result store, `mongodb://user:password@host/database`; the queue's collections lie in the
        same database.
    folder : Path or None
        Folder of the project file; None for the one in which jobflow-remote looks.
    keep_credentials : bool
        Whether the file holds the password. If not, whoever uses the project, its runner too, needs SUPERION_STORE.
    overwrite : bool
        Whether to replace a project of this name. Jobs in its database stay.
    runner_options : mapping or None
        What differs from RUNNER_OPTIONS.

    Returns
    -------
    Path
        The project file; only its owner may read it.

    Raises
    ------
    SettingsError
        If there is such a project, or the store is not on a MongoDB server.
    StoreError
        If the store cannot be opened.
    """
    path = (folder or projects_folder()) / f"{name}.yaml"
    if path.exists() and not overwrite:
        raise SettingsError(f"There is a project {path} already: choose another name, or say that it may be replaced.")
    jobs = open_job_store(store)
    try:
        complete = describe_project(name, cluster, profile, jobs, folder=path.parent, address=store)
        content = complete if keep_credentials else describe_project(name, cluster, profile, jobs, folder=path.parent)
    finally:
        jobs.close()
    content["runner"] |= dict(runner_options or {})
    _make_collections(complete)
    write_private_text(path, _HEADER.format(name=name) + yaml.safe_dump(content, sort_keys=False))
    return path


def describe_project(
    name: str,
    cluster: str,
    profile: ClusterProfile,
    jobs: JobStore,
    *,
    folder: Path,
    address: str | None = None,
) -> dict[str, Any]:
    """Say what a project file says.

    Parameters
    ----------
    name : str
        Name of the project.
    cluster : str
        Name of the profile, or path of its file.
    profile : ClusterProfile
        The profile.
    jobs : JobStore
        The result store.
    folder : Path
        Folder of project files.
    address : str or None
        Address of the store with its credentials, to be kept in the file; None leaves them out.

    Returns
    -------
    dict
        Content of the file.

    Raises
    ------
    SettingsError
        If the store is not on a MongoDB server.
    """
    if not isinstance(jobs.docs_store, MongoServerStore):
        raise SettingsError(
            "jobflow-remote keeps its queue on a MongoDB server, and so must the results: give an address "
            f"mongodb://host/database, by {STORE_VARIABLE} or as the option."
        )
    stores = _with_address(_plain(jobs.as_dict()), address)
    # jobflow-remote knows no other class; what our own adds, it does by itself: its runner writes, and tries again.
    stores |= {"@module": JobStore.__module__, "@class": JobStore.__name__}
    queue = dict(stores["docs_store"])
    return {
        "name": name,
        "base_dir": str(folder / name),
        "runner": dict(RUNNER_OPTIONS),
        "queue": {
            "store": queue | {"collection_name": f"jf_{name}_jobs"},
            "flows_collection": f"jf_{name}_flows",
            "auxiliary_collection": f"jf_{name}_auxiliary",
            "batches_collection": f"jf_{name}_batches",
        },
        "jobstore": stores,
        "workers": {worker_name(cluster, kind): describe_worker(cluster, profile, kind) for kind in resource_kinds()},
        "metadata": {"superion_cluster": cluster_label(cluster)},
    }


def describe_worker(cluster: str, profile: ClusterProfile, kind: str) -> dict[str, Any]:
    """Say how jobs of one kind reach a cluster.

    Jobs of dynamics get allocations of their own, unless the profile packs several; relaxations and analyses share
    allocations (jobflow-remote's batch workers).

    Parameters
    ----------
    cluster : str
        Name of the profile, or path of its file.
    profile : ClusterProfile
        The profile.
    kind : str
        Name of the kind.

    Returns
    -------
    dict
        A worker of a project file.
    """
    from .scheduler_io import SCHEDULERS, header_of

    packing = profile.packing_of(kind)
    scheduler = SCHEDULERS[profile.scheduler]
    work = work_folder_of(profile)
    worker: dict[str, Any] = {
        **_host_of(profile),
        "scheduler_type": {"@module": scheduler.__module__, "@class": scheduler.__name__},
        "work_dir": str(work / "runs"),
        "pre_run": "\n".join(shell_lines(profile)),
        "execution_cmd": f"{_python_for_shell(profile)} -m {__package__}.run_job {{}}",
        "max_jobs": packing.allocations,
    }
    if profile.scheduler == "shell":
        return worker | {"max_jobs": packing.allocations * packing.jobs_at_a_time}
    worker["resources"] = header_of(profile.scheduler, allocation_of(profile, kind))
    if is_batched(profile, kind):
        limit_s = float(profile.resources_of(kind).time_limit_s)
        folder = work / "batches" / worker_name(cluster, kind)
        worker["batch"] = {
            "jobs_handle_dir": str(folder / "jobs"),
            "work_dir": str(folder / "allocations"),
            "max_wait": packing.idle_s,
            # What starts late would only be stopped at once.
            "max_time": max(limit_s / 2, limit_s - 2 * profile.stop_margin_s),
            "parallel_jobs": packing.jobs_at_a_time,
            "sleep_time": BATCH_LOOK_S,
        }
    return worker


def is_batched(profile: ClusterProfile, kind: str) -> bool:
    """Say whether jobs of a kind share allocations.

    Parameters
    ----------
    profile : ClusterProfile
        The profile.
    kind : str
        Name of the kind.

    Returns
    -------
    bool
        False for jobs that get an allocation each.
    """
    packing = profile.packing_of(kind)
    usual = load_resource_kind(kind).shares_allocations or packing.jobs_at_a_time > 1
    return profile.scheduler != "shell" and (usual if packing.shared is None else packing.shared)


def work_folder_of(profile: ClusterProfile) -> Path:
    """Give the folder on the cluster, which jobflow-remote wants as an absolute path.

    Parameters
    ----------
    profile : ClusterProfile
        The profile.

    Returns
    -------
    Path
        The folder; `~` and variables are those of this machine where this machine reaches the queue.

    Raises
    ------
    SettingsError
        If it is not absolute.
    """
    folder = profile.work_folder_here() if profile.host is None else Path(profile.work_folder)
    if not folder.is_absolute() or "$" in str(folder):
        raise SettingsError(
            f"The work_folder {profile.work_folder} must be a whole path, from / on, for jobflow-remote: write it out "
            "in the profile."
        )
    return folder


def shell_lines(profile: ClusterProfile) -> list[str]:
    """Give the shell lines before any job.

    Parameters
    ----------
    profile : ClusterProfile
        The profile.

    Returns
    -------
    list of str
        Lines for bash. The address of the store is taken out of the environment, where a queue hands it on: jobs of
        jobflow-remote write into their folders, and the runner writes to the store.
    """
    from ...clusters.shell_text import for_shell

    python = profile.python_of_workers()
    progress = str(work_folder_of(profile) / "progress")
    variables = {
        **profile.environment,
        PROGRESS_FOLDER_VARIABLE: progress,
        STOP_MARGIN_VARIABLE: f"{profile.stop_margin_s:g}",
    }
    lines = ["unset SUPERION_STORE SUPERION_STORE_FILE", f"mkdir -p {for_shell(progress)}", *profile.setup]
    if "/" in python:
        # The command of an allocation that several jobs share is a bare `jf`.
        lines.append(f"export PATH={for_shell(python.rpartition('/')[0])}:$PATH")
    return [*lines, *(f"export {key}={for_shell(str(value))}" for key, value in variables.items())]


def _python_for_shell(profile: ClusterProfile) -> str:
    """Write the interpreter for a line of shell in which jobflow-remote fills braces in."""
    from ...clusters.shell_text import for_shell

    return for_shell(profile.python_of_workers()).replace("{", "{{").replace("}", "}}")


def allocation_of(profile: ClusterProfile, kind: str) -> QResources:
    """Say what one allocation asks for.

    Parameters
    ----------
    profile : ClusterProfile
        The profile.
    kind : str
        Name of the kind.

    Returns
    -------
    QResources
        For qtoolkit.
    """
    from ...clusters.qtoolkit_resources import to_qresources

    return to_qresources(profile.resources_of(kind), f"superion_{kind}", profile.scheduler)


def _host_of(profile: ClusterProfile) -> dict[str, Any]:
    """Say where a worker is."""
    if profile.host is None:
        return {"type": "local"}
    host = profile.host
    names = {
        "host": host.address,
        "user": host.user,
        "port": host.port,
        "key_filename": host.key_file,
        "gateway": host.gateway,
    }
    return {"type": "remote", **{key: value for key, value in names.items() if value is not None}}


def _plain(value: Any) -> Any:
    """Keep only what YAML can say."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _with_address(value: Any, address: str | None) -> Any:
    """Put the full address in where a store left the credentials out."""
    if isinstance(value, dict):
        return {key: _with_address(one, address) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_address(one, address) for one in value]
    return address if address is not None and value == redact_uri(address) else value


def _make_collections(content: dict[str, Any]) -> None:
    """Make the collections of a project, where they are missing: its runner takes them for granted."""
    from jobflow_remote.config.base import Project

    from .connection import open_controller

    open_controller(Project.model_validate(content)).close()
