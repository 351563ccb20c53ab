"""The `superion` command: puts the commands together and turns errors into sentences."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .. import __version__
from .analyze import analyze
from .campaign import app as campaign_app
from .cluster import app as cluster_app
from .db import app as db_app
from .doctor import doctor
from .failure import DEBUG_OPTION, report_failure, warnings_as_sentences
from .flow import app as flow_app
from .list_ import list_documents_command
from .potential import app as potential_app
from .query import query
from .report import report
from .resume import resume
from .run import run
from .show import show
from .threshold_options import ThresholdCommand
from .trajectory import app as trajectory_app

app = typer.Typer(
    name="superion",
    help="Find superionic conductors: from a crystal structure to its ionic conductivity, with an interval.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# A flow has options of its own, which only the flow knows.
app.command("run", context_settings={"ignore_unknown_options": True})(run)
app.command("resume")(resume)
app.command("analyze")(analyze)
app.command("report")(report)
app.command("show")(show)
app.command("list")(list_documents_command)
# Properties bring limits of their own along.
app.command("query", cls=ThresholdCommand)(query)
app.command("doctor")(doctor)
app.add_typer(campaign_app, name="campaign")
app.add_typer(cluster_app, name="cluster")
app.add_typer(db_app, name="db")
app.add_typer(flow_app, name="flow")
app.add_typer(potential_app, name="potential")
app.add_typer(trajectory_app, name="trajectory")


def _print_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        typer.echo(f"superion {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG_OPTION, help="Show the full traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Options of every command; `main` takes the debug option before they are parsed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the program's name; those of the process where not given.

    Returns
    -------
    int
        Exit status: 0 for success, 1 for an error, 2 for wrong usage, 130 after an interrupt.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    end_of_options = given.index("--") if "--" in given else len(given)
    debug = DEBUG_OPTION in given[:end_of_options]
    given = [word for position, word in enumerate(given) if position >= end_of_options or word != DEBUG_OPTION]
    try:
        with warnings_as_sentences():
            app(args=given, prog_name="superion")
    except SystemExit as end:
        return _status(end.code)
    except Exception as error:
        return report_failure(error, debug=debug)
    return 0


def _status(code: object) -> int:
    """Turn what a SystemExit carries into an exit status."""
    if code is None:
        return 0
    return code if isinstance(code, int) else 1


if __name__ == "__main__":
    sys.exit(main())
