"""Stores on a MongoDB server: they keep the credentials of their address to themselves, and wait for the server."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from bson.errors import BSONError
from bson.objectid import ObjectId
from gridfs.errors import FileExists
from maggma.core import Sort
from maggma.stores import GridFSStore, MongoStore
from pymongo import UpdateOne, uri_parser
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError

from ..errors import StoreAwayError, StoreError
from .document_size import refuse_unfit
from .server_identity import server_identity
from .server_patience import connect_patience_s, is_outage, logger, patiently, read_patience_s
from .settings import STORE_FILE_VARIABLE, STORE_VARIABLE, locations_from_environment
from .shown_address import redact_uri as redact_uri
from .spool import SpooledWrite, SpoolFile, abandoned, spool_folders
from .write_through import PendingWrite, as_document, write_through

SERVER_TIMEOUT_MS = 10_000
"""How long to look for the server before giving up, in ms."""

KEPT_KEYS = (("uuid", "index"), ("blob_uuid",))
"""Keys of what jobs return and nobody can derive anew: it is kept on the disk while the server is away."""

Result = TypeVar("Result")

_REFUSALS = (StoreError, PyMongoError, BSONError, OverflowError, LookupError, ValueError, TypeError)
"""What comes up where documents cannot be put into a store, now or ever."""

_told: set[Path] = set()
"""Files that wait and of which this process has said that they cannot be taken."""


def hosts_in_uri(uri: str) -> str:
    """Read the hosts from an address.

    Parameters
    ----------
    uri : str
        Address of a MongoDB server.

    Returns
    -------
    str
        Hosts with their ports, in alphabetical order, with commas.

    Examples
    --------
    >>> hosts_in_uri("mongodb://ann:secret@b:27017,a/superion?replicaSet=rs")
    'a,b:27017'
    """
    place = redact_uri(uri).partition("://")[2].removeprefix("***@")
    hosts = place.partition("/")[0].partition("?")[0]
    return ",".join(sorted(hosts.lower().split(",")))


def database_in_uri(uri: str) -> str:
    """Read the name of the database from an address.

    Parameters
    ----------
    uri : str
        Address of a MongoDB server.

    Returns
    -------
    str
        The name.

    Raises
    ------
    StoreError
        If the address is wrong or names no database.
    """
    try:
        database = uri_parser.parse_uri(uri, connect_timeout=SERVER_TIMEOUT_MS / 1000)["database"]
    except OSError as error:
        raise _wrong_file(redact_uri(uri), error) from None
    except (PyMongoError, ValueError) as error:
        # The library's own words may quote the password.
        raise StoreError(
            f"The MongoDB address {redact_uri(uri)} cannot be read ({type(error).__name__}): write it as "
            "mongodb://user:password@host:port/database, with % codes for special letters in the password."
        ) from None
    if not database:
        raise StoreError(f"The MongoDB address {redact_uri(uri)} names no database: append one, as in …/superion.")
    return str(database)


class _ServerStore:
    """What both stores share: they connect by address, and show, log and write it without credentials."""

    uri: str | None
    database: str | None
    collection_name: str
    default_collection: ClassVar[str]
    _coll: Any

    def __init__(self, uri: str, collection_name: str | None = None, **kwargs: Any) -> None:
        if "***" not in uri:
            _known_addresses[redact_uri(uri)] = uri
        kwargs.pop("database", None)
        options = {"serverSelectionTimeoutMS": SERVER_TIMEOUT_MS, **(kwargs.get("mongoclient_kwargs") or {})}
        super().__init__(  # type: ignore[call-arg]
            database_in_uri(uri),
            collection_name or self.default_collection,
            uri=uri,
            **kwargs | {"mongoclient_kwargs": options},
        )

    def connect(self, force_reset: bool = False) -> None:
        """Connect, and see that the server lets us read.

        Workers wait for a server that is away for SUPERION_STORE_CONNECT_PATIENCE_S; others fail at once.

        Parameters
        ----------
        force_reset : bool
            Connect anew even if connected.

        Raises
        ------
        StoreAwayError
            If a worker waited and no server answers.
        StoreError
            If no server answers or it does not let us in.
        """
        if self._coll is not None and not force_reset:
            return
        patience_s = connect_patience_s()

        def reach() -> None:
            super(_ServerStore, self).connect(force_reset)  # type: ignore[misc]
            try:
                # A ping is answered without credentials, too.
                self._documents().find_one({}, {"_id": 1})
            except BaseException as error:
                self.close()
                if _is_untrusted(error):
                    raise _unusable(self.name, error) from None
                raise

        with _explained(self.name):
            patiently(reach, self.server, patience_s) if patience_s else reach()
        self._take_what_waits()

    def close(self) -> None:
        """Close the connection, if there is one; `connect()` opens it again."""
        if self._coll is not None:
            super().close()  # type: ignore[misc]

    # -- waiting -----------------------------------------------------------------------------------------------

    @property
    def server(self) -> str:
        """Address of the server and the database, without credentials and options."""
        return redact_uri(self.uri or "").partition("?")[0].replace("***@", "")

    def pending(self, docs: Any, key: Sequence[str] | str | None = None) -> PendingWrite:
        """Prepare a write.

        Parameters
        ----------
        docs : dict or list of dict
            Documents.
        key : str or sequence of str, optional
            Field or fields by which documents are the same; the store's key if None.

        Returns
        -------
        PendingWrite
            To be done by `write_through`.

        Raises
        ------
        StoreError
            If the server would never take one of them.
        """
        documents = [as_document(entry) for entry in (docs if isinstance(docs, list) else [docs])]
        self._refuse_unfit(documents)
        wanted = key or self.key  # type: ignore[attr-defined]
        fields = (wanted,) if isinstance(wanted, str) else tuple(wanted)

        def spooled() -> SpooledWrite:
            return SpooledWrite(server_identity(self.server), self.collection_name, fields, tuple(documents))

        return PendingWrite(
            attempt=self._attempt(documents, fields),
            server=self.server,
            spooled=spooled if fields in KEPT_KEYS else None,
        )

    def takes(self, write: SpooledWrite) -> bool:
        """Tell whether documents that waited on the disk are for this store.

        Parameters
        ----------
        write : SpooledWrite
            What waited.

        Returns
        -------
        bool
            Whether server, database and collection are the same, however their address is written.
        """
        here = server_identity(self.server), self.collection_name
        return (server_identity(write.server), write.collection) == here

    def insert_missing(self, write: SpooledWrite) -> int:
        """Insert documents that are not there; what is there stays as it is.

        Parameters
        ----------
        write : SpooledWrite
            Documents that waited on the disk.

        Returns
        -------
        int
            How many were not there.
        """
        raise NotImplementedError

    def flush(self, file: SpoolFile) -> int | None:
        """Put the documents of a file into this store, and remove the file.

        Parameters
        ----------
        file : SpoolFile
            A file that nobody else holds; it is released in any case.

        Returns
        -------
        int or None
            How many documents were not there yet; None for a file of another store.

        Raises
        ------
        StoreError
            If it is damaged, or the server refuses it, or goes away again.
        """
        try:
            write = file.read()
            if not self.takes(write):
                return None
            n_new = self._put_in(write, file.path)
            file.remove()
            return n_new
        finally:
            file.release()

    def _put_in(self, write: SpooledWrite, path: Path) -> int:
        try:
            self._refuse_unfit(write.documents)
            return patiently(lambda: self.insert_missing(write), self.server, read_patience_s())
        except StoreAwayError:
            raise
        except _REFUSALS as error:
            # The driver's own words may quote the whole document.
            words = str(error).rstrip(".") if isinstance(error, StoreError) else type(error).__name__
            raise StoreError(
                f"The results in {path} cannot be put into the store ({words}): move the file elsewhere if nobody "
                "needs them."
            ) from None

    def _take_what_waits(self) -> None:
        """Put into the store what earlier processes left on the disk; no reason not to work with it."""
        for file in abandoned(spool_folders()):
            try:
                n_new = self.flush(file)
            except StoreAwayError as error:
                logger.warning("results that wait on the disk could not be put into the store: %s", error)
                return
            except StoreError as error:
                # Every collection of the store meets the same file.
                if file.path not in _told:
                    _told.add(file.path)
                    logger.warning("%s", error)
                continue
            if n_new:
                logger.info("%d results that waited in %s are in the store", n_new, file.path)

    def _refuse_unfit(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Refuse what the server would never take; bulk data is cut into pieces and may have any size."""

    def _attempt(self, documents: list[dict[str, Any]], fields: tuple[str, ...]) -> Callable[[], None]:
        raise NotImplementedError

    def _reading(self, action: Callable[[], Result]) -> Result:
        return patiently(action, self.server, read_patience_s())

    def count(self, criteria: dict[str, Any] | None = None, **kwargs: Any) -> int:
        """Count the documents that match, as maggma's stores do; waits for a server that is away."""
        return self._reading(lambda: super(_ServerStore, self).count(criteria, **kwargs))  # type: ignore[misc]

    def distinct(self, field: str, criteria: dict[str, Any] | None = None, all_exist: bool = False) -> list[Any]:
        """List the different values of a field, as maggma's stores do; waits for a server that is away."""
        return self._reading(lambda: super(_ServerStore, self).distinct(field, criteria, all_exist))  # type: ignore[misc]

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match, as maggma's stores do; waits for a server that is away."""
        self._reading(lambda: super(_ServerStore, self).remove_docs(criteria))  # type: ignore[misc]

    def _documents(self) -> Collection[Any]:
        """Give a collection of the store, once it is connected."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Where the documents are, without credentials."""
        return f"{redact_uri(self.uri or '')}#{self.collection_name}"

    def as_dict(self) -> dict[str, Any]:
        """Write the store as a dictionary without credentials.

        Returns
        -------
        dict
            `from_dict` takes the credentials from SUPERION_STORE, or the file of SUPERION_STORE_FILE, which must hold
            the same address.
        """
        data: dict[str, Any] = super().as_dict()  # type: ignore[misc]
        return {**data, "uri": redact_uri(self.uri or "")}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """Rebuild a store from `as_dict`.

        Parameters
        ----------
        data : dict
            What `as_dict` returned.

        Returns
        -------
        Store
            The store, not yet connected.

        Raises
        ------
        StoreError
            If credentials are needed and neither SUPERION_STORE nor the file of SUPERION_STORE_FILE holds them.
        """
        arguments = {key: value for key, value in data.items() if not key.startswith("@")}
        return cls(**{**arguments, "uri": _with_credentials(str(arguments["uri"]))})

    def __getstate__(self) -> dict[str, Any]:
        # Pickles go from process to process and hold what is needed to connect.
        return {**self.as_dict(), "uri": self.uri}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**{key: value for key, value in state.items() if not key.startswith("@")})  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class MongoServerStore(_ServerStore, MongoStore):
    """Documents in a collection of a MongoDB server.

    Parameters
    ----------
    uri : str
        Address with the name of the database: `mongodb://host/database`.
    collection_name : str or None
        Name of the collection; None for `outputs`.
    **kwargs
        As for maggma's MongoStore.
    """

    default_collection = "outputs"

    def _documents(self) -> Collection[Any]:
        return self._collection

    def update(self, docs: Any, key: Any = None) -> None:
        """Replace the documents with the same key, or insert; waits for a server that is away.

        Parameters
        ----------
        docs : dict or list of dict
            Documents.
        key : str or list of str, optional
            Field or fields by which documents are the same; the store's key if None.

        Raises
        ------
        StoreError
            If the server stays away.
        """
        write_through([self.pending(docs, key)])

    def _refuse_unfit(self, documents: Sequence[Mapping[str, Any]]) -> None:
        for document in documents:
            refuse_unfit(document, self.collection_name)

    def _attempt(self, documents: list[dict[str, Any]], fields: tuple[str, ...]) -> Callable[[], None]:
        return lambda: MongoStore.update(self, documents, list(fields))

    def insert_missing(self, write: SpooledWrite) -> int:
        """Insert documents that are not there; see `_ServerStore`."""
        requests = [
            UpdateOne({field: document[field] for field in write.key}, {"$setOnInsert": dict(document)}, upsert=True)
            for document in write.documents
        ]
        return self._collection.bulk_write(requests, ordered=False).upserted_count if requests else 0

    def ensure_compound_index(self, keys: Sequence[str], *, unique: bool = False) -> bool:
        """Index fields together where they are not yet.

        Parameters
        ----------
        keys : sequence of str
            Dotted paths.
        unique : bool
            Whether no two documents may share all values.

        Returns
        -------
        bool
            Whether the index is there now; not where documents share values already.
        """
        with suppress(OperationFailure):
            self._reading(lambda: self._collection.create_index([(path, 1) for path in keys], unique=unique))
            return True
        return False

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        hint: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yield the documents that match, each once, also where the server goes away in between.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria.
        properties : list or dict, optional
            Fields to return.
        sort : dict, optional
            Paths and directions.
        hint : dict, optional
            Index to use.
        skip : int
            Documents to leave out at the start.
        limit : int
            Greatest number of documents; 0 for all.
        **kwargs
            As for pymongo's find.

        Yields
        ------
        dict
            Documents.

        Raises
        ------
        StoreError
            If the server stays away.
        """
        # Without their ids, documents that were seen could not be told from those that were not.
        hides_id = isinstance(properties, dict) and not properties.get("_id", 1)
        wanted = _with_id(properties) if isinstance(properties, dict) and hides_id else properties
        seen: set[Any] = set()
        found: Iterator[dict[str, Any]] | None = None

        def next_unseen() -> dict[str, Any] | None:
            nonlocal found
            if found is None:
                found = MongoStore.query(self, criteria, wanted, sort, hint, skip, limit, **kwargs)
            try:
                return next((document for document in found if _mark(document["_id"]) not in seen), None)
            except PyMongoError as error:
                if is_outage(error):
                    found = None
                raise

        while (document := self._reading(next_unseen)) is not None:
            seen.add(_mark(document["_id"]))
            if hides_id:
                del document["_id"]
            yield document


class GridFileStore(_ServerStore, GridFSStore):
    """Bulk data on a MongoDB server (GridFS).

    Parameters
    ----------
    uri : str
        Address with the name of the database.
    collection_name : str or None
        Name of the collection; None for `outputs_blobs`.
    **kwargs
        As for maggma's GridFSStore.
    """

    default_collection = "outputs_blobs"

    def _documents(self) -> Collection[Any]:
        return self._files_collection

    def update(self, docs: Any, key: Any = None, additional_metadata: Any = None) -> None:
        """Replace the contents with the same key, or add; waits for a server that is away.

        Parameters
        ----------
        docs : dict or list of dict
            Documents.
        key : str or list of str, optional
            Field or fields by which documents are the same; the store's key if None.
        additional_metadata : str or list of str, optional
            Further fields that can be asked for.

        Raises
        ------
        StoreError
            If the server stays away.
        """
        names = [additional_metadata] if isinstance(additional_metadata, str) else additional_metadata or []
        known: list[str] = self.__dict__["searchable_fields"]
        self.__dict__["searchable_fields"] = list(dict.fromkeys([*known, *names]))
        write_through([self.pending(docs, key)])

    def _attempt(self, documents: list[dict[str, Any]], fields: tuple[str, ...]) -> Callable[[], None]:
        ids = [ObjectId() for _ in documents]

        def put_all() -> None:
            for file_id, document in zip(ids, documents, strict=True):
                self._put(document, fields, file_id)

        return put_all

    def insert_missing(self, write: SpooledWrite) -> int:
        """Add contents that are not there; see `_ServerStore`."""
        n_new = 0
        for document in write.documents:
            wanted = self.transform_criteria({field: document[field] for field in write.key})
            if self._files_collection.find_one(wanted, ["_id"]) is None:
                # Of one content always the same id: two processes cannot add it twice.
                text = json.dumps([str(document[field]) for field in write.key])
                self._put(document, write.key, ObjectId(hashlib.sha256(text.encode()).digest()[:12]))
                n_new += 1
        return n_new

    def _put(self, document: Mapping[str, Any], fields: Sequence[str], file_id: ObjectId) -> None:
        """Write one content as maggma's store would, under an id of ours, and remove those that it replaces."""
        search = {field: document[field] for field in fields if field != "_id"}
        searchable = (self.last_updated_field, *self.searchable_fields)
        metadata = {field: document[field] for field in searchable if field in document} | search
        data = json.dumps(as_json(document)).encode("UTF-8")
        if self.compression:
            data = zlib.compress(data)
            metadata["compression"] = "zlib"
        if self._files_collection.find_one({"_id": file_id}, ["_id"]) is None:
            # An attempt that was cut off leaves pieces without a file.
            self._chunks_collection.delete_many({"files_id": file_id})
            with suppress(FileExists):
                self._collection.put(data, _id=file_id, metadata=metadata)
        if not search:
            return
        older = {"$and": [self.transform_criteria(search), {"_id": {"$ne": file_id}}]}
        for entry in list(self._files_collection.find(older, ["_id"])):
            self._collection.delete(entry["_id"])

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Yield the contents that match, as maggma's store does; waits for a server that is away.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria.
        properties : list or dict, optional
            Fields to return.
        sort : dict, optional
            Paths and directions.
        skip : int
            Contents to leave out at the start.
        limit : int
            Greatest number of contents; 0 for all.

        Yields
        ------
        dict
            Contents.

        Raises
        ------
        StoreError
            If the server stays away.
        """
        wanted = self.transform_criteria(criteria) if isinstance(criteria, dict) else criteria
        ids = self._reading(
            lambda: [entry["_id"] for entry in self._files_store.query(wanted, ["_id"], sort, None, skip, limit)]
        )
        for file_id in ids:
            yield from self._reading(partial(self._content_of, {"_id": file_id}, properties))

    def _content_of(self, criteria: dict[str, Any], properties: Any) -> list[dict[str, Any]]:
        return list(GridFSStore.query(self, criteria, properties))


def as_json(document: Mapping[str, Any]) -> Any:
    """Make of a document what JSON can hold.

    Parameters
    ----------
    document : mapping
        A document.

    Returns
    -------
    object
        Plain data; times and object ids as text.
    """
    from monty.json import jsanitize

    return jsanitize(dict(document), recursive_msonable=True)


def _with_id(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """Make of a projection that leaves the id out one that has it."""
    others = {field: value for field, value in properties.items() if field != "_id"}
    return {**others, "_id": 1} if any(others.values()) else others or None


def _mark(identifier: Any) -> Any:
    """Make an id something that a set takes."""
    return json.dumps(identifier, default=str, sort_keys=True) if isinstance(identifier, dict | list) else identifier


class _explained:
    """Turn a server's refusal into one sentence without credentials."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            raise _wrong_file(self.name, error) from None
        if isinstance(error, PyMongoError | ValueError):
            raise _unusable(self.name, error) from None


