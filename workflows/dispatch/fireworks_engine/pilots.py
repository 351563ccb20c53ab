"""Putting pilots into the queue, as many as the ready jobs need and the profile allows."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from fireworks import LaunchPad
from fireworks.fw_config import SUBMIT_SCRIPT_NAME

from ....database.mongo_server import hosts_in_uri
from ....database.server_patience import CONNECT_PATIENCE_VARIABLE, PATIENCE_VARIABLE, write_patience_s
from ....database.settings import STORE_FILE_VARIABLE, STORE_VARIABLE, own_store_file
from ....errors import StoreError
from ....files import write_text_atomically
from ....runtime.resource_kind import load_resource_kind, resource_kinds
from ...clusters.job_script import job_environment, preparation_lines
from ...clusters.private_file import write_private_text
from ...clusters.profile import ClusterProfile
from ...clusters.shell_text import for_shell
from .marks import ADDRESS_FILE, category_of
from .pilot_place import alive_file, job_part, new_pilot_name, pilot_prefix, pilot_script, pilots_folder
from .queue_listing import TIMEOUT_S, QueuedPilot

PILOT_MODULE = "superion.workflows.dispatch.fireworks_engine.pilot"

_NUMBER = re.compile(r"\d[\w.\[\]-]*")


def worker_environment(profile: ClusterProfile, work_folder: Path, store_address: str) -> dict[str, str]:
    """Give the variables that pilots need, and put what is secret into a file that only its owner reads.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    work_folder : Path
        Its work folder.
    store_address : str
        Address of the result store.

    Returns
    -------
    dict of str to str
        Variables; none is secret.

    Raises
    ------
    StoreError
        If the user's own file with an address cannot be used.
    """
    address_file = own_store_file(store_address)
    if address_file is None:
        address_file = str(work_folder / ADDRESS_FILE)
        write_private_text(Path(address_file), f"{store_address}\n")
    return {
        STORE_FILE_VARIABLE: address_file,
        "SUPERION_SPOOL_FOLDER": str(work_folder / "spool"),
        CONNECT_PATIENCE_VARIABLE: profile.environment.get(PATIENCE_VARIABLE, f"{write_patience_s():g}"),
        **job_environment(profile),
    }


def n_pilots_wanted(n_ready: int, n_running: int, pilots: int, jobs_at_a_time: int, allocations: int) -> int:
    """Say how many more pilots are worth their place in the queue.

    Parameters
    ----------
    n_ready : int
        Jobs that could start.
    n_running : int
        Jobs that pilots have in hand.
    pilots : int
        Pilots that wait or run.
    jobs_at_a_time : int
        Jobs side by side in one pilot.
    allocations : int
        Most pilots.

    Returns
    -------
    int
        Zero or more.

    Examples
    --------
    >>> n_pilots_wanted(n_ready=1000, n_running=0, pilots=0, jobs_at_a_time=4, allocations=10)
    10
    >>> n_pilots_wanted(n_ready=3, n_running=4, pilots=1, jobs_at_a_time=4, allocations=10)
    1
    """
    if n_ready == 0:
        return 0
    enough = -(-(n_ready + n_running) // jobs_at_a_time)
    return max(0, min(enough, allocations) - pilots)


def count_jobs(launchpad: LaunchPad, cluster: str) -> dict[str, Counter[str]]:
    """Count ready and running jobs by kind.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    cluster : str
        Name of the cluster's profile.

    Returns
    -------
    dict of str to Counter
        Counts by state, READY and RUNNING, of all campaigns: they share the pilots.
    """
    kinds = {category_of(cluster, kind): kind for kind in resource_kinds()}
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in resource_kinds()}
    pipeline = [
        {"$match": {"spec._category": {"$in": list(kinds)}, "state": {"$in": ["READY", "RUNNING", "RESERVED"]}}},
        {"$group": {"_id": {"category": "$spec._category", "state": "$state"}, "n": {"$sum": 1}}},
    ]
    for group in launchpad.fireworks.aggregate(pipeline):
        state = "READY" if group["_id"]["state"] == "READY" else "RUNNING"
        counts[kinds[group["_id"]["category"]]][state] += group["n"]
    return counts


def submit_pilot(
    launchpad: LaunchPad,
    profile: ClusterProfile,
    cluster: str,
    kind: str,
    prefix: str,
    environment: Mapping[str, str],
    launchpad_file: str | None,
) -> str:
    """Put one pilot into the queue.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    profile : ClusterProfile
        The cluster.
    cluster : str
        Its name.
    kind : str
        Name of the kind.
    prefix : str
        What its name begins with.
    environment : mapping of str to str
        Variables of its processes.
    launchpad_file : str or None
        File of the launchpad; None for the result store's server.

    Returns
    -------
    str
        Its number in the queue.

    Raises
    ------
    StoreError
        If the queue does not take it.
    """
    name = new_pilot_name(prefix)
    folder = pilots_folder(profile.work_folder_here()) / kind / name
    folder.mkdir(parents=True)
    command = _pilot_command(profile, cluster, kind, folder, launchpad_file)
    if profile.scheduler == "shell":
        return _start_process(profile, folder, command, environment)
    from ...clusters.fireworks_adapter import to_queue_adapter

    adapter = to_queue_adapter(profile, kind, command, job_name=name, environment=environment)
    script = folder / SUBMIT_SCRIPT_NAME
    write_text_atomically(script, adapter.get_script_str(str(folder)))
    return _submit(adapter.q_commands[adapter.q_type]["submit_cmd"], script, cluster, kind)


def _submit(command: str, script: Path, cluster: str, kind: str) -> str:
    """Hand a script to the queue; say in its own words why it does not take it."""
    try:
        answer = subprocess.run(
            [command, script.name],
            cwd=script.parent,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(
            f"The queue of the cluster {cluster} does not answer ({command}: {type(error).__name__}): see that this "
            "host can submit to it."
        ) from None
    found = _NUMBER.search(answer.stdout)
    if answer.returncode != 0 or found is None:
        words = (answer.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise StoreError(
            f"The queue of the cluster {cluster} does not take an allocation for {kind} ({words}): mend its profile; "
            f"`superion cluster check {cluster}` tries it."
        )
    return found[0]


def _pilot_command(profile: ClusterProfile, cluster: str, kind: str, folder: Path, launchpad_file: str | None) -> str:
    """Write the line that starts a pilot."""
    packing = profile.packing_of(kind)
    command = ["-P", "-m", PILOT_MODULE]
    command += ["--category", category_of(cluster, kind), "--folder", str(folder)]
    for other in resource_kinds() if packing.takes_analyses else ():
        if other != kind and load_resource_kind(other).runs_anywhere:
            command += ["--category", category_of(cluster, other)]
    command += ["--workers", str(packing.jobs_at_a_time), "--idle-s", f"{packing.idle_s:g}"]
    command += ["--heartbeat-s", f"{profile.heartbeat_s:g}"]
    if launchpad_file is not None:
        command += ["--launchpad", str(Path(launchpad_file).expanduser().absolute())]
    if profile.scheduler == "shell":
        command.append("--without-queue")
    # The store is the campaign's, whatever the submitting shell says. And the queue's signals reach the shell of the
    # script first: the pilot takes its place.
    return f"unset {STORE_VARIABLE}\nexec {for_shell(profile.python_of_workers())} {shlex.join(command)}"


def _start_process(profile: ClusterProfile, folder: Path, command: str, environment: Mapping[str, str]) -> str:
    """Start a pilot here, where there is no queue."""
    script = pilot_script(folder)
    write_text_atomically(script, "\n".join(["#!/bin/bash", *preparation_lines(profile, environment), command, ""]))
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            ["bash", str(script)], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    # The script becomes the pilot, under this number; until then, too, it counts.
    run_folder = folder / job_part(str(process.pid))
    run_folder.mkdir(exist_ok=True)
    alive_file(run_folder).touch()
    return str(process.pid)


def prefixes(launchpad: LaunchPad, work_folder: str, cluster: str) -> dict[str, str]:
    """Give what the names of pilots begin with, by kind.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    work_folder : str
        The profile's work folder.
    cluster : str
        Name of the cluster.

    Returns
    -------
    dict of str to str
        By kind.
    """
    # By its address: which members of a replica set answer changes with time, and pilots would not be known again.
    mark = f"{hosts_in_uri(launchpad.host) if launchpad.uri_mode else launchpad.host}:{launchpad.port}/{launchpad.name}"
    return {kind: pilot_prefix(mark, work_folder, cluster, kind) for kind in resource_kinds()}


def count_pilots(pilots: list[QueuedPilot], names: Mapping[str, str]) -> Counter[str]:
    """Count pilots by kind.

    Parameters
    ----------
    pilots : list of QueuedPilot
        What the queue has.
    names : mapping of str to str
        Beginnings of names, by kind.

    Returns
    -------
    Counter
        Pilots by kind.
    """
    return Counter(kind for kind, prefix in names.items() for pilot in pilots if pilot.name.startswith(prefix))
