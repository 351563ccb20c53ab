"""Candidates' rows and decisions: what of a row decisions need, and what a decision changes in a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ...database.campaigns import CampaignCollections
from ...database.documents.candidate_summary import CandidateSummary
from .decisions import CampaignState, CandidateEntry, Decision

_ROWS_AT_A_TIME = 500


def entry_of(row: CandidateSummary) -> CandidateEntry:
    """Take from a row what decisions need.

    Parameters
    ----------
    row : CandidateSummary
        The row.

    Returns
    -------
    CandidateEntry
        Id, orderings, and why it was turned away before any stage.
    """
    reason = None if row.orderings else row.reason or "it has no ordered structure"
    return CandidateEntry(
        candidate_id=row.candidate_id,
        fingerprints=tuple(ordering.fingerprint for ordering in row.orderings),
        rejection=None if row.status == "failed" else reason,
        failure=reason if row.status == "failed" else None,
    )


def row_with(row: CandidateSummary, decision: Decision) -> CandidateSummary:
    """Bring a row up to date with a decision.

    Parameters
    ----------
    row : CandidateSummary
        The row as stored.
    decision : Decision
        Where the candidate stands.

    Returns
    -------
    CandidateSummary
        The same object where nothing changes.
    """
    orderings = [
        ordering.model_copy(
            update={
                "kept": kept,
                "energy_ev_per_atom": rank.energy_ev_per_atom,
                "energy_rank": rank.rank,
                "left_out": rank.left_out,
            }
        )
        for ordering, kept, rank in zip(row.orderings, decision.kept, decision.ranks, strict=True)
    ]
    fresh = row.model_copy(
        update={
            "status": decision.status,
            "stage": decision.stage,
            "reason": decision.reason,
            "stages": dict(decision.stages),
            "properties": dict(decision.properties),
            "orderings": orderings,
        }
    )
    return row if fresh == row else fresh.model_copy(update={"updated_at": now()})


def now() -> datetime:
    """Give the time as stores keep it: UTC, to the millisecond.

    Returns
    -------
    datetime
        The time of this moment.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def write_decisions(
    state: CampaignState, collections: CampaignCollections, campaign_id: str, candidate_ids: Iterable[str]
) -> int:
    """Bring the rows of some candidates up to date; rows that are right already are left alone.

    So are rows that were ordered again since their candidates were read: their decisions are about other structures.

    Parameters
    ----------
    state : CampaignState
        Refreshed.
    collections : CampaignCollections
        The store.
    campaign_id : str
        The campaign.
    candidate_ids : iterable of str
        Candidates that may have changed.

    Returns
    -------
    int
        How many rows were written.
    """
    n_written = 0
    for portion in _portions(sorted(candidate_ids)):
        keys = [f"{campaign_id}/{candidate_id}" for candidate_id in portion]
        changed = []
        for row in collections.iter_rows(criteria={"key": {"$in": keys}}):
            if state.fingerprints(row.candidate_id) != tuple(ordering.fingerprint for ordering in row.orderings):
                continue
            fresh = row_with(row, state.decision(row.candidate_id))
            if fresh is not row:
                changed.append(fresh)
        if changed:
            collections.update_rows(changed)
            n_written += len(changed)
    return n_written


def _portions(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), _ROWS_AT_A_TIME):
        yield items[start : start + _ROWS_AT_A_TIME]
