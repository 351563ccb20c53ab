"""Documents by what a user types: a uuid, its first characters, or the name of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import StoreError

if TYPE_CHECKING:
    from ..database.queries import StoredDocument


def find_document(identifier: str, store: str | None) -> StoredDocument:
    """Find one document.

    Parameters
    ----------
    identifier : str
        Uuid of the job that made it, its first characters, or the name or folder of a run.
    store : str or None
        Where to look; None for the project's own store, or the one that the run writes to.

    Returns
    -------
    StoredDocument
        The document.

    Raises
    ------
    StoreError
        If there is none, or the identifier fits several.
    """
    from ..database.queries import get_document
    from .find_run import find_run
    from .opened_store import opened_store
    from .run_request import read_request

    folder = find_run(identifier)
    if folder is None:
        with opened_store(store) as opened:
            return get_document(opened, identifier)
    request = read_request(folder)
    if not request.output_uuids:
        raise StoreError(f"The run {folder.name} has no document as its answer; `superion list` shows all documents.")
    with opened_store(store or request.store, near=folder) as opened:
        try:
            return get_document(opened, request.output_uuids[-1])
        except StoreError:
            raise StoreError(
                f"The run {folder.name} has no result yet; continue it with `superion resume {folder.name}`."
            ) from None
