"""Putting results that wait on the disk into their store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jobflow import JobStore
from pydantic import BaseModel, ConfigDict, Field

from ..errors import StoreError
from .mongo_server import GridFileStore, MongoServerStore
from .shown_address import redact_uri
from .spool import SpoolFile, abandoned, place_of, spool_folders, waiting


class FlushReport(BaseModel):
    """What was done with the results that waited."""

    model_config = ConfigDict(frozen=True)

    n_files: int = Field(description="files whose results are in the store now")
    n_waiting: int = Field(description="files that wait on: of living processes, or for other stores")
    waiting_for: tuple[str, ...] = Field(description="servers and collections for which they wait")
    problems: tuple[str, ...] = Field(description="files that cannot be taken, one sentence each")


def flush_spool(jobs: JobStore, folders: Sequence[Path] | None = None) -> FlushReport:
    """Put results that wait on the disk into the store they are for; twice does no more than once.

    Parameters
    ----------
    jobs : JobStore
        A connected store.
    folders : sequence of Path, optional
        Where they wait; SUPERION_SPOOL_FOLDER, or the project's folder and the user's cache, if None.

    Returns
    -------
    FlushReport
        What was done; an embedded store never lets anything wait.
    """
    places = spool_folders() if folders is None else list(folders)
    stores = [
        store
        for store in (jobs.docs_store, *jobs.additional_stores.values())
        if isinstance(store, MongoServerStore | GridFileStore)
    ]
    n_files = 0
    problems = []
    for file in abandoned(places):
        try:
            n_files += _put(file, stores)
        except StoreError as error:
            problems.append(str(error))
        finally:
            file.release()
    return FlushReport(
        n_files=n_files,
        n_waiting=len(waiting(places)) - len(problems),
        waiting_for=tuple(sorted({redact_uri(place) for path in waiting(places) if (place := place_of(path))})),
        problems=tuple(problems),
    )


def _put(file: SpoolFile, stores: Sequence[MongoServerStore | GridFileStore]) -> bool:
    """Put a file into the store that it is for; say whether it is one of these."""
    write = file.read()
    return any(store.flush(file) is not None for store in stores if store.takes(write))
