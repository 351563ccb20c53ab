"""The embedded result store: a maggma Store on one SQLite file.

A write that returned is on the disk, many processes may write at once, and nothing needs a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from maggma.core import Sort, Store
from maggma.core import StoreError as MaggmaStoreError
from monty.json import jsanitize

from ..errors import StoreError
from .mongo_order import OrderKey, order_key
from .mongo_paths import MISSING, split_path, values_at
from .mongo_projection import compile_projection
from .sqlite_collection import SqliteCollection
from .sqlite_connection import SqliteDatabase


class StoreNotConnectedError(StoreError, MaggmaStoreError):
    """A store that is used before `connect()`."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)


class SqliteStore(Store):
    """A maggma Store on one SQLite file, with MongoDB's query language.

    Nothing is opened before `connect()`.  Documents are JSON text in a table per collection; fields that
    are queried often are indexed by `ensure_index`, and the fields of the key are on the first update.
    The file must lie on a local disk.

    Parameters
    ----------
    path : str or Path
        The file; created by `connect()` when missing.
    collection_name : str
        Name of the collection; one file holds many.
    timeout_s : float
        How long a write waits for those of other processes, in s.
    **kwargs
        `key`, `last_updated_field`, `last_updated_type` and `validator` as for every maggma Store.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = SqliteStore(f"{folder.name}/results.db", key="formula")
    >>> store.connect()
    >>> store.update([{"formula": "Li3N", "sigma": 1.2}, {"formula": "LiF", "sigma": 1e-9}])
    >>> store.query_one({"sigma": {"$gt": 1}}, properties={"formula": 1, "_id": 0})
    {'formula': 'Li3N'}
    >>> store.close()
    >>> folder.cleanup()
    """

    def __init__(
        self, path: str | Path, collection_name: str = "documents", timeout_s: float = 60.0, **kwargs: Any
    ) -> None:
        self.path = str(Path(path).expanduser().absolute())
        self.collection_name = collection_name
        self.timeout_s = timeout_s
        self.kwargs = kwargs
        self._coll: SqliteCollection | None = None
        self._indexed_keys: set[str] = set()
        super().__init__(**kwargs)

    @property
    def name(self) -> str:
        """Where the documents are."""
        return f"sqlite://{self.path}/{self.collection_name}"

    @property
    def _collection(self) -> SqliteCollection:
        if self._coll is None:
            raise StoreNotConnectedError(f"The store {self.name} is not connected: call its connect() first.")
        return self._coll

    def connect(self, force_reset: bool = False) -> None:
        """Open the file, making it and the collection where they are missing.

        Parameters
        ----------
        force_reset : bool
            Open it anew even if it is open.

        Raises
        ------
        StoreError
            If it cannot be opened, is no superion store, or lies on a network file system.
        """
        if self._coll is not None and not force_reset:
            return
        if self._coll is not None:
            self.close()
        collection = SqliteCollection(SqliteDatabase(self.path, timeout_s=self.timeout_s), self.collection_name)
        collection.create()
        self._coll = collection
        self._indexed_keys = set()

    def close(self) -> None:
        """Close the file; `connect()` opens it again."""
        if self._coll is not None:
            self._coll.database.close()
            self._coll = None

    def count(self, criteria: dict[str, Any] | None = None) -> int:
        """Count the documents that match.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria.

        Returns
        -------
        int
            Their number.
        """
        return self._collection.count(criteria)

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Yield the documents that match.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria.
        properties : list or dict, optional
            Fields to return, as for pymongo's projections.
        sort : dict, optional
            Paths and directions (1 or -1), the weightiest first.
        skip : int
            Documents to leave out at the start.
        limit : int
            Greatest number of documents; 0 for all.

        Yields
        ------
        dict
            Documents, or the fields asked for.
        """
        project = compile_projection(properties)
        fields = [(path, Sort(direction).value) for path, direction in (sort or {}).items()]
        for document in self._collection.find(criteria, sort=fields, skip=skip, limit=limit):
            yield project(document) if project else document

    def query_one(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
    ) -> dict[str, Any] | None:
        """Give the first document that matches.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria.
        properties : list or dict, optional
            Fields to return.
        sort : dict, optional
            Paths and directions.

        Returns
        -------
        dict or None
            The document; None where none matches.
        """
        return next(self.query(criteria, properties=properties, sort=sort, limit=1), None)

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Replace the documents with the same key, or insert; all of them or none.

        When this returns, the documents are on the disk.

        Parameters
        ----------
        docs : dict or list of dict
            Documents.
        key : str or list of str, optional
            Field or fields by which documents are the same; the store's key if None.

        Raises
        ------
        StoreError
            If a document cannot be stored; then none of them is.
        KeyError
            If a document lacks the key.
        """
        wanted = key or self.key
        fields: list[str] = [wanted] if isinstance(wanted, str) else list(wanted)
        replacements = []
        for document in docs if isinstance(docs, list) else [docs]:
            clean = jsanitize(document, allow_bson=True, recursive_msonable=True)
            if self.validator is not None and not self.validator.is_valid(clean):
                errors = self.validator.validation_errors(clean)
                if self.validator.strict:
                    raise ValueError(errors)
                self.logger.error(errors)
                continue
            replacements.append(({field: clean[field] for field in fields}, clean))
        self._ensure_key_indexes(fields)
        self._collection.replace(replacements)

    def replace_if_there(self, criteria: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
        """Replace the document that matches, in one step; insert nothing where none does.

        Parameters
        ----------
        criteria : mapping
            Query criteria.
        document : mapping
            What to put in its place.

        Returns
        -------
        bool
            Whether there was one.

        Raises
        ------
        StoreError
            If the document cannot be stored.
        """
        return self._collection.replace_if_there(criteria, document)

    def ensure_index(self, key: str, unique: bool = False) -> bool:
        """Index a field where it is not indexed yet.

        Parameters
        ----------
        key : str
            Dotted path of the field.
        unique : bool
            Whether no two documents may share a value.

        Returns
        -------
        bool
            Whether the index is there now.
        """
        return self._collection.create_index(key, unique=unique)

    def ensure_compound_index(self, keys: Sequence[str]) -> bool:
        """Index fields together where they are not yet: for equality in the first ones, and an order in the next.

        Parameters
        ----------
        keys : sequence of str
            Dotted paths, at least two.

        Returns
        -------
        bool
            Whether the index is there now.
        """
        return self._collection.create_compound_index(keys)

    def ensure_item_index(self, key: str) -> bool:
        """Index the texts in a list where they are not yet.

        Parameters
        ----------
        key : str
            A field at the top of the documents.

        Returns
        -------
        bool
            Whether the index is there now.
        """
        return self._collection.create_item_index(key)

    def explain(self, criteria: dict[str, Any] | None = None, sort: dict[str, Sort | int] | None = None) -> list[str]:
        """Say how documents would be looked for.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria.
        sort : dict, optional
            Paths and directions.

        Returns
        -------
        list of str
            Lines that name the indexes used.
        """
        fields = [(path, Sort(direction).value) for path, direction in (sort or {}).items()]
        return self._collection.explain_query(criteria, sort=fields)

    def distinct(self, field: str, criteria: dict[str, Any] | None = None, all_exist: bool = False) -> list[Any]:
        """List the different values of a field.

        Parameters
        ----------
        field : str
            Dotted path; of lists, the elements count.
        criteria : dict, optional
            MongoDB query criteria.
        all_exist : bool
            Whether only documents that have the field are looked at; they alone add values in any case.

        Returns
        -------
        list
            The values.
        """
        if all_exist:
            criteria = {"$and": [criteria or {}, {field: {"$exists": True}}]}
        return self._collection.distinct(field, criteria)

    def groupby(
        self,
        keys: list[str] | str,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Group documents by the values of fields.

        Parameters
        ----------
        keys : str or list of str
            Fields to group by; documents that lack one of them are left out.
        criteria : dict, optional
            MongoDB query criteria.
        properties : list or dict, optional
            Fields to return besides the keys.
        sort : dict, optional
            Order of the documents inside the groups.
        skip : int
            Documents to leave out at the start, before grouping.
        limit : int
            Greatest number of documents to group; 0 for all.

        Yields
        ------
        tuple of (dict, list of dict)
            The values of the keys, nested as in the documents, and the documents.
        """
        fields = [keys] if isinstance(keys, str) else list(keys)
        paths = [split_path(field) for field in fields]
        if isinstance(properties, Mapping):
            properties = [field for field, wanted in properties.items() if wanted]
        wanted = [*properties, *fields] if properties else None
        grouped: list[tuple[tuple[OrderKey, ...], list[Any], dict[str, Any]]] = []
        for document in self.query(criteria, properties=wanted, sort=sort, skip=skip, limit=limit):
            values = [next(values_at(document, path), MISSING) for path in paths]
            if MISSING not in values:
                grouped.append((tuple(order_key(value) for value in values), values, document))
        grouped.sort(key=_group_key)
        for _, members in groupby(grouped, key=_group_key):
            entries = list(members)
            yield _nest(paths, entries[0][1]), [document for _, _, document in entries]

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match.

        Parameters
        ----------
        criteria : dict
            MongoDB query criteria; `{}` removes all.
        """
        self._collection.delete(criteria)

    def _ensure_key_indexes(self, fields: list[str]) -> None:
        """Index the fields that every update looks documents up by."""
        missing = set(fields) - self._indexed_keys
        for field in sorted(missing - self._collection.indexed_paths()):
            self._collection.create_index(field)
        self._indexed_keys |= missing

    def __eq__(self, other: object) -> bool:
        """Tell whether another store shows the same documents."""
        if not isinstance(other, SqliteStore) or type(other) is not type(self):
            return False
        fields = ("path", "collection_name", "key", "last_updated_field")
        return all(getattr(self, field) == getattr(other, field) for field in fields)

    def __hash__(self) -> int:
        """Hash what equality looks at and never changes."""
        return hash((self.path, self.collection_name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r}, collection_name={self.collection_name!r})"


def _group_key(entry: tuple[tuple[OrderKey, ...], list[Any], dict[str, Any]]) -> tuple[OrderKey, ...]:
    return entry[0]


def _nest(paths: list[tuple[str, ...]], values: list[Any]) -> dict[str, Any]:
    """Put values at dotted paths: ("a", "b") -> {"a": {"b": value}}."""
    nested: dict[str, Any] = {}
    for path, value in zip(paths, values, strict=True):
        branch = nested
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        branch[path[-1]] = value
    return nested