def _unusable(name: str, error: BaseException) -> StoreError:
    """Say why a server cannot be used."""
    return StoreError(
        f"The MongoDB server of {name} cannot be used ({server_error_cause(error)}): see that it runs, that this host "
        f"reaches it, and that {STORE_VARIABLE} or {STORE_FILE_VARIABLE} holds the right address, credentials and "
        "options."
    )


def _wrong_file(shown: str, error: OSError) -> StoreError:
    """Say that a file which an address names, such as tlsCAFile, is not there."""
    return StoreError(
        f"The MongoDB address {shown} names a file that cannot be used ({error.strerror or type(error).__name__}): "
        "correct its options, such as tlsCAFile or tlsCertificateKeyFile."
    )


_TLS_MARKS = ("certificate_verify_failed", "[ssl")
"""Words of pymongo's for servers that it met but does not trust, which it takes for absent."""

_CAUSES = {
    "certificate_verify_failed": "its certificate is not trusted; tlsCAFile names who signed it",
    "[ssl": "no TLS handshake",
    "authentication failed": "it refuses the credentials; see user name, password, authSource and authMechanism",
    "requires authentication": "it asks for a user name and a password",
    "not authorized": "it does not let this user read the database",
    "replica set": "no member of the replica set that the address names answers",
    "connection refused": "nothing answers at that host and port: connection refused",
    "name or service not known": "there is no host of that name",
    "name resolution": "the name of the host cannot be resolved",
    "nodename nor servname": "there is no host of that name",
    "no route to host": "there is no route to that host",
    "network is unreachable": "the network is unreachable",
    "timed out": "it did not answer in time",
}
"""Words of pymongo -> ours; its own may quote what the address holds."""


def _is_untrusted(error: BaseException) -> bool:
    return any(mark in str(error).lower() for mark in _TLS_MARKS)


def server_error_cause(error: BaseException) -> str:
    """Say in a few words why a server cannot be used.

    Parameters
    ----------
    error : BaseException
        What the client raised; its own words may quote what the address holds.

    Returns
    -------
    str
        Ours; the kind of error where none are known.
    """
    said = str(error).lower()
    return next((words for mark, words in _CAUSES.items() if mark in said), type(error).__name__)


_known_addresses: dict[str, str] = {}
"""Full addresses that this process was given, by what may be shown of them; never written anywhere."""


def _with_credentials(uri: str) -> str:
    """Fill the credentials back in that `as_dict` took out."""
    if "***" not in uri:
        return uri
    if uri in _known_addresses:
        return _known_addresses[uri]
    for configured in locations_from_environment():
        if redact_uri(configured) == uri:
            return configured
    raise StoreError(
        f"The address {uri} was written without its credentials: set {STORE_VARIABLE} to the full address, or "
        f"{STORE_FILE_VARIABLE} to a file that holds it."
    )
