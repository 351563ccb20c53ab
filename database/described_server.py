"""Servers that a file describes: reached within seconds, or one sentence that says why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jobflow import JobStore
from maggma.core import Store
from pymongo.errors import PyMongoError

from ..errors import StoreError
from .mongo_server import SERVER_TIMEOUT_MS, server_error_cause
from .shown_address import redact_uri


def connect_described(store: JobStore, location: str) -> None:
    """Connect all parts of a store, and see that their servers let us read.

    Parameters
    ----------
    store : JobStore
        A store of any kind.
    location : str
        Where it is described, for messages.

    Raises
    ------
    StoreError
        If a server does not answer, or does not let us in.
    """
    for part in (store.docs_store, *store.additional_stores.values()):
        options = getattr(part, "mongoclient_kwargs", None)
        if isinstance(options, dict):
            # maggma's own stores would look for a server for 30 s
            options.setdefault("serverSelectionTimeoutMS", SERVER_TIMEOUT_MS)
    for part in (store.docs_store, *store.additional_stores.values()):
        with server_explained(store, part, location):
            part.connect()
            if part is store.docs_store:
                part.query_one({}, ["_id"])


@contextmanager
def server_explained(store: JobStore, part: Store, location: str) -> Iterator[None]:
    """Put what a server's client raises into one sentence without credentials.

    Parameters
    ----------
    store : JobStore
        The store; closed where it cannot be used.
    part : Store
        The part of it that is used.
    location : str
        Where it is described, for messages.

    Yields
    ------
    None
        While the store is used.

    Raises
    ------
    StoreError
        In place of errors of the client and of the network.
    """
    try:
        yield
    except StoreError:
        raise
    except (PyMongoError, OSError) as error:
        with suppress(Exception):
            store.close()
        raise StoreError(
            f"The server of the store {_shown(part)} cannot be used ({server_error_cause(error)}): see that it "
            f"runs, that this host reaches it, and that {redact_uri(location)} holds the right host, port, user name "
            "and password."
        ) from None


def _shown(store: Any) -> str:
    """Name a store without credentials."""
    uri = getattr(store, "uri", None)
    if uri:
        return redact_uri(str(uri))
    host, port = getattr(store, "host", None), getattr(store, "port", None)
    if not host:
        return type(store).__name__
    shown = redact_uri(str(host))
    return shown if "://" in shown or not port else f"{shown}:{port}"
