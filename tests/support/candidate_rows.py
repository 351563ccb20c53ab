"""Rows of candidates for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from superion.database.documents import CandidateOrigin, CandidateSummary


def make_row(number: int, **changes: Any) -> CandidateSummary:
    """Make the row of candidate `number` of the campaign `c`, or of another one."""
    fields: dict[str, Any] = {
        "campaign_id": "c",
        "candidate_id": f"{number:04d}",
        "label": f"material {number}",
        "formula": "Li3N",
        "elements": ["Li", "N"],
        "n_elements": 2,
        "origins": [CandidateOrigin(source="files", identifier=f"{number}.cif")],
        "status": "waiting",
        "updated_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        **changes,
    }
    return CandidateSummary(key=f"{fields['campaign_id']}/{fields['candidate_id']}", **fields)
