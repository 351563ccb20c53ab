"""The files by which FireWorks' own commands reach a cluster: launchpad, workers, queue adapters, and their folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from ....database.mongo_server import SERVER_TIMEOUT_MS, database_in_uri
from ....database.server_patience import CONNECT_PATIENCE_VARIABLE, PATIENCE_VARIABLE, write_patience_s
from ....database.settings import STORE_FILE_VARIABLE
from ....errors import SettingsError
from ....runtime.resource_kind import resource_kinds
from ...clusters.fireworks_adapter import to_queue_adapter
from ...clusters.job_script import job_environment
from ...clusters.private_file import write_private_text
from ...clusters.profile import ClusterProfile
from ...clusters.shell_text import for_shell
from .launchpad import require_server
from .marks import ADDRESS_FILE, category_of
from .pilots import PILOT_MODULE

LAUNCHPAD_FILE = "my_launchpad.yaml"
WORKER_FILE = "my_fworker.yaml"

WITHOUT_KIND = "__none__"
"""FireWorks' word for jobs without a category: those of flows that somebody else put onto the launchpad."""


def fireworks_files(cluster: str, profile: ClusterProfile, store_address: str, folder: Path) -> dict[str, str]:
    """Write what FireWorks' commands need to work on a cluster, as texts.

    A worker and a queue adapter for each kind of superion's jobs, and `my_fworker.yaml` and `my_qadapter.yaml` for jobs
    without a kind, with the resources of dynamics. Only the launchpad's file and the address's hold credentials.

    Parameters
    ----------
    cluster : str
        Name of the profile.
    profile : ClusterProfile
        The profile.
    store_address : str
        Address of the result store on a MongoDB server; the launchpad lies in the same database.
    folder : Path
        Folder that they will lie in.

    Returns
    -------
    dict of str to str
        Texts by name of the file.

    Raises
    ------
    StoreError
        If the address is no MongoDB server's.
    SettingsError
        If the profile's queue is on another host.
    """
    require_server(store_address)
    if profile.host is not None:
        raise SettingsError(
            f"FireWorks submits on the host where it runs, and the profile {cluster} names {profile.host.address}: run "
            "this there with `host: null` in the profile, or take --engine jobflow_remote."
        )
    folder = folder.absolute()
    files = {LAUNCHPAD_FILE: _yaml(_launchpad(store_address)), ADDRESS_FILE: f"{store_address}\n"}
    kinds: list[tuple[str, str, str]] = [(f"_{kind}", category_of(cluster, kind), kind) for kind in resource_kinds()]
    for suffix, category, kind in [*kinds, ("", WITHOUT_KIND, "md")]:
        worker = {"name": f"{cluster}{suffix}", "category": category, "query": "{}", "env": {}}
        files[f"my_fworker{suffix}.yaml"] = _yaml(worker)
        if profile.scheduler != "shell":
            command = launch_command(profile, kind, folder, folder / f"my_fworker{suffix}.yaml")
            environment = {
                CONNECT_PATIENCE_VARIABLE: profile.environment.get(PATIENCE_VARIABLE, f"{write_patience_s():g}"),
                **job_environment(profile),
                STORE_FILE_VARIABLE: str(folder / ADDRESS_FILE),
            }
            adapter = to_queue_adapter(
                profile, kind, command, job_name=f"superion{suffix.replace('_', '-')}", environment=environment
            )
            files[f"my_qadapter{suffix}.yaml"] = str(adapter.to_format("yaml"))
    files["FW_config.yaml"] = _yaml({"CONFIG_FILE_DIR": str(folder), "PING_TIME_SECS": round(profile.heartbeat_s)})
    return files


def write_fireworks_files(
    cluster: str, profile: ClusterProfile, store_address: str, folder: Path, *, overwrite: bool = False
) -> list[Path]:
    """Write the files of `fireworks_files`.

    Parameters
    ----------
    cluster : str
        Name of the profile.
    profile : ClusterProfile
        The profile.
    store_address : str
        Address of the result store.
    folder : Path
        Where to; it is made where it is missing.
    overwrite : bool
        Whether files that are there may be replaced.

    Returns
    -------
    list of Path
        The files; those with credentials can be read by their owner only.

    Raises
    ------
    SettingsError
        If a file is there already, or `fireworks_files` raises.
    """
    files = fireworks_files(cluster, profile, store_address, folder)
    there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        raise SettingsError(
            f"{folder} has {', '.join(there)} already: choose another folder, or replace them with --force."
        )
    for name, text in files.items():
        # All of them are one person's own: others have nothing to look for in a launchpad's folder.
        write_private_text(folder / name, text)
    return [folder / name for name in files]


def launch_command(profile: ClusterProfile, kind: str, folder: Path, worker_file: Path) -> str:
    """Write the line that works off a launchpad inside an allocation.

    It starts a pilot: FireWorks' own rapidfire would take the continuation of a trajectory that was stopped at once, in
    a process that must not begin anything any more, and report it as failed.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    kind : str
        Name of the kind.
    folder : Path
        Folder of the launchpad's file.
    worker_file : Path
        File of the worker.

    Returns
    -------
    str
        A pilot in the current folder, with as many jobs side by side as the profile packs.
    """
    packing = profile.packing_of(kind)
    command = ["-P", "-m", PILOT_MODULE, "--worker-file", str(worker_file), "--launchpad", str(folder / LAUNCHPAD_FILE)]
    command += ["--folder", ".", "--workers", str(packing.jobs_at_a_time), "--idle-s", f"{packing.idle_s:g}"]
    command += ["--heartbeat-s", f"{profile.heartbeat_s:g}"]
    return f"exec {for_shell(profile.python_of_workers())} {shlex.join(command)}"


def _launchpad(address: str) -> dict[str, Any]:
    # What stands in the address wins.
    own = "serverselectiontimeoutms=" in address.lower()
    return {
        "host": address,
        "name": database_in_uri(address),
        "uri_mode": True,
        "logdir": None,
        "strm_lvl": "INFO",
        "user_indices": [],
        "wf_user_indices": [],
        "mongoclient_kwargs": {} if own else {"serverSelectionTimeoutMS": SERVER_TIMEOUT_MS},
    }


def _yaml(content: dict[str, Any]) -> str:
    return str(yaml.safe_dump(content, sort_keys=False))
