"""`superion campaign`: many candidates through stages, from one file; one file per command."""

from __future__ import annotations

import typer

from .check import check
from .plan import plan
from .schema import schema

app = typer.Typer(help="Screen many candidates: check, plan, run and rank a campaign.", no_args_is_help=True)
app.command("check")(check)
app.command("plan")(plan)
app.command("schema")(schema)
