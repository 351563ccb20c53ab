"""Whether a store can be worked with: its indexes, its bulk data, and the right to write."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from jobflow import JobStore
from maggma.core import Store
from maggma.core import StoreError as MaggmaStoreError
from maggma.stores import GridFSStore, MemoryStore, MongoStore
from pymongo.errors import PyMongoError

from ..errors import StoreError
from .campaigns import CampaignCollections
from .job_store import BULK_KEY, BULK_STORE_NAME, document_indexes
from .shown_address import shown_name
from .sibling_stores import sibling_store

_PROBES = "superion_probes"


def check_access(collections: CampaignCollections) -> list[str]:
    """Try what jobs do: look documents up by indexed fields, write a document, write and read bulk data.

    Parameters
    ----------
    collections : CampaignCollections
        An open store; what is written into it is removed again.

    Returns
    -------
    list of str
        What is wrong, one sentence each; empty where all is well.
    """
    jobs = collections.jobs
    return [
        *_missing_indexes(jobs),
        *_missing_bulk_indexes(jobs),
        *_missing_usual_indexes(collections),
        *_write_access(jobs),
        *_bulk_access(jobs),
    ]


def _missing_indexes(jobs: JobStore) -> list[str]:
    """Name the fields that a server does not index; the embedded store makes its indexes when it is opened."""
    store = jobs.docs_store
    if not isinstance(store, MongoStore) or isinstance(store, MemoryStore):
        return []
    try:
        indexes = store._collection.index_information()
    except PyMongoError as error:
        return [
            f"The indexes of {shown_name(store)} cannot be read ({type(error).__name__}): see the rights of this user"
        ]
    indexed = {tuple(path for path, _ in index["key"]): index for index in indexes.values()}
    problems = [
        f"The field {path} of {shown_name(store)} is not indexed: open the store as a user who may make indexes"
        for path in document_indexes()
        if (path,) not in indexed
    ]
    if not indexed.get(("uuid", "index"), {}).get("unique"):
        problems.append(
            f"Nothing keeps {shown_name(store)} from holding a job's document twice, because some are there twice "
            "already or this user may not make indexes: remove the doubles, or open the store as a user who may"
        )
    return problems


def _missing_usual_indexes(collections: CampaignCollections) -> list[str]:
    """Say how many of the indexes on candidates are missing."""
    n_missing = len(collections.missing_indexes)
    if not n_missing:
        return []
    return [
        f"{n_missing} indexes of the usual queries of candidates are missing, so that these look through all rows: run "
        "`superion db index` as a user who may make indexes"
    ]


def _missing_bulk_indexes(jobs: JobStore) -> list[str]:
    """Name the additional stores on a server in which bulk data can only be found by reading all of it."""
    problems = []
    for name, store in jobs.additional_stores.items():
        if isinstance(store, GridFSStore):
            collection, path = store._files_collection, f"metadata.{BULK_KEY}"
        elif isinstance(store, MongoStore) and not isinstance(store, MemoryStore):
            collection, path = store._collection, BULK_KEY
        else:
            continue
        try:
            indexes = collection.index_information()
        except PyMongoError as error:
            problems.append(
                f"The indexes of the additional store {name!r} cannot be read ({type(error).__name__}): see the rights "
                "of this user"
            )
            continue
        if not any(index["key"][0][0] == path for index in indexes.values()):
            problems.append(
                f"The field {path} of the additional store {name!r} is not indexed: open the store as a user who may "
                "make indexes"
            )
    return problems


def _write_access(jobs: JobStore) -> list[str]:
    """Write a document into a collection of its own, and remove it."""
    probe = sibling_store(jobs.docs_store, _PROBES, key="probe")
    name = uuid4().hex
    try:
        probe.connect()
        probe.update({"probe": name})
        found = probe.query_one({"probe": name})
        probe.remove_docs({"probe": name})
    except (StoreError, MaggmaStoreError, PyMongoError) as error:
        return [f"{shown_name(jobs.docs_store)} cannot be written ({_words(error)}): give this user the right to write"]
    finally:
        probe.close()
    return [] if found else [f"{shown_name(jobs.docs_store)} does not give back what was written"]


def _bulk_access(jobs: JobStore) -> list[str]:
    """Write bulk data into every additional store, read it back, and remove it."""
    problems = []
    if BULK_STORE_NAME not in jobs.additional_stores:
        problems.append(f"There is no additional store named {BULK_STORE_NAME!r}: add one to the store's description")
    for name, store in jobs.additional_stores.items():
        identifier = f"superion-probe-{uuid4().hex}"
        probe = {"blob_uuid": identifier, "job_uuid": identifier, "job_index": 1, "data": [1.0, 2.0]}
        try:
            store.update(probe, key="blob_uuid")
            found = _data_of(store, identifier)
            store.remove_docs({"blob_uuid": identifier})
        except Exception as error:
            # Whatever a third party's store raises: its words may quote a password.
            problems.append(
                f"Bulk data cannot be written to the additional store {name!r} ({_words(error)}): see that it is there "
                "and that this user may write to it"
            )
            continue
        if found != probe["data"]:
            problems.append(f"The additional store {name!r} does not give back what was written")
    return problems


def _data_of(store: Store, identifier: str) -> Any:
    found = next(store.query({"blob_uuid": identifier}, properties=["blob_uuid", "data"]), None)
    return None if found is None else found.get("data")


def _words(error: Exception) -> str:
    """Quote our own words only."""
    return str(error).rstrip(".") if isinstance(error, StoreError) else type(error).__name__
