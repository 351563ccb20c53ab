"""Taking in a colleague's export: plain data, checked by its schema, that builds no object and overwrites nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ValidationError

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...database.documents.candidate_summary import CandidateSummary
from ...database.documents.stage import StageDoc
from ...errors import SettingsError, StructureError
from ...structures.fingerprint import structure_fingerprint
from ...structures.plain_structure import structure_from_plain
from .archive import CANDIDATES, DOCUMENTS, FORMAT, FORMAT_VERSION, MANIFEST, RECORD, ArchiveReader
from .equivalent_rows import equivalent_rows
from .prepared import prepare_campaign
from .rows import now
from .submit import judge_again

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_AT_A_TIME = 200
_MOST_ATOMS = 20_000
_DEEPEST = 30

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class ImportReport:
    """What an import added.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    is_new : bool
        Whether it was not there before.
    n_candidates : int
        Candidates that were not there.
    n_known_candidates : int
        Candidates that were there, themselves or as an equivalent crystal where nothing was computed for theirs yet:
        they keep their structures and gain origins.
    n_equivalent_candidates : int
        New candidates that are equivalent to one that was there, and stay beside it with a note on both: their results
        are of another cell.
    n_documents : int
        Stage documents that were not there.
    n_known_documents : int
        Stage documents whose unit was settled here already: ours are kept.
    file_differs : bool
        Whether the campaign file here is another one: ours is kept.
    """

    campaign_id: str
    is_new: bool
    n_candidates: int
    n_known_candidates: int
    n_equivalent_candidates: int
    n_documents: int
    n_known_documents: int
    file_differs: bool


def import_campaign(path: Path, collections: CampaignCollections, *, name: str | None = None) -> ImportReport:
    """Merge an export into the store; doing it twice changes nothing.

    Everything is checked before anything is stored. A unit that is settled here keeps its document. The campaign file
    in an export is kept as text only: it may name code to run, so the campaign runs only after its user has submitted
    a file of that name.

    Parameters
    ----------
    path : Path
        The export.
    collections : CampaignCollections
        The store.
    name : str or None
        Campaign to merge it into; None for its own name.

    Returns
    -------
    ImportReport
        What was added.

    Raises
    ------
    SettingsError
        If the name is none that a campaign may have, or the file is no export, is too large, does not fit the schema,
        or names an object to build.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise SettingsError(
            f"A campaign cannot be called {name[:100]!r}: give a name of at most 100 letters, digits, dots, hyphens "
            "and underscores that begins with a letter or a digit."
        )
    with ArchiveReader(path) as archive:
        record = _read_record(archive, name)
        # Once to the end: a file that is bad anywhere adds nothing.
        for _ in _documents(archive):
            pass
        for _ in _candidates(archive, record.campaign_id):
            pass
    with ArchiveReader(path) as archive:
        n_documents, n_known_documents = _merge_documents(_documents(archive), collections, path.name)
        candidates = _CandidateMerge(collections, record.campaign_id)
        candidates.merge(_candidates(archive, record.campaign_id))
    here = collections.load_campaign(record.campaign_id)
    if here is None:
        collections.save_campaign(record)
    elif here.base_folder is not None:
        judge_again(prepare_campaign(here, store=collections.jobs), collections)
    return ImportReport(
        campaign_id=record.campaign_id,
        is_new=here is None,
        n_candidates=candidates.n_new,
        n_known_candidates=candidates.n_known,
        n_equivalent_candidates=candidates.n_equivalent,
        n_documents=n_documents,
        n_known_documents=n_known_documents,
        file_differs=here is not None and here.file_text != record.file_text,
    )


# ------------------------------------------------------------------------ checking


