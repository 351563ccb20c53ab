"""Whether everything that the store keeps of campaigns can be read, and the store itself be worked with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..errors import StoreError
from .backup import unfinished_restore
from .campaigns import CampaignCollections
from .candidate_rows import document_to_row
from .check_access import check_access
from .spool import spool_folders, waiting


class StoreCheck(BaseModel):
    """What a look at the whole store found."""

    model_config = ConfigDict(frozen=True)

    n_campaigns: int = Field(description="number of campaigns")
    n_candidates: int = Field(description="number of candidates")
    n_jobs: int = Field(description="number of documents of jobs")
    problems: tuple[str, ...] = Field(description="what cannot be read or is missing, one sentence each")


def check_store(collections: CampaignCollections) -> StoreCheck:
    """Read every campaign and candidate, see that the structures they name are there, and try to write.

    Parameters
    ----------
    collections : CampaignCollections
        An open store.

    Returns
    -------
    StoreCheck
        Numbers and problems.
    """
    problems = check_access(collections)
    unfinished = unfinished_restore(collections)
    if unfinished is not None:
        problems.append(f"The restore of {unfinished} did not end: run it again, and it will")
    n_waiting = len(waiting(spool_folders()))
    if n_waiting:
        problems.append(f"{n_waiting} files of results wait on the disk: run `superion db flush`")
    n_campaigns = collections.campaigns.count()
    try:
        known = {record.campaign_id for record in collections.list_campaigns()}
    except StoreError as error:
        problems.append(str(error))
        known = {entry["campaign_id"] for entry in collections.campaigns.query({}, properties=["campaign_id"])}
    wanted: dict[str, str] = {}
    orphans: dict[str, int] = {}
    n_candidates = 0
    for stored in collections.candidates.query({}):
        n_candidates += 1
        try:
            row = document_to_row(stored)
        except StoreError as error:
            problems.append(str(error))
            continue
        if row.campaign_id not in known:
            orphans[row.campaign_id] = orphans.get(row.campaign_id, 0) + 1
        wanted.update((ordering.fingerprint, row.key) for ordering in row.orderings)
    problems += [
        f"{number} candidates belong to the campaign {name}, of which there is no record"
        for name, number in sorted(orphans.items())
    ]
    stored_structures = {e["fingerprint"] for e in collections.structures.query({}, properties=["fingerprint"])}
    problems += [
        f"The structure {fingerprint[:12]} of the candidate {key} is missing"
        for fingerprint, key in sorted(wanted.items())
        if fingerprint not in stored_structures
    ]
    return StoreCheck(
        n_campaigns=n_campaigns,
        n_candidates=n_candidates,
        n_jobs=collections.jobs.docs_store.count(),
        problems=tuple(problems),
    )
