"""`superion cluster init`: the files by which an engine works on a cluster."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..completion import cluster_names
from ..console import say
from ..options import StoreOption
from .options import EngineOption, ProjectOption

if TYPE_CHECKING:
    from ...workflows.clusters.profile import ClusterProfile

ENGINES = ("fireworks", "jobflow_remote")
"""Engines that need files of their own."""


def init(
    engine: EngineOption = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", metavar="NAME", help="Profile of the cluster, or its file.", autocompletion=cluster_names
        ),
    ] = None,
    store: StoreOption = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            help="Where the files go: for FireWorks ~/.fireworks, for jobflow-remote ~/.jfremote, where not given.",
            show_default=False,
        ),
    ] = None,
    project: ProjectOption = "superion",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Write the files of FireWorks or jobflow-remote for a cluster; asks for what is not given.

    Only you can read them: they hold the address of your database. Nothing is replaced without --force.
    """
    from ...workflows.clusters.find import find_cluster, read_cluster

    engine = _engine(engine or _asked("engine", "--engine", default=ENGINES[0], choices=ENGINES))
    cluster = cluster or _asked("cluster profile", "--cluster", default=None, choices=tuple(cluster_names()))
    path = find_cluster(cluster)
    profile = read_cluster(path)
    address = store or _address()
    if engine == "fireworks":
        _fireworks(path.stem, profile, address, folder or Path("~/.fireworks"), force=force)
    else:
        _jobflow_remote(cluster, profile, address, folder, project, force=force)


def _engine(name: str) -> str:
    from ...errors import SettingsError

    if name not in ENGINES:
        raise SettingsError(f"There is no engine '{name}' that needs files: there are {' and '.join(ENGINES)}.")
    return name


def _address() -> str:
    """Take the store's address from the environment, or ask for it without showing it."""
    from ...database.settings import store_from_environment

    return store_from_environment() or _asked("address of the result store, mongodb://…", "--store", hidden=True)


def _asked(
    subject: str, option: str, *, default: str | None = None, choices: tuple[str, ...] = (), hidden: bool = False
) -> str:
    """Ask at a terminal; elsewhere say which option is missing."""
    from ...errors import SettingsError

    if not sys.stdin.isatty():
        known = f", one of {', '.join(choices)}" if choices else ""
        raise SettingsError(f"The {subject} is not given: add {option}{known}.")
    text = f"{subject} ({', '.join(choices)})" if choices else subject
    return str(typer.prompt(text, default=default, hide_input=hidden, err=True))


def _fireworks(cluster: str, profile: ClusterProfile, address: str, folder: Path, *, force: bool) -> None:
    from ...database.settings import STORE_FILE_VARIABLE
    from ...errors import StoreError
    from ...workflows.dispatch.fireworks_engine.config_files import (
        LAUNCHPAD_FILE,
        WORKER_FILE,
        launch_command,
        write_fireworks_files,
    )
    from ...workflows.dispatch.fireworks_engine.launchpad import make_ready, open_launchpad
    from ...workflows.dispatch.fireworks_engine.marks import ADDRESS_FILE

    folder = folder.expanduser().absolute()
    for path in write_fireworks_files(cluster, profile, address, folder, overwrite=force):
        say(f"wrote {path}")
    try:
        make_ready(open_launchpad(address, folder / LAUNCHPAD_FILE))
    except StoreError as error:
        say(f"warning: {error}")
    else:
        say("the launchpad is ready")
    say(f"campaigns: `dispatch: {{engine: fireworks, cluster: {cluster}, launchpad: {folder / LAUNCHPAD_FILE}}}`")
    if profile.scheduler == "shell":
        worker = launch_command(profile, "md", folder, folder / WORKER_FILE).removeprefix("exec ")
        say(f"flows of your own: `{STORE_FILE_VARIABLE}={folder / ADDRESS_FILE} {worker}`")
    else:
        say(f"flows of your own: `qlaunch -c {folder} rapidfire`")


def _jobflow_remote(
    cluster: str, profile: ClusterProfile, address: str, folder: Path | None, project: str, *, force: bool
) -> None:
    from ...workflows.dispatch.jobflow_remote_engine.project_file import write_project

    path = write_project(
        project, cluster, profile, address, folder=folder.expanduser().absolute() if folder else None, overwrite=force
    )
    say(f"wrote {path}")
    say(f"campaigns: `dispatch: {{engine: jobflow_remote, cluster: {cluster}, project: {project}}}`")
    where = f"JFREMOTE_PROJECTS_FOLDER={shlex.quote(str(path.parent))} " if folder else ""
    if where:
        say(f"superion and jobflow-remote find it there by {where.strip()} in their environment")
    say(f"start its runner on a host that reaches the queue: `{where}jf -p {project} runner start`")
