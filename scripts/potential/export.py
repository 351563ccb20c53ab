"""`superion potential export`: the model file of a trained potential."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import StoreError
from ..console import say
from ..options import StoreOption
from .show import StudentArgument


def export(
    name: StudentArgument,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File to write, or a folder for a file of that name.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    store: StoreOption = None,
) -> None:
    """Write the model file of a trained potential, as `--potential mace:FILE` reads it."""
    from ...database.student_potentials import model_file_content, require_student_potential
    from ...files import write_bytes_atomically
    from ...potentials.model_file import SUFFIX
    from ..opened_store import opened_store

    with opened_store(store) as opened:
        student = require_student_potential(opened, name)
        content = model_file_content(opened, student)
    target = path / f"{student.document.name}{SUFFIX}" if path.is_dir() else path
    if target.exists() and not force:
        raise StoreError(f"The file {target} is there already: name another one, or pass --force.")
    try:
        write_bytes_atomically(target, content)
    except OSError as error:
        raise StoreError(
            f"The model file {target} cannot be written ({error.strerror or error}): choose another place."
        ) from error
    say(f"{target}: {student.document.name}, {student.document.verdict}, {len(content):,} bytes")
