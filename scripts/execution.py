"""What `run` and `resume` have in common: show the run, then its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .console import results_console, say, write_json
from .progress import progress_view

if TYPE_CHECKING:
    from ..database.queries import StoredDocument
    from ..workflows.dispatch.events import LocalRunReport, RunEvent
    from .run_request import RunRequest

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def watch_and_answer(
    drive: Callable[[Callable[[RunEvent], None]], LocalRunReport],
    request: RunRequest,
    run_folder: Path,
    *,
    as_json: bool,
    is_resumed: bool = False,
) -> None:
    """Drive a run, show its progress and print its answer.

    Parameters
    ----------
    drive : callable
        Runs the flow; takes the function that is told of events, returns the report of the run.
    request : RunRequest
        What was asked for.
    run_folder : pathlib.Path
        Folder of the run.
    as_json : bool
        Whether the answer goes to standard output as JSON.
    is_resumed : bool
        Whether a part of the run may have been computed before.

    Raises
    ------
    typer.Exit
        With a non-zero status where the run failed or was stopped.
    """
    n_started = 0
    with progress_view(quiet=False) as view:

        def on_event(event: RunEvent) -> None:
            nonlocal n_started
            n_started += event.kind == "job_started"
            view.on_event(event)

        ended = drive(on_event)
    was_complete = is_resumed and n_started == 0 and ended.state == "completed"
    if was_complete:
        say("the run had ended before; nothing was left to compute, and this is its answer")
    if ended.state == "stopped":
        say(f"stopped by {ended.signal_name}. {ended.resume_hint}")
        if as_json:
            write_json({"run": run_folder.name, "state": ended.state, "documents": []})
        raise typer.Exit(INTERRUPTED)
    for job in ended.failures:
        # The reason was told when it happened.
        if job.log:
            say(f"log of {job.name}: {job.log}")
    found = _documents(request, run_folder)
    report = _report(found, request, run_folder)
    empty = [why for stored in found if (why := stored.document.why_empty()) is not None]
    is_empty = bool(found) and len(empty) == len(found)
    state = "failed" if is_empty else ended.state
    if as_json:
        write_json(
            {
                "run": run_folder.name,
                "state": state,
                "elapsed_s": ended.elapsed_s,
                "failures": [{"job": job.name, "reason": job.reason, "log": job.log} for job in ended.failures],
                "without_result": empty,
                "report": report,
                "documents": [stored.document for stored in found],
            }
        )
    else:
        _print(found, report, "" if was_complete else _time(ended.elapsed_s, is_resumed))
    if ended.state == "failed":
        if not found:
            say(f"error: the run gave no result; mend the cause and continue with `superion resume {run_folder.name}`.")
        else:
            say(f"error: part of the run failed; `superion resume {run_folder.name}` tries that part again.")
    elif is_empty:
        say(f"error: {'; '.join(empty)}.")
    if state == "failed":
        raise typer.Exit(1)


def _documents(request: RunRequest, run_folder: Path) -> list[StoredDocument]:
    """Fetch the documents that answer the request, as far as they are there."""
    from ..database.queries import get_document
    from ..errors import StoreError
    from .opened_store import opened_store

    found = []
    with opened_store(request.store, near=run_folder) as store:
        for uuid in request.output_uuids:
            try:
                found.append(get_document(store, uuid))
            except StoreError:
                continue
    return found


def _report(found: list[StoredDocument], request: RunRequest, run_folder: Path) -> Path | None:
    """Write the HTML report of the documents whose kind has one."""
    from ..errors import SuperionError
    from ..workflows.report.sections.registry import section_of
    from .report import write_report_of

    documents = [stored.document for stored in found if section_of(stored.document.doc_type) is not None]
    if not documents:
        return None
    try:
        return write_report_of(documents, output=None, store=request.store, near=run_folder, command=request.command)
    except SuperionError as error:
        # The numbers are safe in the store; a report that cannot be written must not hide them.
        say(f"warning: {error}")
        return None


def _time(elapsed_s: float, is_resumed: bool) -> str:
    """Say how long it took."""
    from ..workflows.report.numbers import format_duration

    return f"{format_duration(elapsed_s)}{' since it was resumed' if is_resumed else ''}"


def _print(found: list[StoredDocument], report: Path | None, time: str) -> None:
    """Print documents for a reader, and where to find more."""
    from ..workflows.presenters.registry import presenter_of

    console = results_console()
    for stored in found:
        console.print()
        presenter_of(stored.document.doc_type).print(stored.document, console)
    if found:
        console.print()
    if found and time:
        console.print(f"time     {time}", markup=False)
    if report is not None:
        console.print(f"report   {report}", markup=False, soft_wrap=True)
    for stored in found:
        console.print(f"query    superion show {stored.uuid[:8]} --json", markup=False)
