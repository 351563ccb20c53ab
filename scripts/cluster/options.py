"""Arguments and options that the commands on clusters share."""

from __future__ import annotations

from typing import Annotated

import typer

from ..completion import cluster_names

ProfileArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Name of a profile (`superion cluster list`), or its file.", autocompletion=cluster_names
    ),
]

EngineOption = Annotated[
    str | None,
    typer.Option("--engine", metavar="ENGINE", help="fireworks or jobflow_remote.", show_default=False),
]

ProjectOption = Annotated[str, typer.Option("--project", metavar="NAME", help="Name of the jobflow-remote project.")]
