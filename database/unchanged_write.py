"""Writing over a document only while it is as it was read: looked at and written in one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maggma.core import Store
from pymongo.collection import Collection

from .server_patience import patiently, read_patience_s
from .sqlite_store import SqliteStore
from .write_through import as_document


def replace_if_there(store: Store, criteria: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Replace the document that matches; insert nothing where none does.

    Parameters
    ----------
    store : Store
        A connected store, embedded or on a MongoDB server.
    criteria : mapping
        What the stored document has to be, such as its key and when it was changed.
    document : mapping
        What to put in its place.

    Returns
    -------
    bool
        Whether it was there. After an outage of the server False may mean that the write went through unheard.

    Raises
    ------
    StoreError
        If it cannot be stored, or the server stays away.
    """
    clean = as_document(document)
    if isinstance(store, SqliteStore):
        return store.replace_if_there(criteria, clean)
    collection: Collection[Any] = store._collection
    return patiently(
        lambda: bool(collection.replace_one(dict(criteria), clean).matched_count), store.name, read_patience_s()
    )
