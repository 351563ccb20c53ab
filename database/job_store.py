"""Opening the store that jobs write to and queries read from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jobflow import JobStore
from maggma.core import Store

from ..errors import StoreError
from .blobs import BlobStore
from .documents.registry import readable_classes
from .project import ProjectFolder, find_project
from .settings import STORE_VARIABLE, store_from_environment
from .sqlite_store import SqliteStore
from .store_description import read_store_description

DOCUMENT_INDEXES = (
    "uuid",
    "index",
    "name",
    "completed_at",
    "output.doc_type",
    "output.formula",
    "output.label",
    "output.provenance.created_at",
    "output.provenance.campaign_id",
    "metadata.campaign_id",
    "metadata.stage_key",
    "output.stage_key",
)
"""Fields that queries look up and sort by, whatever the kind of document: indexed in every store that is opened."""

BULK_KEY = "blob_uuid"
"""Field by which jobflow looks bulk data up: indexed in every additional store."""

BULK_STORE_NAME = "data"
"""Name of the additional store that atomate2's and our jobs send bulk data to."""


def document_indexes() -> tuple[str, ...]:
    """List the fields by which documents are looked up: those of all kinds, then those of single kinds.

    Returns
    -------
    tuple of str
        Dotted paths in stored jobs.

    Examples
    --------
    >>> "output.sigma_300k_ms_cm" in document_indexes()
    True
    """
    own = (f"output.{path}" for model in readable_classes().values() for path in model.indexed)
    return tuple(dict.fromkeys((*DOCUMENT_INDEXES, *own)))


def open_job_store(
    location: str | Path | None = None, *, project: ProjectFolder | None = None, create: bool = True
) -> JobStore:
    """Open the store of a project, a server's, or any other maggma store.

    Parameters
    ----------
    location : str or Path, optional
        An address `mongodb://host/database`; a file that ends in `.db` (an embedded store); or a JSON or YAML
        file that describes a jobflow JobStore.  None takes SUPERION_STORE where it is set, and else the
        embedded store of the project.
    project : ProjectFolder, optional
        The project; found from the current folder if None.
    create : bool
        Whether to make the project or the embedded store where it is missing.

    Returns
    -------
    JobStore
        Connected, with an additional store named `data`, and indexed on what queries look up.

    Raises
    ------
    StoreError
        If the store cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = open_job_store(f"{folder}/results.db")
    ...     store.count()
    ...     store.close()
    0
    """
    text = str(location) if location is not None else store_from_environment()
    if text is None:
        store = _project_store(project or find_project(create=create))
    else:
        store = _opener_for(text)(text)
    if not create:
        _expect_embedded_file(store)
    _connect(store, text)
    with _server_explained(store, store.docs_store, text):
        for path in document_indexes():
            store.ensure_index(path)
    for bulk in store.additional_stores.values():
        with _server_explained(store, bulk, text):
            bulk.ensure_index(BULK_KEY)
    if not isinstance(store.docs_store, SqliteStore) and hasattr(store.docs_store, "ensure_compound_index"):
        # A write that is repeated while its first attempt still goes on at the server makes no second document.
        store.docs_store.ensure_compound_index(("uuid", "index"), unique=True)
    return store


def check_job_store(location: str | Path | None = None, *, project: ProjectFolder | None = None) -> None:
    """Refuse a store that could not be opened or made, without making anything.

    Parameters
    ----------
    location : str or Path, optional
        As for `open_job_store`.
    project : ProjectFolder, optional
        The project, whose folder may not be there yet; found from the current folder if None.

    Raises
    ------
    StoreError
        If the store cannot be opened, or the folder of a new one cannot be written.
    """
    text = str(location) if location is not None else store_from_environment()
    store = _project_store(project or find_project()) if text is None else _opener_for(text)(text)
    path = Path(store.docs_store.path) if isinstance(store.docs_store, SqliteStore) else None
    if path is None or path.exists():
        _connect(store, text)
        store.close()
        return
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(
            f"The store {path} cannot be made, since {folder} is no folder that you may write to: choose another."
        )


def _connect(store: JobStore, location: str | None) -> None:
    """Connect, and see that servers answer."""
    if isinstance(store.docs_store, SqliteStore):
        store.connect()
        return
    from .described_server import connect_described

    connect_described(store, location or "")


@contextmanager
def _server_explained(store: JobStore, part: Store, location: str | None) -> Iterator[None]:
    if isinstance(store.docs_store, SqliteStore):
        yield
        return
    from .described_server import server_explained

    with server_explained(store, part, location or ""):
        yield


def _opener_for(text: str) -> Callable[[str], JobStore]:
    """Choose how to open a location by its first or last letters."""
    for prefix, opener in _OPENERS_BY_SCHEME.items():
        if text.startswith(prefix):
            return opener
    opener_of_file = _OPENERS_BY_SUFFIX.get(Path(text).suffix.lower())
    if opener_of_file is None:
        known = ", ".join([*(f"{scheme}…" for scheme in _OPENERS_BY_SCHEME), *(f"*{s}" for s in _OPENERS_BY_SUFFIX)])
        from .mongo_server import redact_uri

        raise StoreError(
            f"{redact_uri(text)!r} names no store that superion knows ({known}): "
            f"correct the option or {STORE_VARIABLE}."
        )
    return opener_of_file


def _expect_embedded_file(store: JobStore) -> None:
    """Refuse to make an embedded store that is only to be read."""
    path = store.docs_store.path if isinstance(store.docs_store, SqliteStore) else None
    if path is not None and not Path(path).exists():
        raise StoreError(f"There is no store {path} yet: run something first, or name another store.")


def _embedded_store(database_path: Path, blobs: Path) -> JobStore:
    return JobStore(
        SqliteStore(database_path, collection_name="outputs"),
        additional_stores={BULK_STORE_NAME: BlobStore(database_path, blobs, collection_name="outputs_data")},
    )


def _project_store(project: ProjectFolder) -> JobStore:
    return _embedded_store(project.database_path, project.blobs)


def _open_file(text: str) -> JobStore:
    path = Path(text).expanduser()
    return _embedded_store(path, path.parent / f"{path.stem}_blobs")


def _open_server(text: str) -> JobStore:
    # pymongo loads only where a server is asked for.
    from .mongo_server import GridFileStore, MongoServerStore
    from .server_job_store import ServerJobStore

    return ServerJobStore(
        MongoServerStore(text, "outputs"),
        additional_stores={BULK_STORE_NAME: GridFileStore(text, "outputs_data")},
    )


def _open_specification(text: str) -> JobStore:
    path = Path(text).expanduser()
    store = read_store_description(path)
    if BULK_STORE_NAME not in store.additional_stores:
        raise StoreError(
            f"The store description {path} has no additional store named {BULK_STORE_NAME!r}, where bulk data of jobs "
            "goes: add one under additional_stores."
        )
    return store


_OPENERS_BY_SCHEME: dict[str, Callable[[str], JobStore]] = {
    "mongodb://": _open_server,
    "mongodb+srv://": _open_server,
}
_OPENERS_BY_SUFFIX: dict[str, Callable[[str], JobStore]] = {
    ".db": _open_file,
    ".sqlite": _open_file,
    ".yaml": _open_specification,
    ".yml": _open_specification,
    ".json": _open_specification,
}
