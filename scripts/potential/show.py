"""`superion potential show`: what is known of a trained potential."""

from __future__ import annotations

from typing import Annotated

import typer

from ..completion import student_names
from ..console import results_console, write_json
from ..options import JsonOption, StoreOption

StudentArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME|SHA256",
        help="Name of a potential trained here, or the first 8 or more characters of a sha256 of its weights or file.",
        autocompletion=student_names,
    ),
]


def show(name: StudentArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show a trained potential: what it learnt from, its errors, and whether it may be trusted."""
    from ...database.student_potentials import require_student_potential
    from ...workflows.presenters.registry import presenter_of
    from ..opened_store import opened_store

    with opened_store(store) as opened:
        student = require_student_potential(opened, name)
    if as_json:
        write_json(dict(student.document.without_content()))
        return
    console = results_console()
    presenter_of(student.document.doc_type).print(student.document, console)
    console.print(f"\nHTML report: superion report {student.uuid[:8]}", markup=False)
