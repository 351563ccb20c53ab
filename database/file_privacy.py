"""Files with passwords in them: nobody but their owner may read or write them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from .shown_address import redact_uri

_PRIVATE_MODES = (0o600, 0o400)
_SECRET_FIELD = re.compile(r"(?i)password|secret")
_SECRET_OPTION = re.compile(r"(?i)password=[^&]")


def refuse_unless_private(place: Path, status: os.stat_result, called: str) -> None:
    """Refuse a file that others may read or write.

    Parameters
    ----------
    place : Path
        The file.
    status : os.stat_result
        What the system says of it.
    called : str
        How to call it at the beginning of a sentence.

    Raises
    ------
    StoreError
        If it is no plain file, belongs to another user, or its mode is neither 0600 nor 0400.
    """
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{called} is no plain file: name one.")
    if status.st_uid != os.geteuid():
        raise StoreError(f"{called} belongs to another user: use a copy of your own.")
    mode = stat.S_IMODE(status.st_mode)
    if mode not in _PRIVATE_MODES:
        raise StoreError(
            f"{called} has mode {mode:04o}, so that others may get at the password in it: run `chmod 600 {place}`."
        )


def holds_password(value: Any) -> bool:
    """Tell whether plain data, such as a description of a store, holds a password.

    Parameters
    ----------
    value : object
        Dictionaries, lists, text.

    Returns
    -------
    bool
        True for fields that are called so and not empty, and for addresses with credentials.

    Examples
    --------
    >>> holds_password({"docs_store": {"host": "db", "password": None}})
    False
    >>> holds_password({"docs_store": {"uri": "mongodb://ann:x@db/superion"}})
    True
    """
    if isinstance(value, Mapping):
        return any(
            (bool(entry) and bool(_SECRET_FIELD.search(str(name)))) or holds_password(entry)
            for name, entry in value.items()
        )
    if isinstance(value, list | tuple):
        return any(holds_password(entry) for entry in value)
    return isinstance(value, str) and "://" in value and _address_holds_password(value)


def _address_holds_password(address: str) -> bool:
    if _SECRET_OPTION.search(address):
        return True
    credentials = address.partition("://")[2].rpartition("@")[0]
    # A user's name alone is no secret, as of those who log in by certificate.
    return ":" in credentials and redact_uri(address) != address
