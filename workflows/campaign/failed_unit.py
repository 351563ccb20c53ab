"""The document of a unit that gave none of its own, because a job of it failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ...database.documents.stage import StageDoc
from ...database.provenance import collect_provenance
from ..dispatch.queue_engine import UnitTicket

FAILED_SHARED_WORK = "failed_shared_work"
"""Entry of the details: keys of shared work that failed, which is tried again with the unit."""


def failed_document(
    ticket: UnitTicket,
    reason: str,
    *,
    formula: str = "",
    fingerprint: str | None = None,
    failed_shared_work: Sequence[str] = (),
) -> dict[str, Any]:
    """Make the stored document of a failed unit.

    Parameters
    ----------
    ticket : UnitTicket
        Its key and its names.
    reason : str
        Why it failed, one sentence.
    formula : str
        Formula of the structure that it started from; empty for shared work.
    fingerprint : str or None
        Fingerprint of that structure.
    failed_shared_work : sequence of str
        Keys of the shared work that it needs and that failed.

    Returns
    -------
    dict
        As jobs write theirs into the job store, with a `StageDoc` in state "failed" as output.
    """
    uuid = str(uuid4())
    document = StageDoc(
        formula=formula,
        label=ticket.label,
        provenance=collect_provenance(structure_fingerprint=fingerprint, campaign_id=ticket.campaign_id, job_uuid=uuid),
        stage=ticket.stage,
        stage_key=ticket.stage_key,
        state="failed",
        reason=reason,
        details={FAILED_SHARED_WORK: list(failed_shared_work)} if failed_shared_work else {},
    )
    return {
        "uuid": uuid,
        "index": 1,
        "name": f"{ticket.stage} failed",
        "output": document.model_dump(),
        "completed_at": datetime.now(UTC).replace(tzinfo=None).isoformat(),
        "metadata": {"campaign_id": ticket.campaign_id, "stage": ticket.stage, "stage_key": ticket.stage_key},
        "hosts": [],
    }
