"""Which class reads which kind of document: ours and those of other packages, found by entry point."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from ...errors import StoreError
from ...plugins import BrokenPluginWarning, PluginGroup
from .base import SuperionDocument

DOCUMENTS: PluginGroup[SuperionDocument] = PluginGroup(
    "superion.documents", "kind of document", SuperionDocument, StoreError
)
"""The entry points by which any package registers a document class under its `doc_type`."""

_ADDED: dict[str, type[SuperionDocument]] = {}
"""Classes that this process was given by `register_document_type`."""


def document_types() -> tuple[str, ...]:
    """List the kinds of documents without importing their classes.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> "conductivity" in document_types()
    True
    """
    return tuple(sorted({*DOCUMENTS.names(), *_ADDED}))


@cache
def document_class(doc_type: str) -> type[SuperionDocument]:
    """Load the class of one kind of document.

    Parameters
    ----------
    doc_type : str
        Registered kind.

    Returns
    -------
    type
        The class.

    Raises
    ------
    StoreError
        If no installed package registers the kind, or the one that does is broken.

    Examples
    --------
    >>> document_class("relax").__name__
    'RelaxDoc'
    """
    if doc_type not in document_types():
        raise StoreError(
            f"Documents of kind '{doc_type}' are unknown to this version of superion, which reads "
            f"{', '.join(document_types())}: update superion or install the package that defines them."
        )
    return _ADDED[doc_type] if doc_type in _ADDED else DOCUMENTS.load(doc_type)


def readable_classes() -> dict[str, type[SuperionDocument]]:
    """Load the classes of all kinds whose packages are sound.

    A broken package spoils neither a listing nor the documents of others; reading its own documents names it.

    Returns
    -------
    dict of str to type
        Kind to class.

    Warns
    -----
    BrokenPluginWarning
        For each kind whose class does not load.
    """
    found = {}
    for doc_type in document_types():
        try:
            found[doc_type] = document_class(doc_type)
        except StoreError as error:
            warnings.warn(str(error), BrokenPluginWarning, stacklevel=2)
    return found


def register_document_type(document_type: type[SuperionDocument]) -> type[SuperionDocument]:
    """Make this process read documents of a class; deprecated, for entry points serve every process.

    Parameters
    ----------
    document_type : type
        Subclass of SuperionDocument whose `doc_type` has a default.

    Returns
    -------
    type
        The class itself.

    Warns
    -----
    DeprecationWarning
        Always.
    """
    doc_type = str(document_type.model_fields["doc_type"].default)
    warnings.warn(
        f"register_document_type serves this process only: register '{doc_type}' as an entry point of the group "
        f"{DOCUMENTS.entry_point_group} instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    _ADDED[doc_type] = document_type
    document_class.cache_clear()
    return document_type


def parse_document(data: Mapping[str, Any]) -> SuperionDocument:
    """Rebuild a document from what a store keeps of it.

    Parameters
    ----------
    data : mapping
        The `output` of a job as stored, with or without the class tags that jobflow adds.

    Returns
    -------
    SuperionDocument
        An instance of the class registered for its `doc_type`.

    Raises
    ------
    StoreError
        If the kind of document is unknown, or the layout does not fit this version of superion.
    """
    doc_type = str(data.get("doc_type"))
    document_type = document_class(doc_type)
    newest = document_type.model_fields["schema_version"].default
    if isinstance(version := data.get("schema_version"), int) and version > newest:
        raise StoreError(
            f"This {doc_type} document has layout version {version} but this superion reads up to {newest}: "
            "update superion to read it."
        )
    try:
        return document_type.model_validate({k: v for k, v in data.items() if not k.startswith("@")})
    except ValueError as error:
        first = str(error).splitlines()
        raise StoreError(
            f"A stored {doc_type} document does not have the layout of this version of superion "
            f"({'; '.join(line.strip() for line in first[1:3])}): read it with the version that wrote it."
        ) from error
