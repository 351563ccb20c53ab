"""Collections beside another one: the same embedded file, or the same database of a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maggma.core import Store
from maggma.stores import MemoryStore, MongoStore

from ..errors import StoreError
from .sqlite_store import SqliteStore


def sibling_store(store: Store, collection_name: str, *, key: str) -> Store:
    """Make a store for another collection of the database that a store belongs to.

    Parameters
    ----------
    store : Store
        A store of documents, such as the `docs_store` of a JobStore.
    collection_name : str
        Name of the other collection.
    key : str
        Field that identifies its documents.

    Returns
    -------
    Store
        Not yet connected.

    Raises
    ------
    StoreError
        If stores of this class hold no other collections.

    Examples
    --------
    >>> sibling_store(SqliteStore("results.db", "outputs"), "candidates", key="key").collection_name
    'candidates'
    """
    for store_class, make in SIBLING_MAKERS.items():
        # maggma's stores in memory or in one file call themselves MongoStores, too.
        if isinstance(store, store_class) and not isinstance(store, MemoryStore):
            return make(store, collection_name, key)
    raise StoreError(
        f"Campaigns cannot be kept beside a {type(store).__name__}: let the store be an embedded file (*.db) "
        "or a MongoDB address."
    )


def _beside_sqlite(store: Any, collection_name: str, key: str) -> Store:
    return SqliteStore(store.path, collection_name, store.timeout_s, key=key)


def _beside_mongo(store: Any, collection_name: str, key: str) -> Store:
    # What a store says of itself leaves credentials out; its state for other processes holds them.
    state = store.__getstate__()
    arguments = {name: value for name, value in state.items() if not name.startswith("@")}
    arguments.pop("default_sort", None)
    return type(store)(**{**arguments, "collection_name": collection_name, "key": key})


SIBLING_MAKERS: dict[type[Store], Callable[[Any, str, str], Store]] = {
    SqliteStore: _beside_sqlite,
    MongoStore: _beside_mongo,
}
"""Class of a store -> how to make one for another collection; a new kind of store adds itself here."""
