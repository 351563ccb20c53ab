"""Asking a store for documents."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from maggma.core import Store
from pydantic import BaseModel, ConfigDict, Field

from ..errors import StoreError
from .documents.base import SuperionDocument, UtcDatetime
from .documents.registry import document_class, parse_document, readable_classes

Document = TypeVar("Document", bound=SuperionDocument)

_HEAD_FIELDS = (
    "uuid",
    "index",
    "name",
    "output.doc_type",
    "output.formula",
    "output.label",
    "output.provenance.created_at",
)


class DocumentHead(BaseModel):
    """What a list shows of a document, without loading it.

    Beside these it has the columns that the kinds of documents list (`SuperionDocument.listed`), such as
    `temperature_k` or `sigma_300k_ms_cm`; a column that the kind does not have is None.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    uuid: str = Field(description="uuid of the job that made it")
    index: int = Field(description="how many times that job had replaced itself")
    job_name: str = Field(description="name of the job")
    doc_type: str = Field(description="kind of document")
    formula: str = Field(description="reduced formula")
    label: str = Field(description="name of the material")
    state: str | None = Field(default=None, description="state of the run, where the kind has one")
    created_at: UtcDatetime | None = Field(default=None, description="time of creation")

    @property
    def values(self) -> Mapping[str, Any]:
        """The columns of its kind that hold something, by name."""
        return {name: value for name, value in (self.__pydantic_extra__ or {}).items() if value is not None}


class StoredDocument(BaseModel):
    """A document and the job that made it."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    uuid: str = Field(description="uuid of the job that made it")
    index: int = Field(description="how many times that job had replaced itself")
    job_name: str = Field(description="name of the job")
    document: SuperionDocument = Field(description="the document")


def list_documents(
    store: Store,
    doc_type: str | None = None,
    formula: str | None = None,
    limit: int = 50,
    *,
    label: str | None = None,
    campaign_id: str | None = None,
) -> list[DocumentHead]:
    """List the latest documents.

    Parameters
    ----------
    store : JobStore
        A connected store.
    doc_type : str, optional
        Kind of document, such as `conductivity`; all kinds if None.
    formula : str, optional
        Reduced formula.
    limit : int
        Greatest number to list; 0 for all.
    label : str, optional
        Name of the material.
    campaign_id : str, optional
        Campaign that asked for them.

    Returns
    -------
    list of DocumentHead
        The newest first.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    criteria = _criteria(doc_type=doc_type, formula=formula, label=label, campaign_id=campaign_id)
    # One job may have replaced itself: each of its outputs is a document of its own.
    columns = {kind: model.listed for kind, model in readable_classes().items()}
    found = store.query(
        criteria, properties=_head_fields(columns), sort={"output.provenance.created_at": -1}, limit=limit
    )
    return [_head(entry, columns) for entry in found]


def get_document(store: Store, identifier: str) -> StoredDocument:
    """Load one document.

    Parameters
    ----------
    store : JobStore
        A connected store.
    identifier : str
        The uuid of its job, or the first letters of it where they belong to no other.

    Returns
    -------
    StoredDocument
        The document, of the class that its kind has; the last one where the job replaced itself.

    Raises
    ------
    StoreError
        If there is none, or several begin so.
    """
    identifier = identifier.strip()
    if not identifier:
        raise StoreError("An empty name finds no document: give the uuid that `superion list` shows, or its start.")
    # Every text that begins so lies between the prefix and the prefix with its last letter moved on.
    end = identifier[:-1] + chr(ord(identifier[-1]) + 1)
    criteria = {"uuid": {"$gte": identifier, "$lt": end}, **_criteria()}
    uuids = store.distinct("uuid", criteria)
    if identifier in uuids:
        uuids = [identifier]
    if not uuids:
        raise StoreError(f"No document has the uuid {identifier!r}: `superion list` shows those there are.")
    if len(uuids) > 1:
        shown = ", ".join(sorted(uuids)[:5])
        raise StoreError(f"{len(uuids)} documents begin with {identifier!r} ({shown}, …): give more letters.")
    entry = store.query_one({"uuid": uuids[0], **_criteria()}, sort={"index": -1})
    if entry is None:
        raise StoreError(f"The document {uuids[0]} was removed while it was looked up: list the documents again.")
    return _stored(entry)


