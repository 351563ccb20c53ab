"""Copying everything that a store keeps into one file, and back into a store of any kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from bson.objectid import ObjectId
from maggma.core import Store
from maggma.stores import MemoryStore, MongoStore
from pydantic import BaseModel, ConfigDict, Field

from ..errors import StoreError
from .backup_archive import BackupReader, BackupWriter
from .bulk_contents import readable_bulk, refuse_without_key
from .campaigns import CampaignCollections
from .document_size import refuse_unfit
from .shown_address import shown_name
from .sibling_stores import sibling_store
from .summary_builder import BUILDS

CHUNK_SIZE = 200
"""Documents restored at a time."""

RESTORES = "restores"
"""Collection that names the restore that has not ended."""


class BackupReport(BaseModel):
    """What a backup, or a restore of one, moved."""

    model_config = ConfigDict(frozen=True)

    path: Path = Field(description="the file")
    n_bytes: int = Field(description="its size")
    n_documents: dict[str, int] = Field(description="number of documents by collection")
    n_bulk: int = Field(description="number of contents of bulk data")
    missing: tuple[str, ...] = Field(default=(), description="bulk data that could not be read, one sentence each")


@dataclass(frozen=True)
class _Part:
    """One collection of the store.

    Parameters
    ----------
    member : str
        Its name in the archive: what it holds, whatever the store calls it.
    store : Store
        The collection.
    key : tuple of str
        Fields by which documents are the same.
    is_bulk : bool
        Whether its documents are large: they are moved one by one.
    """

    member: str
    store: Store
    key: tuple[str, ...]
    is_bulk: bool = False


def back_up(collections: CampaignCollections, target: Path, *, overwrite: bool = False) -> BackupReport:
    """Write everything that a store keeps into one file; trajectories stay where they are.

    What is written meanwhile may be in it or not; what was there before is. Bulk data that is damaged is left out, and
    the report names it. Of documents with the same key the newest is in it.

    Parameters
    ----------
    collections : CampaignCollections
        An open store.
    target : Path
        File to write, or a folder for a file named after the time.
    overwrite : bool
        Whether to replace a file that is there.

    Returns
    -------
    BackupReport
        What it holds.

    Raises
    ------
    StoreError
        If the file is there already or cannot be written.
    """
    path = target
    if target.is_dir():
        path = target / f"superion-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"
    if path.exists() and not overwrite:
        raise StoreError(f"The file {path} is there already: name another one, or pass --overwrite.")
    missing: list[str] = []
    try:
        with BackupWriter(path) as writer, _parts(collections) as parts:
            # Documents before the bulk data they refer to, which is written first: so none is missing.
            for part in parts:
                writer.add(part.member, readable_bulk(part.store, missing) if part.is_bulk else _documents(part))
    except OSError as error:
        raise StoreError(
            f"The backup {path} cannot be written ({error.strerror or error}): choose another place."
        ) from error
    return _report(path, {member: entry.n_documents for member, entry in writer.members.items()}, missing)


def restore(collections: CampaignCollections, path: Path, *, overwrite: bool = False) -> BackupReport:
    """Put a backup into a store, of the same kind as it came from or of another one.

    The file is checked to its end before anything is written. A restore that was interrupted is repeated and ends as if
    nothing had happened, unless somebody worked with the store in between; until then `check_store` tells of it.

    Parameters
    ----------
    collections : CampaignCollections
        An open store; empty, or the one of an interrupted restore of the same file.
    path : Path
        The backup.
    overwrite : bool
        Whether to write into a store that holds anything, or that was worked with since a restore was interrupted:
        documents with the same key are replaced, others stay.

    Returns
    -------
    BackupReport
        What was put in.

    Raises
    ------
    StoreError
        If the file is damaged, holds what this superion does not know or the store cannot keep, or the store is not
        empty.
    """
    with BackupReader(path) as reader, _parts(collections) as known:
        parts = {part.member: part for part in known}
        unknown = sorted(set(reader.manifest.members) - set(parts))
        if unknown:
            raise StoreError(
                f"The backup {path} holds {unknown[0]}, for which the store has no place: update superion, or add the "
                "additional store to its description."
            )
        reader.check()
        for member in reader.manifest.members:
            _refuse_unfit(parts[member], reader)
        made_at, now = reader.manifest.created_at, datetime.now(UTC)
        mark = {"restore": "running", "created_at": made_at.isoformat(), "file": path.name, "begun_at": now.isoformat()}
        with _marks(collections) as marks:
            begun = marks.query_one({"restore": "running"})
            is_ours = begun is not None and begun["created_at"] == mark["created_at"]
            if begun is not None and is_ours:
                mark["begun_at"] = begun.get("begun_at") or begun["_id"].generation_time.isoformat()
                # Nothing in the backup is younger than itself.
                since = max(made_at, datetime.fromisoformat(mark["begun_at"]))
                if not overwrite and _is_newer(collections, since):
                    raise StoreError(
                        f"The store {shown_name(collections.jobs.docs_store)} was worked with since the restore of "
                        f"{path.name} was interrupted: name an empty one, or pass --overwrite, which replaces what was "
                        "changed since by what the backup holds, and keeps what is new."
                    )
            filled = [part.member for part in known if part.store.query_one({}, properties=["_id"])]
            if filled and not is_ours and not overwrite:
                name, what = shown_name(collections.jobs.docs_store), filled[0].partition(".")[0]
                raise StoreError(
                    f"The store {name} holds {what} already: name an empty one, or pass --overwrite, which replaces "
                    "documents with the same key and keeps the others."
                )
            marks.update(mark, key="restore")
            counts = {member: _fill(parts[member], reader) for member in reader.manifest.members}
            marks.remove_docs({"restore": "running"})
    return _report(path, counts)


def unfinished_restore(collections: CampaignCollections) -> str | None:
    """Say which restore has not ended.

    Parameters
    ----------
    collections : CampaignCollections
        An open store.

    Returns
    -------
    str or None
        Name of its file; None where there is none.
    """
    with _marks(collections) as marks:
        begun = marks.query_one({"restore": "running"})
    return None if begun is None else str(begun["file"])


@contextmanager
def _sibling(collections: CampaignCollections, name: str, key: str) -> Iterator[Store]:
    store = sibling_store(collections.jobs.docs_store, name, key=key)
    store.connect()
    try:
        yield store
    finally:
        store.close()


def _marks(collections: CampaignCollections) -> AbstractContextManager[Store]:
    return _sibling(collections, RESTORES, "restore")


@contextmanager
def _parts(collections: CampaignCollections) -> Iterator[list[_Part]]:
    """Name everything that a store keeps."""
    with _sibling(collections, BUILDS, "collection") as builds:
        bulk = sorted(collections.jobs.additional_stores.items())
        yield [
            _Part("jobs.jsonl", collections.jobs.docs_store, ("uuid", "index")),
            _Part("campaigns.jsonl", collections.campaigns, ("campaign_id",)),
            _Part("candidates.jsonl", collections.candidates, ("key",)),
            _Part("candidate_structures.jsonl", collections.structures, ("fingerprint",)),
            _Part("candidate_stage_keys.jsonl", collections.stage_keys, ("unit",)),
            _Part("candidate_builds.jsonl", builds, ("collection",)),
            *(_Part(f"bulk/{name}.jsonl", store, ("blob_uuid",), is_bulk=True) for name, store in bulk),
        ]


def _documents(part: _Part) -> Iterator[Mapping[str, Any]]:
    doubles = _older_doubles(part)
    for document in part.store.query({}):
        if str(document["_id"]) in doubles:
            continue
        refuse_without_key(document, part.key, part.store)
        yield document


def _older_doubles(part: _Part) -> set[str]:
    """List the ids of documents that have a newer one with the same key: no store would take both."""
    newest: dict[tuple[str, ...], tuple[str, str]] = {}
    doubles = set()
    for document in part.store.query({}, properties=["_id", *part.key, "completed_at"]):
        key = tuple(json.dumps(document.get(field), default=str) for field in part.key)
        # Ids grow with time where nothing else tells.
        age = str(document.get("completed_at") or ""), str(document["_id"])
        other = newest.get(key)
        if other is not None:
            doubles.add(min(age, other)[1])
        newest[key] = age if other is None else max(age, other)
    return doubles


def _is_newer(collections: CampaignCollections, moment: datetime) -> bool:
    """Tell whether jobs or campaigns were stored or changed after a moment; rows of candidates are derived anew."""
    later = ObjectId.from_datetime(moment + timedelta(seconds=1))
    if collections.jobs.docs_store.query_one({"_id": {"$gt": later}}, properties=["_id"]) is not None:
        return True
    changes = (entry.get("updated_at") for entry in collections.campaigns.query({}, properties=["updated_at"]))
    return any(
        (changed if changed.tzinfo else changed.replace(tzinfo=UTC)) > moment
        for changed in changes
        if isinstance(changed, datetime)
    )


def _refuse_unfit(part: _Part, reader: BackupReader) -> None:
    """Refuse documents that the embedded store took and a server would not."""
    is_on_server = isinstance(part.store, MongoStore) and not isinstance(part.store, MemoryStore)
    if is_on_server and not part.is_bulk:
        for document in reader.documents(part.member):
            refuse_unfit(document, str(part.store.collection_name))


def _fill(part: _Part, reader: BackupReader) -> int:
    """Write the documents of a part, in portions."""
    documents = reader.documents(part.member)
    n_documents = 0
    while portion := list(islice(documents, 1 if part.is_bulk else CHUNK_SIZE)):
        if not part.is_bulk:
            portion = _with_ids_of_the_store(part, portion)
        part.store.update(portion, key=list(part.key))
        n_documents += len(portion)
    return n_documents


def _with_ids_of_the_store(part: _Part, portion: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave documents that are there already their ids, which cannot be changed."""
    first = part.key[0]
    wanted = {first: {"$in": [document[first] for document in portion]}}
    there = {
        tuple(entry.get(field) for field in part.key): entry["_id"]
        for entry in part.store.query(wanted, properties=["_id", *part.key])
    }
    changed = []
    for document in portion:
        known = there.get(tuple(document[field] for field in part.key))
        changed.append(document if known is None else {**document, "_id": known})
    return changed


def _report(path: Path, counts: Mapping[str, int], missing: Sequence[str] = ()) -> BackupReport:
    names = {member: member.removesuffix(".jsonl") for member in counts}
    return BackupReport(
        path=path,
        n_bytes=path.stat().st_size,
        n_documents={names[member]: n for member, n in counts.items() if not member.startswith("bulk/")},
        n_bulk=sum(n for member, n in counts.items() if member.startswith("bulk/")),
        missing=tuple(missing),
    )
