"""The collections of campaigns, beside the jobs: records, candidates' rows, their structures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import orjson
from bson.objectid import ObjectId
from jobflow import JobStore
from maggma.core import Store

from ..errors import StoreError
from .candidate_rows import document_to_row, row_to_document
from .documents.campaign_record import CampaignRecord
from .documents.candidate_summary import CandidateSummary
from .documents.registry import parse_document
from .documents.stage import StageDoc
from .job_store import open_job_store
from .project import ProjectFolder
from .sibling_stores import sibling_store
from .unchanged_write import replace_if_there
from .usual_queries import Index, ensure_usual_indexes

CAMPAIGNS = "campaigns"
CANDIDATES = "candidates"
STRUCTURES = "candidate_structures"
STAGE_KEYS = "candidate_stage_keys"

CHUNK_SIZE = 500
"""Keys looked up, and rows written, at a time."""

STRUCTURE_CHUNK_SIZE = 50
"""Rows that are given their structures at a time: many structures at once keep the garbage collector busy."""

_HEAVY_STAGE_FIELDS = {"output.structure": 0, "output.details": 0}
_SETTLED = ("completed", "rejected")

Item = TypeVar("Item")


class CampaignCollections:
    """What the store keeps of campaigns.

    Rows are stored without the structures of their orderings; these lie in a collection of their own, once
    per fingerprint, so that ten thousand rows are read in a second.  All writes are upserts: doing one twice
    changes nothing.

    Parameters
    ----------
    jobs : JobStore
        A connected store; the collections lie in the same database as its documents.

    Attributes
    ----------
    missing_indexes : frozenset of Index
        Indexes of the usual queries that are not there, for this user may not make them.

    Raises
    ------
    StoreError
        If its kind of store holds no other collections.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with CampaignCollections.open(f"{folder}/results.db") as collections:
    ...         _ = collections.save_campaign(CampaignRecord(campaign_id="argyrodites", file_text="candidates: …"))
    ...         [record.campaign_id for record in collections.list_campaigns()]
    ['argyrodites']
    """

    def __init__(self, jobs: JobStore) -> None:
        self.jobs = jobs
        self.campaigns: Store = sibling_store(jobs.docs_store, CAMPAIGNS, key="campaign_id")
        self.candidates: Store = sibling_store(jobs.docs_store, CANDIDATES, key="key")
        self.structures: Store = sibling_store(jobs.docs_store, STRUCTURES, key="fingerprint")
        self.stage_keys: Store = sibling_store(jobs.docs_store, STAGE_KEYS, key="unit")
        self.missing_indexes: frozenset[Index] = frozenset()
        self._connect()

    @classmethod
    def open(
        cls, location: str | Path | None = None, *, project: ProjectFolder | None = None, create: bool = True
    ) -> CampaignCollections:
        """Open the collections that belong to a location.

        Parameters
        ----------
        location : str or Path, optional
            As for `open_job_store`: an address, a file, or None for the project's own store.
        project : ProjectFolder, optional
            The project; found from the current folder if None.
        create : bool
            Whether to make the project or the embedded store where it is missing.

        Returns
        -------
        CampaignCollections
            Connected; to be closed, or used as a context manager.

        Raises
        ------
        StoreError
            If the store cannot be opened.
        """
        jobs = open_job_store(location, project=project, create=create)
        try:
            return cls(jobs)
        except BaseException:
            jobs.close()
            raise

    def _connect(self) -> None:
        for store in self._own_stores():
            store.connect()
        for path in ("campaign_id", "updated_at"):
            self.campaigns.ensure_index(path)
        self.missing_indexes = ensure_usual_indexes(self.candidates)
        self.structures.ensure_index("fingerprint")
        for path in ("unit", "stage_key", "key"):
            self.stage_keys.ensure_index(path)

    def _own_stores(self) -> tuple[Store, ...]:
        return (self.campaigns, self.candidates, self.structures, self.stage_keys)

    def close(self) -> None:
        """Close all collections and the jobs."""
        for store in (*self._own_stores(), self.jobs):
            store.close()

    def __enter__(self) -> CampaignCollections:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- campaigns -------------------------------------------------------------------------------------------

    def save_campaign(self, record: CampaignRecord) -> CampaignRecord:
        """Store the record of a campaign, in place of the one with its name.

        Parameters
        ----------
        record : CampaignRecord
            The record.

        Returns
        -------
        CampaignRecord
            What was stored: with the time of now as its last change, and the first submission's as its creation.
        """
        old = self.load_campaign(record.campaign_id)
        stored = record.model_copy(
            update={"created_at": old.created_at if old else record.created_at, "updated_at": _now()}
        )
        self.campaigns.update(stored.model_dump())
        return stored

    def change_campaign(self, campaign_id: str, **changes: Any) -> CampaignRecord | None:
        """Change some fields of a record as it is stored now; what others changed meanwhile stays.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        **changes
            Fields of the record.

        Returns
        -------
        CampaignRecord or None
            As it is now; None where there is no such campaign.
        """
        record = self.load_campaign(campaign_id)
        if record is None:
            return None
        changed = record.model_copy(update=changes)
        return record if changed == record else self.save_campaign(changed)

    def load_campaign(self, campaign_id: str) -> CampaignRecord | None:
        """Load the record of a campaign.

        Parameters
        ----------
        campaign_id : str
            Its name.

        Returns
        -------
        CampaignRecord or None
            None where there is no such campaign.
        """
        found = self.campaigns.query_one({"campaign_id": campaign_id}, properties={"_id": 0})
        return _record(found) if found else None

    def list_campaigns(self) -> list[CampaignRecord]:
        """List all campaigns.

        Returns
        -------
        list of CampaignRecord
            The last changed first.
        """
        return [_record(found) for found in self.campaigns.query({}, properties={"_id": 0}, sort={"updated_at": -1})]

    # -- candidates ------------------------------------------------------------------------------------------

    def register_candidates(self, rows: Iterable[CandidateSummary]) -> int:
        """Store the rows whose keys are not there yet, and leave the others as they are.

        Parameters
        ----------
        rows : iterable of CandidateSummary
            Rows; read in portions, so that a generator of many needs little memory.

        Returns
        -------
        int
            How many were new.
        """
        n_new = 0
        for portion in _portions(rows):
            known = self._known("key", self.candidates, [row.key for row in portion])
            new = list({row.key: row for row in portion if row.key not in known}.values())
            self.update_rows(new)
            n_new += len(new)
        return n_new

    def update_rows(self, rows: Iterable[CandidateSummary]) -> None:
        """Store rows in place of those with the same keys, and the structures that they bring along.

        Parameters
        ----------
        rows : iterable of CandidateSummary
            Rows; an ordering without its structure leaves the stored structure as it is.
        """
        for portion in _portions(rows):
            self._store_structures(portion)
            self._store_stage_keys(portion)
            self.candidates.update([row_to_document(row) for row in portion])

    def remove_rows(self, keys: Iterable[str]) -> None:
        """Remove rows; what was computed for them stays.

        Parameters
        ----------
        keys : iterable of str
            Their keys.
        """
        for portion in _portions(keys):
            self.candidates.remove_docs({"key": {"$in": portion}})

    def replace_row(self, row: CandidateSummary, *, read_at: datetime) -> bool:
        """Store a row unless another process has changed it since it was read.

        Parameters
        ----------
        row : CandidateSummary
            The new row.
        read_at : datetime
            `updated_at` of the row that was read.

        Returns
        -------
        bool
            Whether it was stored.
        """
        self._store_structures([row])
        self._store_stage_keys([row])
        as_read = {"key": row.key, "updated_at": _as_utc(read_at)}
        return replace_if_there(self.candidates, as_read, row_to_document(row))

    def iter_rows(
        self,
        campaign_id: str | None = None,
        *,
        criteria: Mapping[str, Any] | None = None,
        with_structures: bool = False,
    ) -> Iterator[CandidateSummary]:
        """Read rows, in the order of their keys.

        Parameters
        ----------
        campaign_id : str, optional
            Only those of this campaign.
        criteria : mapping, optional
            MongoDB query criteria on stored rows.
        with_structures : bool
            Whether the orderings bring their structures along.

        Yields
        ------
        CandidateSummary
            Rows.
        """
        wanted = dict(criteria or {})
        if campaign_id is not None:
            wanted = {"campaign_id": campaign_id, **({"$and": [wanted]} if wanted else {})}
        found = (document_to_row(entry) for entry in self.candidates.query(wanted, sort={"key": 1}))
        if not with_structures:
            yield from found
            return
        for portion in _portions(found, STRUCTURE_CHUNK_SIZE):
            yield from self.add_structures(portion)

    def get_row(self, key: str, *, with_structures: bool = True) -> CandidateSummary | None:
        """Read one row.

        Parameters
        ----------
        key : str
            campaign_id and candidate_id, joined by a slash.
        with_structures : bool
            Whether the orderings bring their structures along.

        Returns
        -------
        CandidateSummary or None
            None where there is none.
        """
        found = self.candidates.query_one({"key": key})
        if found is None:
            return None
        row = document_to_row(found)
        return self.add_structures([row])[0] if with_structures else row

    def count_by_status(self, campaign_id: str) -> dict[str, int]:
        """Count the candidates of a campaign by status.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        dict of str to int
            Numbers; a status that no candidate has is left out.
        """
        counts: dict[str, int] = {}
        for entry in self.candidates.query({"campaign_id": campaign_id}, properties={"status": 1, "_id": 0}):
            counts[entry["status"]] = counts.get(entry["status"], 0) + 1
        return counts

    def add_structures(self, rows: Sequence[CandidateSummary]) -> list[CandidateSummary]:
        """Give the orderings of rows their structures.

        Parameters
        ----------
        rows : sequence of CandidateSummary
            Rows as read without structures.

        Returns
        -------
        list of CandidateSummary
            The same rows with them.

        Raises
        ------
        StoreError
            If a structure is missing.
        """
        wanted = {o.fingerprint for row in rows for o in row.orderings if o.structure is None}
        structures = self.load_structures(wanted)
        filled = []
        for row in rows:
            orderings = []
            for ordering in row.orderings:
                structure = ordering.structure or structures.get(ordering.fingerprint)
                if structure is None:
                    raise StoreError(
                        f"The structure {ordering.fingerprint[:12]} of the candidate {row.key} is missing in the "
                        "store: submit the campaign again, which registers it anew."
                    )
                orderings.append(ordering.model_copy(update={"structure": structure}))
            filled.append(row.model_copy(update={"orderings": orderings}))
        return filled

    def load_structures(self, fingerprints: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Load structures of orderings.

        Parameters
        ----------
        fingerprints : iterable of str
            sha256 of exact structures, or ids of disordered candidates.

        Returns
        -------
        dict of str to dict
            pymatgen's `Structure.as_dict()` by fingerprint; those that are not stored are left out.
        """
        found: dict[str, dict[str, Any]] = {}
        for portion in _portions(sorted(set(fingerprints))):
            for entry in self.structures.query({"fingerprint": {"$in": portion}}):
                found[entry["fingerprint"]] = orjson.loads(entry["structure_json"])
        return found

    def store_structures(self, structures: Mapping[str, dict[str, Any]]) -> None:
        """Store the structures that are not there yet.

        Parameters
        ----------
        structures : mapping of str to dict
            pymatgen's `Structure.as_dict()` by fingerprint. The crystal of a disordered candidate, as its source gave
            it, goes by the id of the candidate, which is the beginning of its fingerprint.
        """
        known = self._known("fingerprint", self.structures, list(structures))
        # Text is stored faster than nested data, and nobody asks for parts of a structure.
        new = [
            {"fingerprint": fingerprint, "structure_json": _as_text(structure)}
            for fingerprint, structure in structures.items()
            if fingerprint not in known
        ]
        if new:
            self.structures.update(new)

    # -- documents of stages ---------------------------------------------------------------------------------

    def iter_stage_docs(self, stage_keys: Iterable[str], *, with_structures: bool = True) -> Iterator[StageDoc]:
        """Read the stage documents that have one of many keys.

        Parameters
        ----------
        stage_keys : iterable of str
            Keys of units of work.
        with_structures : bool
            Whether `structure` and `details` are wanted; without them the documents are small.

        Yields
        ------
        StageDoc
            Documents, in no special order; a unit that was retried has several.
        """
        properties = None if with_structures else dict(_HEAVY_STAGE_FIELDS)
        for portion in _portions(sorted(set(stage_keys))):
            criteria = {"output.stage_key": {"$in": portion}}
            for entry in self.jobs.docs_store.query(criteria, properties=properties):
                document = parse_document(entry["output"])
                if isinstance(document, StageDoc):
                    yield document

    def latest_stage_docs(self, stage_keys: Iterable[str], *, with_structures: bool = True) -> dict[str, StageDoc]:
        """Read for each key the document that counts: a settled one before a failed one, then the newest.

        Parameters
        ----------
        stage_keys : iterable of str
            Keys of units of work.
        with_structures : bool
            Whether `structure` and `details` are wanted.

        Returns
        -------
        dict of str to StageDoc
            By key; units without any document are left out.
        """
        latest: dict[str, StageDoc] = {}
        for document in self.iter_stage_docs(stage_keys, with_structures=with_structures):
            known = latest.get(document.stage_key)
            if known is None or _rank(document) > _rank(known):
                latest[document.stage_key] = document
        return latest

    def failed_shared_keys(self, campaign_id: str) -> set[str]:
        """List the keys of the shared work of a campaign that failed.

        Parameters
        ----------
        campaign_id : str
            The campaign that recorded the failures.

        Returns
        -------
        set of str
            Keys of failed documents that are of no single structure.
        """
        criteria = {
            "metadata.campaign_id": campaign_id,
            "output.doc_type": "stage",
            "output.state": "failed",
            "output.provenance.structure_fingerprint": None,
        }
        found = self.jobs.docs_store.query(criteria, properties=["output.stage_key"])
        return {entry["output"]["stage_key"] for entry in found}

    def stage_keys_since(self, moment: datetime) -> set[str]:
        """List the keys of the stage documents that were stored after a moment.

        Parameters
        ----------
        moment : datetime
            By the clocks of the processes that stored them, to the second.

        Returns
        -------
        set of str
            Keys.
        """
        criteria = {"_id": {"$gte": ObjectId.from_datetime(_as_utc(moment))}, "output.doc_type": "stage"}
        found = self.jobs.docs_store.query(criteria, properties=["output.stage_key"])
        return {entry["output"]["stage_key"] for entry in found}

    def row_keys_of(self, stage_keys: Iterable[str]) -> set[str]:
        """List the rows that count on some of these stage documents.

        Parameters
        ----------
        stage_keys : iterable of str
            Keys of units of work.

        Returns
        -------
        set of str
            Keys of rows.
        """
        rows: set[str] = set()
        for portion in _portions(sorted(set(stage_keys))):
            found = self.stage_keys.query({"stage_key": {"$in": portion}}, properties=["key"])
            rows.update(entry["key"] for entry in found)
        return rows

    def row_keys_since(self, moment: datetime) -> set[str]:
        """List the rows that began to count on a stage document after a moment.

        Parameters
        ----------
        moment : datetime
            By the clocks of the processes that stored them, to the second.

        Returns
        -------
        set of str
            Keys of rows.
        """
        criteria = {"_id": {"$gte": ObjectId.from_datetime(_as_utc(moment))}}
        return {entry["key"] for entry in self.stage_keys.query(criteria, properties=["key"])}

    # -- inside ----------------------------------------------------------------------------------------------

    def _store_structures(self, rows: Sequence[CandidateSummary]) -> None:
        self.store_structures(
            {o.fingerprint: o.structure for row in rows for o in row.orderings if o.structure is not None}
        )

    def _store_stage_keys(self, rows: Sequence[CandidateSummary]) -> None:
        links = {
            f"{stage_key}/{row.key}": (stage_key, row.key)
            for row in rows
            for stage in row.stages.values()
            for stage_key in stage.stage_keys
        }
        known = self._known("unit", self.stage_keys, list(links))
        new = [
            {"unit": unit, "stage_key": stage_key, "key": key}
            for unit, (stage_key, key) in links.items()
            if unit not in known
        ]
        if new:
            self.stage_keys.update(new)

    def _known(self, field: str, store: Store, values: Sequence[str]) -> set[str]:
        known: set[str] = set()
        for portion in _portions(values):
            known.update(entry[field] for entry in store.query({field: {"$in": portion}}, properties=[field]))
        return known


def _record(found: Mapping[str, Any]) -> CampaignRecord:
    try:
        return CampaignRecord.model_validate(found)
    except ValueError as error:
        raise StoreError(
            f"The stored campaign {found.get('campaign_id')} does not have the layout of this version of superion: "
            "run `superion db migrate`, or read it with the version that wrote it."
        ) from error


def _portions(items: Iterable[Item], size: int = CHUNK_SIZE) -> Iterator[list[Item]]:
    """Cut into lists of a size that one query takes."""
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion


def _rank(document: StageDoc) -> tuple[bool, datetime]:
    return document.state in _SETTLED, document.provenance.created_at


def _as_text(structure: dict[str, Any]) -> str:
    return orjson.dumps(structure, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _now() -> datetime:
    return _as_utc(datetime.now(UTC))


def _as_utc(moment: datetime) -> datetime:
    """Read a time without zone as UTC, cut to milliseconds, as stores give it back."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
