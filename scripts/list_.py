"""`superion list`: what the store holds, and which runs there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .console import results_console, say, write_json
from .options import JsonOption, StoreOption

if TYPE_CHECKING:
    from collections.abc import Sequence


def list_documents_command(
    doc_type: Annotated[
        str | None,
        typer.Option(
            "--type", metavar="KIND", help="Only this kind of document.", autocompletion=completion.document_types
        ),
    ] = None,
    formula: Annotated[str | None, typer.Option("--formula", help="Only this reduced formula.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many, newest first; 0 for all.")] = 50,
    runs: Annotated[bool, typer.Option("--runs", help="List the local runs in place of documents.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List documents, newest first; --runs lists the local runs."""
    if runs:
        _list_runs(as_json=as_json)
        return
    from ..database.queries import list_documents
    from ..workflows.presenters.registry import presenter_of
    from .opened_store import opened_store

    with opened_store(store) as opened:
        heads = list_documents(opened, doc_type=doc_type, formula=formula, limit=limit)
    if as_json:
        write_json(heads)
        return
    if not heads:
        say("no such documents; `superion run FLOW INPUT` makes the first, and `superion flow list` names the flows")
        return
    _print_table(
        ("id", "type", "formula", "label", "state", "result", "created"),
        [
            (
                head.uuid[:8],
                head.doc_type,
                head.formula,
                head.label,
                head.state or "",
                presenter_of(head.doc_type).result(head.values),
                f"{head.created_at:%Y-%m-%d %H:%M}" if head.created_at else "",
            )
            for head in heads
        ],
    )


def _list_runs(*, as_json: bool) -> None:
    """List the local runs of the project."""
    from .find_run import all_runs
    from .run_request import read_request, read_status

    rows: list[dict[str, Any]] = []
    for folder in all_runs():
        request, status = read_request(folder), read_status(folder)
        over = [job for job in status["jobs"] if job["status"] in ("completed", "failed", "skipped")]
        rows.append(
            {
                "run": folder.name,
                "state": status["state"],
                "jobs_over": len(over),
                "jobs": len(status["jobs"]),
                "flow": request.flow,
                "label": request.label,
                "output_uuids": request.output_uuids,
                "command": request.command,
            }
        )
    if as_json:
        write_json(rows)
        return
    if not rows:
        say("no runs here; `superion run FLOW INPUT` starts one, and `superion flow list` names the flows")
        return
    _print_table(
        ("run", "state", "jobs", "material", "command"),
        [(row["run"], row["state"], f"{row['jobs_over']}/{row['jobs']}", row["label"], row["command"]) for row in rows],
    )


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of plain text."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title == "id")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    results_console().print(table)