def iterate_documents(
    store: Store,
    document_type: type[Document],
    *,
    formula: str | None = None,
    label: str | None = None,
    campaign_id: str | None = None,
    limit: int = 0,
) -> Iterator[Document]:
    """Load documents of one kind, the newest first.

    Parameters
    ----------
    store : JobStore
        A connected store.
    document_type : type
        A document class.
    formula : str, optional
        Reduced formula.
    label : str, optional
        Name of the material.
    campaign_id : str, optional
        Campaign that asked for them.
    limit : int
        Greatest number; 0 for all.

    Yields
    ------
    SuperionDocument
        Documents of that class.
    """
    doc_type = str(document_type.model_fields["doc_type"].default)
    criteria = _criteria(doc_type=doc_type, formula=formula, label=label, campaign_id=campaign_id)
    for entry in store.query(criteria, sort={"output.provenance.created_at": -1}, limit=limit):
        document = parse_document(entry["output"])
        if isinstance(document, document_type):
            yield document


def latest_document(
    store: Store, doc_type: str, *, formula: str | None = None, label: str | None = None
) -> SuperionDocument | None:
    """Load the newest document of one kind.

    Parameters
    ----------
    store : JobStore
        A connected store.
    doc_type : str
        Kind of document, such as `conductivity`.
    formula : str, optional
        Reduced formula.
    label : str, optional
        Name of the material.

    Returns
    -------
    SuperionDocument or None
        None where there is none.

    Raises
    ------
    StoreError
        If the kind is unknown, or the document cannot be read.
    """
    return next(iterate_documents(store, document_class(doc_type), formula=formula, label=label, limit=1), None)


def latest_conductivity(store: Store, *, formula: str | None = None, label: str | None = None) -> Any:
    """Load the newest conductivity; deprecated in favour of `latest_document`.

    Parameters
    ----------
    store : JobStore
        A connected store.
    formula : str, optional
        Reduced formula.
    label : str, optional
        Name of the material.

    Returns
    -------
    SuperionDocument or None
        None where there is none.

    Warns
    -----
    DeprecationWarning
        Always.
    """
    warnings.warn(
        'latest_conductivity is now latest_document(store, "conductivity").', DeprecationWarning, stacklevel=2
    )
    return latest_document(store, "conductivity", formula=formula, label=label)


def _criteria(**fields: str | None) -> dict[str, Any]:
    """Write query criteria from what is asked for; only outputs that are documents count."""
    paths = {"campaign_id": "output.provenance.campaign_id"}
    criteria: dict[str, Any] = {
        paths.get(name, f"output.{name}"): value for name, value in fields.items() if value is not None
    }
    criteria.setdefault("output.doc_type", {"$exists": True})
    return criteria


def _head_fields(columns: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """Name the fields that a list needs; a field inside another one that is asked for would be refused by servers."""
    listed = {f"output.{path}" for paths in columns.values() for path in paths.values()}
    fields = {*_HEAD_FIELDS, *listed}
    return {path: 1 for path in sorted(fields) if not any(path.startswith(f"{other}.") for other in fields)}


def _head(entry: dict[str, Any], columns: Mapping[str, Mapping[str, str]]) -> DocumentHead:
    output = entry.get("output") or {}
    all_columns = {name for paths in columns.values() for name in paths}
    own = columns.get(output["doc_type"], SuperionDocument.listed)
    return DocumentHead(
        uuid=entry["uuid"],
        index=entry["index"],
        job_name=entry.get("name") or "",
        doc_type=output["doc_type"],
        formula=output.get("formula") or "",
        label=output.get("label") or "",
        created_at=(output.get("provenance") or {}).get("created_at"),
        **{name: _at(output, own[name]) if name in own else None for name in sorted(all_columns)},
    )


def _at(output: Any, path: str) -> Any:
    """Follow a dotted path; None where it leads nowhere."""
    for part in path.split("."):
        output = output.get(part) if isinstance(output, Mapping) else None
    return output


def _stored(entry: dict[str, Any]) -> StoredDocument:
    return StoredDocument(
        uuid=entry["uuid"],
        index=entry["index"],
        job_name=entry.get("name") or "",
        document=parse_document(entry["output"]),
    )
