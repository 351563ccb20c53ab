"""Whether the result store is there, with every additional store that jobs write to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from ....errors import SuperionError
from ...dispatch.queue_engine import Finding

if TYPE_CHECKING:
    from jobflow import JobStore


def store_findings(address: str | None) -> Iterator[Finding]:
    """Look at the result store by writing to it, reading and removing again.

    Parameters
    ----------
    address : str or None
        Where it is; None where nobody says so.

    Yields
    ------
    Finding
        One for the store, one for each additional store.
    """
    from ....database.job_store import BULK_STORE_NAME, open_job_store
    from ....database.mongo_server import MongoServerStore, redact_uri
    from ....database.shown_address import shown_name

    if address is None:
        mend = "give --store, SUPERION_STORE, or SUPERION_STORE_FILE with the path of a file that only you can read"
        yield Finding("database", "error", f"no store is named: {mend}")
        return
    try:
        jobs = open_job_store(address)
    except SuperionError as error:
        yield Finding("database", "error", str(error).rstrip("."))
        return
    try:
        if not isinstance(jobs.docs_store, MongoServerStore):
            mend = "clusters need mongodb://host/database"
            yield Finding("database", "error", f"{redact_uri(address)} is a store of this machine alone: {mend}")
            return
        yield Finding("database", "ok", f"{shown_name(jobs.docs_store)}, {jobs.count()} documents")
        for name in sorted({BULK_STORE_NAME, *jobs.additional_stores}):
            yield _additional(jobs, name)
    finally:
        jobs.close()


def _additional(jobs: JobStore, name: str) -> Finding:
    """Send a blob there and back, as jobs do."""
    subject = f"additional store {name}"
    if name not in jobs.additional_stores:
        return Finding(subject, "error", "it is missing, and jobs send bulk data to it: add it to the store")
    store = jobs.additional_stores[name]
    blob_uuid = f"superion-check-{uuid4()}"
    document = {"blob_uuid": blob_uuid, "job_uuid": blob_uuid, "job_index": 1, "data": [1, 2, 3]}
    try:
        store.connect()
        store.update([document], key="blob_uuid")
        read = store.query_one({"blob_uuid": blob_uuid})
        store.remove_docs({"blob_uuid": blob_uuid})
    except Exception as error:
        # Whatever a store of another kind raises; its words may quote a password.
        return Finding(subject, "error", f"it cannot be used ({type(error).__name__}): see its settings")
    if read is None or read.get("data") != document["data"]:
        return Finding(subject, "error", "what is written does not come back: see its settings")
    return Finding(subject, "ok", "writes, reads and removes")
