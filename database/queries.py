"""Asking a store for documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from maggma.core import Store
from pydantic import BaseModel, ConfigDict, Field

from ..errors import StoreError
from .documents import ConductivityDoc, SuperionDocument, parse_document
from .documents.base import UtcDatetime

Document = TypeVar("Document", bound=SuperionDocument)

_HEAD_FIELDS = {
    "uuid": 1,
    "index": 1,
    "name": 1,
    "output.doc_type": 1,
    "output.formula": 1,
    "output.label": 1,
    "output.state": 1,
    "output.run.state": 1,
    "output.temperature_k": 1,
    "output.protocol.temperature_k": 1,
    "output.sigma_300k_ms_cm": 1,
    "output.activation_energy_ev": 1,
    "output.provenance.created_at": 1,
}


class DocumentHead(BaseModel):
    """What a list shows of a document, without loading it."""

    model_config = ConfigDict(frozen=True)

    uuid: str = Field(description="uuid of the job that made it")
    index: int = Field(description="how many times that job had replaced itself")
    job_name: str = Field(description="name of the job")
    doc_type: str = Field(description="kind of document")
    formula: str = Field(description="reduced formula")
    label: str = Field(description="name of the material")
    state: str | None = Field(default=None, description="state of the run, where the kind has one")
    temperature_k: float | None = Field(default=None, description="temperature in K, where the kind has one")
    sigma_300k_ms_cm: float | None = Field(default=None, description="σ(300 K) in mS/cm, where the kind has one")
    activation_energy_ev: float | None = Field(default=None, description="activation energy in eV")
    created_at: UtcDatetime | None = Field(default=None, description="time of creation")


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
    found = store.query(criteria, properties=dict(_HEAD_FIELDS), sort={"output.provenance.created_at": -1}, limit=limit)
    return [_head(entry) for entry in found]


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


def latest_conductivity(
    store: Store, *, formula: str | None = None, label: str | None = None
) -> ConductivityDoc | None:
    """Load the newest conductivity.

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
    ConductivityDoc or None
        None where there is none.
    """
    return next(iterate_documents(store, ConductivityDoc, formula=formula, label=label, limit=1), None)


def _criteria(**fields: str | None) -> dict[str, Any]:
    """Write query criteria from what is asked for; only outputs that are documents count."""
    paths = {"campaign_id": "output.provenance.campaign_id"}
    criteria: dict[str, Any] = {
        paths.get(name, f"output.{name}"): value for name, value in fields.items() if value is not None
    }
    criteria.setdefault("output.doc_type", {"$exists": True})
    return criteria


def _head(entry: dict[str, Any]) -> DocumentHead:
    output = entry.get("output") or {}
    # A trajectory keeps these with its run and its protocol.
    run, protocol = output.get("run") or {}, output.get("protocol") or {}
    return DocumentHead(
        uuid=entry["uuid"],
        index=entry["index"],
        job_name=entry.get("name") or "",
        doc_type=output["doc_type"],
        formula=output.get("formula") or "",
        label=output.get("label") or "",
        state=output.get("state") or run.get("state"),
        temperature_k=output.get("temperature_k") or protocol.get("temperature_k"),
        sigma_300k_ms_cm=output.get("sigma_300k_ms_cm"),
        activation_energy_ev=output.get("activation_energy_ev"),
        created_at=(output.get("provenance") or {}).get("created_at"),
    )


def _stored(entry: dict[str, Any]) -> StoredDocument:
    return StoredDocument(
        uuid=entry["uuid"],
        index=entry["index"],
        job_name=entry.get("name") or "",
        document=parse_document(entry["output"]),
    )
