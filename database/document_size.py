"""What a MongoDB collection can keep of a document: nothing above 16 MiB, no whole number above 64 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson
from bson.errors import BSONError
from bson.objectid import ObjectId

from ..errors import StoreError

MAXIMUM_BYTES = 16 * 2**20
"""Greatest size of a document on any MongoDB server, in bytes of BSON, its id included."""


def refuse_unfit(document: Mapping[str, Any], collection: str) -> None:
    """Refuse a document that no MongoDB server takes, before anything of it is written anywhere.

    Parameters
    ----------
    document : mapping
        The document, of plain data.
    collection : str
        Where it is to go, for the message.

    Raises
    ------
    StoreError
        If it is too large, or holds what BSON cannot.

    Examples
    --------
    >>> refuse_unfit({"uuid": "a", "index": 1, "output": 7}, "outputs")
    """
    try:
        n_bytes = len(bson.encode({"_id": ObjectId(), **document}))
    except (BSONError, OverflowError, ValueError, TypeError) as error:
        # The library's own words may quote the whole document.
        raise StoreError(
            f"{_called(document)} cannot be kept in the collection {collection} ({type(error).__name__}): let it hold "
            "plain data, with whole numbers of 64 bits at most."
        ) from None
    if n_bytes > MAXIMUM_BYTES:
        raise StoreError(
            f"{_called(document)} takes {n_bytes / 2**20:.1f} MiB in the collection {collection}, and a MongoDB server "
            f"keeps {MAXIMUM_BYTES // 2**20} MiB at most: send its bulk data to the additional store, as "
            "`@job(data=[...])` of jobflow does."
        )


def _called(document: Mapping[str, Any]) -> str:
    """Name a document by its job, or by what else names it; a name is short."""
    if "uuid" in document:
        name = f"{document['name']!s:.80} " if document.get("name") else ""
        return f"The result of job {name}({document['uuid']!s:.80}, index {document.get('index', 1)!s:.20})"
    for field in ("campaign_id", "key", "blob_uuid", "fingerprint", "unit"):
        if field in document:
            return f"The document with {field} {document[field]!s:.80}"
    return "A document"
