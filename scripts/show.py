"""`superion show`: one document, for reading or as JSON."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import results_console, write_json
from .options import JsonOption, StoreOption


def show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Uuid of a document, or its first characters; or the name of a run.")
    ],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one document."""
    from ..workflows.presenters.registry import presenter_of
    from ..workflows.report.sections.registry import section_of
    from .find_document import find_document

    stored = find_document(identifier, store)
    if as_json:
        write_json(stored.document)
        return
    console = results_console()
    presenter_of(stored.document.doc_type).print(stored.document, console)
    if section_of(stored.document.doc_type) is not None:
        console.print(f"\nHTML report: superion report {stored.uuid[:8]}", markup=False)
