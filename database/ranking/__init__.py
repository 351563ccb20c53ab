"""Ranking candidates: pure functions on rows, in whatever order they come.

Rows that lack what is asked for are listed apart, never dropped.
"""

from __future__ import annotations

from .by_property import rank_by_property
from .pareto import ParetoRanking, ParetoRow, pareto_front
from .ranked import RankedRow, Ranking, UnrankedRow
from .top_probability import top_k_probabilities
from .weighted_score import rank_by_weighted_score

__all__ = [
    "ParetoRanking",
    "ParetoRow",
    "RankedRow",
    "Ranking",
    "UnrankedRow",
    "pareto_front",
    "rank_by_property",
    "rank_by_weighted_score",
    "top_k_probabilities",
]
