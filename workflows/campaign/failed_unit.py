"""The document of a unit that gave none of its own, because a job of it failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pymatgen.core import Structure

from ...database.documents.stage import StageDoc
from ...database.provenance import collect_provenance
from .decisions import Unit


def failed_document(
    unit: Unit, stage: str, reason: str, structure: Structure, *, label: str, campaign_id: str
) -> dict[str, Any]:
    """Make the stored document of a failed unit.

    Parameters
    ----------
    unit : Unit
        The unit.
    stage : str
        Name of its stage.
    reason : str
        Why it failed, one sentence.
    structure : Structure
        Structure that it started from.
    label : str
        Name of the material.
    campaign_id : str
        Campaign that asked for it.

    Returns
    -------
    dict
        As jobs write theirs into the job store, with a `StageDoc` in state "failed" as output.
    """
    uuid = str(uuid4())
    document = StageDoc(
        formula=structure.composition.reduced_formula,
        label=label,
        provenance=collect_provenance(structure_fingerprint=unit.fingerprint, campaign_id=campaign_id, job_uuid=uuid),
        stage=stage,
        stage_key=unit.stage_key,
        state="failed",
        reason=reason,
    )
    return {
        "uuid": uuid,
        "index": 1,
        "name": f"{stage} failed",
        "output": document.model_dump(),
        "completed_at": datetime.now(UTC).replace(tzinfo=None).isoformat(),
        "metadata": {"campaign_id": campaign_id, "stage": stage, "stage_key": unit.stage_key},
        "hosts": [],
    }
