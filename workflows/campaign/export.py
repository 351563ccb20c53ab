"""Writing a campaign into one file for colleagues."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from ... import __version__
from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...errors import StoreError
from .archive import CANDIDATES, DOCUMENTS, FORMAT, FORMAT_VERSION, MANIFEST, RECORD, ArchiveSize, to_json

_KEYS_AT_A_TIME = 500


@dataclass(frozen=True)
class ExportReport:
    """What an export holds.

    Parameters
    ----------
    path : Path
        The file.
    n_candidates : int
        Candidates.
    n_documents : int
        Stage documents.
    n_bytes : int
        Size of the file.
    """

    path: Path
    n_candidates: int
    n_documents: int
    n_bytes: int


def export_campaign(
    record: CampaignRecord, collections: CampaignCollections, path: Path, *, overwrite: bool = False
) -> ExportReport:
    """Write a campaign's record, candidates and stage documents into one file; trajectories stay where they are.

    Parameters
    ----------
    record : CampaignRecord
        The campaign.
    collections : CampaignCollections
        The store.
    path : Path
        File to write; it appears whole or not at all.
    overwrite : bool
        Whether to replace a file that is there.

    Returns
    -------
    ExportReport
        What it holds.

    Raises
    ------
    StoreError
        If the file is there already or cannot be written.
    SettingsError
        If the campaign is larger than an import allows.
    """
    if path.exists() and not overwrite:
        raise StoreError(f"The file {path} is there already: name another one, or pass --overwrite.")
    size = ArchiveSize()
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            keys: set[str] = set()
            n_candidates = _write(archive, size, CANDIDATES, _candidates(record, collections, keys))
            n_documents = _write(archive, size, DOCUMENTS, _documents(sorted(keys), collections))
            # The folder of the file is nobody else's business.
            plain = record.model_dump(mode="json", exclude={"base_folder", "paused"})
            _write(archive, size, RECORD, [plain])
            manifest = {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "superion_version": __version__,
                "campaign_id": record.campaign_id,
                "n_candidates": n_candidates,
                "n_documents": n_documents,
            }
            _write(archive, size, MANIFEST, [manifest])
        os.replace(partial, path)
    except OSError as error:
        raise StoreError(
            f"The export {path} cannot be written ({error.strerror or error}): choose another file."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return ExportReport(path, n_candidates, n_documents, path.stat().st_size)


def _candidates(record: CampaignRecord, collections: CampaignCollections, keys: set[str]) -> Iterable[dict[str, Any]]:
    """Give the rows with their structures, noting the keys of their units."""
    for row in collections.iter_rows(record.campaign_id, with_structures=True):
        keys.update(key for stage in row.stages.values() for key in stage.stage_keys)
        yield row.model_dump(mode="json")


def _documents(keys: list[str], collections: CampaignCollections) -> Iterable[dict[str, Any]]:
    """Give the document that counts of each unit."""
    for start in range(0, len(keys), _KEYS_AT_A_TIME):
        found = collections.latest_stage_docs(keys[start : start + _KEYS_AT_A_TIME])
        for key in sorted(found):
            yield found[key].model_dump(mode="json")


def _write(archive: zipfile.ZipFile, size: ArchiveSize, member: str, entries: Iterable[dict[str, Any]]) -> int:
    """Write one JSON document per line; give their number."""
    n_lines = 0
    # Of one date: the same campaign gives the same file.
    info = zipfile.ZipInfo(member)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as opened:
        for entry in entries:
            line = to_json(entry).encode() + b"\n"
            size.add(line, entry.get("label") or member)
            opened.write(line)
            n_lines += 1
    return n_lines
