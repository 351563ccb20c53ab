"""The ranking of a campaign as lines of a table: all that the report says of each candidate's place."""

from __future__ import annotations

from typing import Any

from ....database.documents.candidate_summary import CandidateSummary
from ....database.export import estimate_fields
from ....database.ranking import Ranking
from .view import CampaignView


def ranking_records(view: CampaignView) -> list[dict[str, Any]]:
    """Write the ranking as flat records.

    Parameters
    ----------
    view : CampaignView
        The campaign, and by what to rank: by the weighted score where weights were asked for, else by a property.

    Returns
    -------
    list of dict
        Candidates in play, best first, those without a place last, with the same keys: `rank`, who it is, the property
        that was ranked by as `superion.database.export.estimate_fields` writes it, `top_k` and `top_k_probability`,
        `score` with its intervals (0 to 1), `is_on_front`. What is not known is None.
    """
    ranking = view.by_score if view.asked.weights is not None else view.ranking
    places = {entry.row.key: entry.rank for entry in ranking.ranked} if ranking is not None else {}
    return [
        {
            "rank": places.get(row.key),
            "candidate_id": row.candidate_id,
            "label": row.label,
            "formula": row.formula,
            "status": row.status,
            **(estimate_fields(view.by, row.properties.get(view.by)) if view.by is not None else {}),
            "top_k": view.top_k,
            "top_k_probability": _probability(view, row),
            **_score_fields(view, row),
            "is_on_front": row.key in view.on_front if view.pareto is not None else None,
        }
        for row in _rows(view, ranking)
    ]


def _rows(view: CampaignView, ranking: Ranking | None) -> list[CandidateSummary]:
    if ranking is None:
        return list(view.in_play)
    return [*(entry.row for entry in ranking.ranked), *(entry.row for entry in ranking.unranked)]


def _probability(view: CampaignView, row: CandidateSummary) -> float | None:
    """Give the probability of the top; where no more are ranked than it has places, each of them is in it."""
    if row.key not in view.places:
        return None
    return view.probabilities.get(row.key) if view.probabilities else 1.0


def _score_fields(view: CampaignView, row: CandidateSummary) -> dict[str, float | None]:
    score = view.scores.get(row.key)
    low_68, high_68 = (score.interval_68 if score else None) or (None, None)
    low_95, high_95 = (score.interval_95 if score else None) or (None, None)
    return {
        "score": score.score if score else None,
        "score_low_68": low_68,
        "score_high_68": high_68,
        "score_low_95": low_95,
        "score_high_95": high_95,
    }
