"""`superion flow`: which flows there are, and what their settings are."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion
from .options import JsonOption

app = typer.Typer(help="List the flows, or show the settings of one.", no_args_is_help=True)


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the registered flows."""


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="Name of a flow.", autocompletion=completion.flow_names)],
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", metavar="NAME", help="With the settings of a preset.", autocompletion=completion.preset_names
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the settings of a flow, by the names that --set takes."""
