"""`superion cluster`: profiles of clusters, and the set-up of the engines that use them; one file per command."""

from __future__ import annotations

import typer

from .check import check
from .init import init
from .list_ import list_profiles
from .show import show

app = typer.Typer(help="Clusters: their profiles, the set-up of an engine, and a check of both.", no_args_is_help=True)
app.command("list")(list_profiles)
app.command("show")(show)
app.command("init")(init)
app.command("check")(check)
