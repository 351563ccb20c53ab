"""`superion campaign`: many candidates through stages, from one file; one file per command."""

from __future__ import annotations

import typer

from .cancel import cancel
from .check import check
from .compare import compare
from .cost import cost
from .export import export
from .extend import extend
from .import_ import import_
from .logs import logs
from .pause import pause
from .plan import plan
from .rank import rank
from .report import report
from .resume import resume
from .retry import retry
from .run import run
from .schema import schema
from .status import status
from .submit import submit

app = typer.Typer(help="Screen many candidates: check, plan, run and rank a campaign.", no_args_is_help=True)
app.command("check")(check)
app.command("plan")(plan)
app.command("schema")(schema)
app.command("submit")(submit)
app.command("run")(run)
app.command("status")(status)
app.command("logs")(logs)
app.command("pause")(pause)
app.command("cancel")(cancel)
app.command("resume")(resume)
app.command("retry")(retry)
app.command("extend")(extend)
app.command("rank")(rank)
app.command("report")(report)
app.command("compare")(compare)
app.command("cost")(cost)
app.command("export")(export)
app.command("import")(import_)