def _read_record(archive: ArchiveReader, name: str | None) -> CampaignRecord:
    """Read the manifest and the record."""
    manifest = archive.document(MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise archive.refusal("it is no export of a superion campaign", MANIFEST)
    if manifest.get("format_version") != FORMAT_VERSION:
        raise archive.refusal(
            f"it has layout {str(manifest.get('format_version'))[:10]}, and this superion reads {FORMAT_VERSION}: "
            "update superion",
            MANIFEST,
        )
    plain = archive.document(RECORD)
    _check_plain(archive, plain, RECORD, 1)
    record = _validated(archive, CampaignRecord, plain, RECORD, 1)
    campaign_id = record.campaign_id if name is None else name
    if not _NAME.fullmatch(campaign_id):
        raise archive.refusal("the name of the campaign is none that a campaign may have", RECORD)
    return record.model_copy(update={"campaign_id": campaign_id, "base_folder": None, "paused": False})


def _candidates(archive: ArchiveReader, campaign_id: str) -> Iterator[CandidateSummary]:
    """Read the rows, as rows of a campaign."""
    for number, plain in archive.lines(CANDIDATES):
        orderings = plain.get("orderings") if isinstance(plain, dict) else None
        structures = []
        for ordering in orderings if isinstance(orderings, list) else []:
            structure = ordering.pop("structure", None) if isinstance(ordering, dict) else None
            structures.append(_safe_structure(archive, structure, CANDIDATES, number))
        _check_plain(archive, plain, CANDIDATES, number)
        row = _validated(archive, CandidateSummary, plain, CANDIDATES, number)
        if not _NAME.fullmatch(row.candidate_id):
            raise archive.refusal("the id of the candidate is none that a candidate may have", CANDIDATES, number)
        for key in (key for stage in row.stages.values() for key in stage.stage_keys):
            _check_sha256(archive, key, CANDIDATES, number)
        checked = []
        for ordering, (structure, fingerprint) in zip(row.orderings, structures, strict=True):
            if structure is None or fingerprint != ordering.fingerprint:
                raise archive.refusal("an ordering is not the structure that its name says", CANDIDATES, number)
            checked.append(ordering.model_copy(update={"structure": structure}))
        key = f"{campaign_id}/{row.candidate_id}"
        yield row.model_copy(update={"key": key, "campaign_id": campaign_id, "orderings": checked})


def _documents(archive: ArchiveReader) -> Iterator[StageDoc]:
    """Read the stage documents."""
    for number, plain in archive.lines(DOCUMENTS):
        structure = plain.pop("structure", None) if isinstance(plain, dict) else None
        safe, _ = _safe_structure(archive, structure, DOCUMENTS, number)
        _check_plain(archive, plain, DOCUMENTS, number)
        document = _validated(archive, StageDoc, plain, DOCUMENTS, number)
        _check_sha256(archive, document.stage_key, DOCUMENTS, number)
        yield document.model_copy(update={"structure": safe})


def _safe_structure(
    archive: ArchiveReader, plain: Any, member: str, number: int
) -> tuple[dict[str, Any] | None, str | None]:
    """Rebuild a structure from its numbers alone; give it as plain data, with its fingerprint."""
    if plain is None:
        return None, None
    if not isinstance(plain, dict) or not isinstance(plain.get("sites"), list) or len(plain["sites"]) > _MOST_ATOMS:
        raise archive.refusal(f"it needs structures of at most {_MOST_ATOMS} atoms", member, number)
    try:
        structure = structure_from_plain(plain)
    except StructureError as error:
        raise archive.refusal(str(error), member, number) from None
    return structure.as_dict(), structure_fingerprint(structure)


def _check_plain(archive: ArchiveReader, data: Any, member: str, number: int, depth: int = 0) -> None:
    """Refuse data that would be built into objects, or read as commands, further on."""
    if depth > _DEEPEST:
        raise archive.refusal(f"it is nested more than {_DEEPEST} deep", member, number)
    if isinstance(data, dict):
        for key, value in data.items():
            if key.startswith(("@", "$")):
                what = f"{key} {str(value)[:60]!r}"
                raise archive.refusal(f"it names an object to build ({what})", member, number)
            _check_plain(archive, value, member, number, depth + 1)
    elif isinstance(data, list):
        for value in data:
            _check_plain(archive, value, member, number, depth + 1)


def _check_sha256(archive: ArchiveReader, text: str, member: str, number: int) -> None:
    if not _SHA256.fullmatch(text):
        raise archive.refusal("the key of a stage is no sha256", member, number)


def _validated(archive: ArchiveReader, model: type[Model], plain: Any, member: str, number: int) -> Model:
    try:
        return model.model_validate(plain)
    except (ValidationError, RecursionError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"][:6])[:100]
            raise archive.refusal(f"{place}: {first['msg'][:100]}", member, number) from None
        raise archive.refusal("it is nested too deep", member, number) from None


# ------------------------------------------------------------------------- merging


def _merge_documents(
    documents: Iterator[StageDoc], collections: CampaignCollections, file_name: str
) -> tuple[int, int]:
    """Store the documents of units that are not settled here; give the numbers of new and known ones."""
    n_new = n_known = 0
    for portion in _portions(documents):
        ours = collections.latest_stage_docs([document.stage_key for document in portion], with_structures=False)
        new = []
        for document in {document.stage_key: document for document in portion}.values():
            here = ours.get(document.stage_key)
            # A failure here is no result; one there is worth nothing here.
            if (here is not None and here.state != "failed") or document.state == "failed":
                n_known += 1
                continue
            new.append(_as_stored(document, file_name))
        if new:
            collections.jobs.update(new, key=["uuid", "index"])
        n_new += len(new)
    return n_new, n_known


def _as_stored(document: StageDoc, file_name: str) -> dict[str, Any]:
    """Wrap a document as jobs are stored; the same document always gets the same uuid."""
    marked = document.model_copy(update={"extra": {**document.extra, "imported_from": file_name}})
    created_at = document.provenance.created_at
    return {
        "uuid": str(uuid5(NAMESPACE_URL, f"superion:{document.stage_key}:{created_at.isoformat()}")),
        "index": 1,
        "name": f"{document.stage} (imported)",
        "output": marked.model_dump(),
        "completed_at": created_at.replace(tzinfo=None).isoformat(),
        "metadata": {"campaign_id": document.provenance.campaign_id, "stage": document.stage},
        "hosts": [],
    }


@dataclass
class _CandidateMerge:
    """Rows on their way into the store."""

    collections: CampaignCollections
    campaign_id: str
    n_new: int = 0
    n_known: int = 0
    n_equivalent: int = 0

    def merge(self, rows: Iterator[CandidateSummary]) -> None:
        """Store new rows, and add origins and measured values to known ones."""
        for portion in _portions(rows):
            coming = {row.key: row for row in portion}
            criteria = {"key": {"$in": list(coming)}}
            ours = {row.key: row for row in self.collections.iter_rows(criteria=criteria)}
            unknown = [row for row in coming.values() if row.key not in ours]
            twins = equivalent_rows(unknown, self.campaign_id, self.collections)
            changed: dict[str, CandidateSummary] = {}
            for row in coming.values():
                here = ours.get(row.key) or twins.get(row.key)
                # A row that came before may have added to it.
                here = None if here is None else changed.get(here.key, here)
                if here is None:
                    self.n_new += 1
                    changed[row.key] = row.model_copy(update={"updated_at": now()})
                elif here.key == row.key or not row.properties:
                    # Nothing was computed for an equivalent crystal yet: ours is computed for both.
                    self.n_known += 1
                    fresh = _enriched(here, row)
                    if fresh is not here:
                        changed[here.key] = fresh
                else:
                    # Its results are of its own cell and orderings, so they cannot become those of ours.
                    self.n_new += 1
                    self.n_equivalent += 1
                    changed[row.key] = _noted(row, f"equivalent to the candidate {here.candidate_id} ({here.label})")
                    changed[here.key] = _noted(here, f"equivalent to the candidate {row.candidate_id} ({row.label})")
            self.collections.update_rows(changed.values())


def _enriched(row: CandidateSummary, other: CandidateSummary) -> CandidateSummary:
    """Add the origins and measured values of another row; the same object where that changes nothing."""
    origins = [*row.origins, *(origin for origin in other.origins if origin not in row.origins)]
    measured = {**other.measured, **row.measured}
    if origins == row.origins and measured == row.measured:
        return row
    return row.model_copy(update={"origins": origins, "measured": measured, "updated_at": now()})


def _noted(row: CandidateSummary, note: str) -> CandidateSummary:
    """Add a note to a row."""
    return row.model_copy(update={"notes": list(dict.fromkeys([*row.notes, note])), "updated_at": now()})


Item = TypeVar("Item")


def _portions(items: Iterator[Item]) -> Iterator[list[Item]]:
    portion: list[Item] = []
    for item in items:
        portion.append(item)
        if len(portion) == _AT_A_TIME:
            yield portion
            portion = []
    if portion:
        yield portion
