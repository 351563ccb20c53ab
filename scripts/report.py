"""`superion report`: the HTML report of a result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import StoreError
from .console import say, write_json
from .options import JsonOption, StoreOption

if TYPE_CHECKING:
    from ..database.documents import SuperionDocument


def report(
    identifiers: Annotated[
        list[str], typer.Argument(metavar="ID|RUN...", help="Documents, or runs; several make one page.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="HTML file; in the project folder if not given."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the HTML report of one or several results."""
    from .find_document import find_document
    from .find_run import find_run
    from .run_request import read_request

    documents = [find_document(identifier, store).document for identifier in identifiers]
    command = None
    folder = find_run(identifiers[0]) if len(identifiers) == 1 else None
    if folder is not None:
        request = read_request(folder)
        command, store = request.command, store or request.store
    path = write_report_of(documents, output=output, store=store, near=folder, command=command)
    if as_json:
        write_json({"report": path})
        return
    typer.echo(path)
    say("open it in a browser; it is one file and needs no network")


def write_report_of(
    documents: Sequence[SuperionDocument],
    *,
    output: Path | None,
    store: str | None,
    near: Path | None = None,
    command: str | None = None,
) -> Path:
    """Write the report of stored documents.

    Parameters
    ----------
    documents : sequence of SuperionDocument
        Documents of kinds that have a report.
    output : Path or None
        The file; None chooses one in the project's folder of reports.
    store : str or None
        Where the documents that stand behind them lie.
    near : Path, optional
        A folder inside the project, where it is not the current one.
    command : str, optional
        The command that repeats the calculation.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If a document is of a kind without a report, or the file cannot be written.
    """
    from ..workflows.report import write_report
    from ..workflows.report.sections.registry import require_section
    from .opened_store import opened_store

    sections = [require_section(document.doc_type) for document in documents]
    with opened_store(store, near=near) as opened:
        behind = [
            found
            for document, section in zip(documents, sections, strict=True)
            for found in section.related(document, opened)
        ]
    # A document that stands behind several is told of once.
    related = {document.provenance.job_uuid or id(document): document for document in behind}
    return write_report(
        documents, output or _default_path(documents, near), related=list(related.values()), command=command
    )


def _default_path(documents: Sequence[SuperionDocument], near: Path | None) -> Path:
    """Choose a file in the project's folder of reports, named after the material and its document."""
    from ..database.project import find_project

    try:
        folder = find_project(near).reports
    except StoreError:
        folder = Path.cwd()
    first = documents[0]
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in first.label or first.formula)
    parts = [plain.strip("-")[:60] or "report", (first.provenance.job_uuid or "")[:8]]
    if len(documents) > 1:
        parts.append(f"and-{len(documents) - 1}-more")
    return folder / f"{'-'.join(part for part in parts if part)}.html"
