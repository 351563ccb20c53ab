"""Addresses of servers and names of stores as they may be shown: without user name, password and other secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maggma.core import Store

_HOST = r"(?:[\w.%\-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?"
_ADDRESS = re.compile(
    rf"(?P<scheme>[\w+.\-]+://)(?P<credentials>.*?@)??(?P<place>{_HOST}(?:,{_HOST})*(?:/[^@?]*)?)"
    r"(?P<options>\?\w+=.*)?",
    re.DOTALL,
)
_CREDENTIALS = re.compile(r"://.*@", re.DOTALL)
_SECRET_OPTIONS = re.compile(r"(?i)((?:password|authMechanismProperties|proxyUsername)=)[^&]*")
_SERVER = re.compile(r"mongodb(?:\+srv)?://")


def redact_uri(uri: str) -> str:
    """Take user name and password out of an address.

    Parameters
    ----------
    uri : str
        Address of a server.

    Returns
    -------
    str
        The same address with `***@` in place of the credentials. Of one that is written wrongly, everything up to the
        last `@`.

    Examples
    --------
    >>> redact_uri("mongodb://ann:secret@host:27017/superion")
    'mongodb://***@host:27017/superion'
    >>> redact_uri("mongodb://host/superion?appName=me@lab")
    'mongodb://host/superion?appName=me@lab'
    """
    found = _ADDRESS.fullmatch(uri)
    if found is None:
        shown = _CREDENTIALS.sub("://***@", uri)
    else:
        mark = "***@" if found["credentials"] is not None else ""
        shown = f"{found['scheme']}{mark}{found['place']}{found['options'] or ''}"
    return _SECRET_OPTIONS.sub(r"\1***", shown)


def shown_name(store: Store) -> str:
    """Name a store of any kind without credentials, which maggma's own names quote.

    Parameters
    ----------
    store : Store
        The store.

    Returns
    -------
    str
        Its name.

    Examples
    --------
    >>> from maggma.stores import MongoURIStore
    >>> shown_name(MongoURIStore("mongodb://ann:secret@host/superion", "outputs"))
    'mongodb://***@host/superion'
    """
    name = str(store.name)
    address = _SERVER.search(name)
    return name if address is None else name[: address.start()] + redact_uri(name[address.start() :])
