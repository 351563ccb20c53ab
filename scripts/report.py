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
    from ..database.documents import ConductivityDoc, SuperionDocument


def report(
    identifiers: Annotated[
        list[str], typer.Argument(metavar="ID|RUN...", help="Conductivity documents, or runs; several make one page.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="HTML file; in the project folder if not given."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the HTML report of one or several conductivity results."""
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
        Conductivity documents.
    output : Path or None
        The file; None chooses one in the project's folder of reports.
    store : str or None
        Where the documents of their temperatures lie.
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
        If a document is not a conductivity, or the file cannot be written.
    """
    from ..database.documents import ConductivityDoc, DiffusionDoc
    from ..database.queries import iterate_documents
    from ..workflows.report import write_report
    from .opened_store import opened_store

    materials: list[ConductivityDoc] = []
    for document in documents:
        if not isinstance(document, ConductivityDoc):
            raise StoreError(
                f"A report needs a conductivity document, and this one is a '{document.doc_type}'; "
                "`superion list --type conductivity` names those there are."
            )
        materials.append(document)
    with opened_store(store, near=near) as opened:
        diffusion = [
            found
            for formula in {document.formula for document in materials}
            for found in iterate_documents(opened, DiffusionDoc, formula=formula)
        ]
    target = output or _default_path(materials, near)
    return write_report(materials, target, diffusion=diffusion, command=command)


def _default_path(documents: Sequence[ConductivityDoc], near: Path | None) -> Path:
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
