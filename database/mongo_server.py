"""Stores on a MongoDB server that keep the credentials of their address to themselves."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from maggma.stores import GridFSStore, MongoStore
from pymongo import uri_parser
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from ..errors import StoreError
from .settings import STORE_FILE_VARIABLE, STORE_VARIABLE, store_from_environment

SERVER_TIMEOUT_MS = 10_000
"""How long to look for the server before giving up, in ms."""

_CREDENTIALS = re.compile(r"://.*@")
_SECRET_OPTIONS = re.compile(r"(?i)((?:password|authMechanismProperties|proxyUsername)=)[^&]*")


def redact_uri(uri: str) -> str:
    """Take user name and password out of an address.

    Parameters
    ----------
    uri : str
        Address of a server.

    Returns
    -------
    str
        The same address with `***@` in place of the credentials.

    Examples
    --------
    >>> redact_uri("mongodb://ann:secret@host:27017/superion")
    'mongodb://***@host:27017/superion'
    """
    return _SECRET_OPTIONS.sub(r"\1***", _CREDENTIALS.sub("://***@", uri))


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

        Parameters
        ----------
        force_reset : bool
            Connect anew even if connected.

        Raises
        ------
        StoreError
            If no server answers or it does not let us in.
        """
        was_connected = self._coll is not None and not force_reset
        with _explained(self.name):
            super().connect(force_reset)  # type: ignore[misc]
            if not was_connected:
                # A ping is answered without credentials, too.
                self._documents().find_one({}, {"_id": 1})

    def close(self) -> None:
        """Close the connection, if there is one; `connect()` opens it again."""
        if self._coll is not None:
            super().close()  # type: ignore[misc]

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
            raise StoreError(
                f"The MongoDB server of {self.name} cannot be used ({_cause(error)}): see that it runs, that this host "
                f"reaches it, and that {STORE_VARIABLE} or {STORE_FILE_VARIABLE} holds the right address, credentials "
                "and options."
            ) from None


def _wrong_file(shown: str, error: OSError) -> StoreError:
    """Say that a file which an address names, such as tlsCAFile, is not there."""
    return StoreError(
        f"The MongoDB address {shown} names a file that cannot be used ({error.strerror or type(error).__name__}): "
        "correct its options, such as tlsCAFile or tlsCertificateKeyFile."
    )


_CAUSES = {
    "certificate_verify_failed": "its certificate is not trusted; tlsCAFile names who signed it",
    "[ssl": "no TLS handshake",
    "authentication failed": "it refuses the credentials; see user name, password, authSource and authMechanism",
    "requires authentication": "it asks for a user name and a password",
    "not authorized": "it does not let this user read the database",
    "replica set": "no member of the replica set that the address names answers",
}
"""Words of pymongo -> ours; its own may quote what the address holds."""


def _cause(error: BaseException) -> str:
    """Say in a few words why a server cannot be used."""
    said = str(error).lower()
    return next((words for mark, words in _CAUSES.items() if mark in said), type(error).__name__)


def _with_credentials(uri: str) -> str:
    """Fill the credentials back in that `as_dict` took out."""
    if "***" not in uri:
        return uri
    configured = store_from_environment() or ""
    if redact_uri(configured) == uri:
        return configured
    raise StoreError(
        f"The address {uri} was written without its credentials: set {STORE_VARIABLE} to the full address, or "
        f"{STORE_FILE_VARIABLE} to a file that holds it."
    )
