"""All bulk data of an additional store, without that which is damaged."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridfs.errors import GridFSError
from maggma.core import Store
from maggma.stores import GridFSStore

from ..errors import StoreAwayError, StoreError
from .blobs import BlobStore
from .job_store import BULK_KEY
from .shown_address import shown_name


def readable_bulk(store: Store, missing: list[str]) -> Iterator[dict[str, Any]]:
    """Read bulk data, one content after the other.

    Parameters
    ----------
    store : Store
        An additional store.
    missing : list of str
        Takes one sentence for each content that cannot be read.

    Yields
    ------
    dict
        Contents, without the ids that are the store's own business.

    Raises
    ------
    StoreError
        If a content has no key.
    """
    for document in _contents(store, missing):
        refuse_without_key(document, (BULK_KEY,), store)
        yield {name: value for name, value in document.items() if name != "_id"}


def refuse_without_key(document: Mapping[str, Any], key: Sequence[str], store: Store) -> None:
    """Refuse a document that no restore could put in again.

    Parameters
    ----------
    document : mapping
        The document.
    key : sequence of str
        Fields by which documents are the same.
    store : Store
        Where it is.

    Raises
    ------
    StoreError
        If it lacks one of them.
    """
    lacking = [field for field in key if field not in document]
    if lacking:
        raise StoreError(
            f"A document of {shown_name(store)} has no {lacking[0]}, so that no restore could find it again: "
            "superion did not write it; move it to another collection."
        )


def _contents(store: Store, missing: list[str]) -> Iterator[dict[str, Any]]:
    if isinstance(store, BlobStore):
        heads = list(store.query({}, properties=[BULK_KEY]))
    elif isinstance(store, GridFSStore):
        heads = [entry.get("metadata") or {} for entry in store._files_collection.find({}, [f"metadata.{BULK_KEY}"])]
    else:
        yield from store.query({})
        return
    for head in heads:
        refuse_without_key(head, (BULK_KEY,), store)
    for key in dict.fromkeys(head[BULK_KEY] for head in heads):
        try:
            document = store.query_one({BULK_KEY: key})
        except StoreAwayError:
            raise
        except (StoreError, GridFSError, zlib.error, ValueError) as error:
            words = (
                str(error).rstrip(".") if isinstance(error, StoreError) else f"{type(error).__name__}: it is damaged"
            )
            missing.append(f"The bulk data {key} is missing in the backup: {words}.")
            continue
        if document is not None:
            yield document
