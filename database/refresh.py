"""Bringing the row of a candidate up to date with the documents of its stages: a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from .aggregate import aggregate_properties
from .documents.candidate_summary import CandidateSummary, StageSummary
from .documents.stage import StageDoc

Refresh = Callable[[CandidateSummary, Mapping[str, StageDoc]], CandidateSummary]
"""(row as stored, documents by stage key) -> row as it should be; pure, and the same for the same arguments."""


def refresh_row(row: CandidateSummary, documents: Mapping[str, StageDoc]) -> CandidateSummary:
    """Bring the properties of a row, and what its documents alone decide, up to date.

    It knows nothing of a campaign's rules: a stage all of whose documents were rejected, or failed, ends the
    candidate; whether one that completed goes on is for the campaign to say.

    Parameters
    ----------
    row : CandidateSummary
        The row as stored.
    documents : mapping of str to StageDoc
        Documents by stage key; those that other rows have are left out of account.

    Returns
    -------
    CandidateSummary
        The row as it should be; the same object where nothing changes.
    """
    by_stage = {
        name: [documents[key] for key in stage.stage_keys if key in documents] for name, stage in row.stages.items()
    }
    # Of two stages with one property the later counts.
    found = [aggregate_properties([d.properties for d in of if d.state == "completed"]) for of in by_stage.values()]
    properties = dict(row.properties)
    for together in found:
        properties |= together.properties
    changes: dict[str, object] = {"properties": properties}
    changes["notes"] = list(dict.fromkeys([*row.notes, *(note for together in found for note in together.notes)]))
    stages = {name: _judged(stage, by_stage[name]) for name, stage in row.stages.items()}
    changes["stages"] = stages
    ended = next((name for name, stage in stages.items() if stage.state in ("rejected", "failed")), None)
    if ended is not None and row.status not in ("rejected", "failed"):
        changes |= {"status": stages[ended].state, "stage": ended, "reason": stages[ended].reason}
    elif ended is None and row.status == "failed":
        # A retry went through.
        changes |= {"status": "running", "reason": None}
    fresh = row.model_copy(update=changes)
    return row if fresh == row else fresh.model_copy(update={"updated_at": _now()})


def _judged(stage: StageSummary, documents: list[StageDoc]) -> StageSummary:
    """Say how a stage ended, where its documents alone tell."""
    if not stage.stage_keys or len(documents) < len(stage.stage_keys):
        return stage
    if any(document.state == "completed" for document in documents):
        return stage.model_copy(update={"state": "running", "reason": None}) if stage.state == "failed" else stage
    # A failure may be mended by a retry, a rejection is final.
    decisive = next((d for d in documents if d.state == "failed"), documents[0])
    return stage.model_copy(update={"state": decisive.state, "reason": decisive.reason})


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
