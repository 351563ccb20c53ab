"""The store of a command: opened, and closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobflow import JobStore


@contextmanager
def opened_store(location: str | None, *, near: Path | None = None, create: bool = False) -> Iterator[JobStore]:
    """Open the store that a command reads or writes.

    Parameters
    ----------
    location : str or None
        What the user gave; None for the project's own.
    near : Path, optional
        A folder inside the project, where it is not the current one.
    create : bool
        Whether to make the store where there is none.

    Yields
    ------
    JobStore
        Connected; closed at the end.
    """
    from ..database.job_store import open_job_store
    from ..database.project import find_project

    project = find_project(near) if location is None and near is not None else None
    store = open_job_store(location, project=project, create=create)
    try:
        yield store
    finally:
        store.close()
