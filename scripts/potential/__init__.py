"""`superion potential`: kinds of potentials, and potentials that were trained here; one file per command."""

from __future__ import annotations

import typer

from .check import check
from .distil import distil
from .export import export
from .finetune import finetune
from .list_ import list_potentials_command
from .show import show
from .validate import validate

FLOW_CONTEXT = {"ignore_unknown_options": True}
"""A flow has options of its own, which only the flow knows."""

app = typer.Typer(help="List and check potentials; train, validate and export your own.", no_args_is_help=True)
app.command("list")(list_potentials_command)
app.command("check")(check)
app.command("distil", context_settings=FLOW_CONTEXT)(distil)
app.command("finetune", context_settings=FLOW_CONTEXT)(finetune)
app.command("validate", context_settings=FLOW_CONTEXT)(validate)
app.command("show")(show)
app.command("export")(export)
