"""Bringing all documents of a store to the layouts that this superion reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maggma.core import Store

from ..campaigns import CampaignCollections
from ..candidate_rows import SEARCH, document_to_row, row_to_document
from ..documents.campaign_record import CampaignRecord
from ..documents.candidate_summary import CandidateSummary
from ..documents.registry import readable_classes
from .registry import path_to_newest

CHUNK_SIZE = 200
"""Documents rewritten at a time, all of them or none."""


@dataclass(frozen=True)
class MigrationCount:
    """How many documents of one kind went, or would go, from one layout to another.

    Attributes
    ----------
    kind : str
        Kind of document.
    from_version, to_version : int
        Versions; equal where only fields to search by were renewed.
    n_documents : int
        How many.
    descriptions : tuple of str
        What changed, step by step.
    """

    kind: str
    from_version: int
    to_version: int
    n_documents: int
    descriptions: tuple[str, ...]


def migrate(collections: CampaignCollections, *, dry_run: bool = False) -> list[MigrationCount]:
    """Bring all documents to the layouts that this superion reads; twice does no more than once.

    Documents are rewritten in portions, each of them whole or not at all, so that a killed migration is continued
    by the next.

    Parameters
    ----------
    collections : CampaignCollections
        An open store.
    dry_run : bool
        Whether to count only.

    Returns
    -------
    list of MigrationCount
        What was, or would be, done; empty where everything is as it should be.

    Raises
    ------
    StoreError
        If a step is missing, or the store was written by a newer superion; then nothing is changed.
    """
    planned = list(_planned(collections))
    if not dry_run:
        for task in planned:
            _carry_out(task)
    counts = [
        MigrationCount(task.kind, task.version, task.newest, task.n_documents, task.descriptions) for task in planned
    ]
    renewed = _renew_search_fields(collections, dry_run=dry_run)
    if renewed:
        newest = _newest(CandidateSummary)
        counts.append(MigrationCount("candidate_summary", newest, newest, renewed, ("fields to search by renewed",)))
    return counts


@dataclass(frozen=True)
class _Task:
    """Documents of one kind and one old version."""

    kind: str
    store: Store
    key: tuple[str, ...]
    part: str | None
    version: int
    newest: int
    criteria: Mapping[str, Any]
    n_documents: int

    @property
    def descriptions(self) -> tuple[str, ...]:
        return tuple(step.description for step in path_to_newest(self.kind, self.version, self.newest))


def _planned(collections: CampaignCollections) -> Iterator[_Task]:
    """Find what is to be done; a missing step shows before anything is changed."""
    jobs = collections.jobs.docs_store
    kinds: list[tuple[str, Store, tuple[str, ...], str | None, int]] = [
        ("candidate_summary", collections.candidates, ("key",), None, _newest(CandidateSummary)),
        ("campaign_record", collections.campaigns, ("campaign_id",), None, _newest(CampaignRecord)),
    ]
    kinds += [(kind, jobs, ("uuid", "index"), "output", _newest(model)) for kind, model in readable_classes().items()]
    for kind, store, key, part, newest in kinds:
        field = f"{part}.schema_version" if part else "schema_version"
        of_kind = {"output.doc_type": kind} if part else {}
        for version in sorted(store.distinct(field, {**of_kind, field: {"$ne": newest}})):
            criteria = {**of_kind, field: version}
            path_to_newest(kind, version, newest)
            yield _Task(kind, store, key, part, version, newest, criteria, store.count(criteria))


def _carry_out(task: _Task) -> None:
    steps = path_to_newest(task.kind, task.version, task.newest)
    while chunk := list(task.store.query(task.criteria, limit=CHUNK_SIZE)):
        rewritten = []
        for stored in chunk:
            document = stored[task.part] if task.part else stored
            for step in steps:
                document = step.upgrade(dict(document))
            document = {**document, "schema_version": task.newest}
            rewritten.append({**stored, task.part: document} if task.part else document)
        task.store.update(rewritten, key=list(task.key))


def _renew_search_fields(collections: CampaignCollections, *, dry_run: bool) -> int:
    """Derive the fields to search by anew where they are not what this superion would write."""
    store = collections.candidates
    n_renewed = 0
    chunk: list[dict[str, Any]] = []
    current = {"schema_version": _newest(CandidateSummary)}
    for stored in store.query(current):
        document = row_to_document(document_to_row(stored))
        if document[SEARCH] == stored.get(SEARCH):
            continue
        n_renewed += 1
        chunk.append({**stored, SEARCH: document[SEARCH]})
        if len(chunk) >= CHUNK_SIZE and not dry_run:
            store.update(chunk, key="key")
            chunk = []
    if chunk and not dry_run:
        store.update(chunk, key="key")
    return n_renewed


def _newest(model: Any) -> int:
    return int(model.model_fields["schema_version"].default)
