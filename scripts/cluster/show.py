"""`superion cluster show`: a profile as it is written, or the scripts that come of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import write_json
from ..options import JsonOption
from .options import ProfileArgument

if TYPE_CHECKING:
    from ...workflows.clusters.profile import ClusterProfile


def show(
    name: ProfileArgument,
    script: Annotated[
        str | None,
        typer.Option("--script", metavar="KIND", help="Show the queue's script for relax, md or analysis instead."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a profile as its file has it, comments too: the beginning of one of your own."""
    from ...workflows.clusters.find import find_cluster, read_cluster

    path = find_cluster(name)
    profile = read_cluster(path)
    if script is not None:
        sys.stdout.write(_script(profile, script))
    elif as_json:
        write_json(profile)
    else:
        sys.stdout.write(path.read_text(encoding="utf-8"))


def _script(profile: ClusterProfile, kind: str) -> str:
    from ...workflows.clusters.fireworks_adapter import to_queue_adapter

    adapter = to_queue_adapter(profile, kind, "# the work comes here")
    return str(adapter.get_script_str(str(profile.work_folder_here())))
