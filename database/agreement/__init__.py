"""Agreement of computed with measured values: rank correlations that take bounds as bounds, baselines, errors.

Pure functions on rows and arrays; nothing here draws a conclusion that the numbers do not carry.
"""

from __future__ import annotations

from .compare import DEFAULT_BASELINES, compare_rows
from .in_words import agreement_in_words, quantity
from .pair_order import pair_signs, range_of
from .permutation import permutation_null, two_sided_p_value
from .rank_correlation import RankCorrelations, count_pairs, order_scores, rank_correlations
from .results import (
    AgreementReport,
    BaselineComparison,
    MissingRow,
    PairCounts,
    RankAgreement,
    Tested,
    ValueErrors,
    WithInterval,
)
from .value_errors import value_errors

__all__ = [
    "DEFAULT_BASELINES",
    "AgreementReport",
    "BaselineComparison",
    "MissingRow",
    "PairCounts",
    "RankAgreement",
    "RankCorrelations",
    "Tested",
    "ValueErrors",
    "WithInterval",
    "agreement_in_words",
    "compare_rows",
    "count_pairs",
    "order_scores",
    "pair_signs",
    "permutation_null",
    "quantity",
    "range_of",
    "rank_correlations",
    "two_sided_p_value",
    "value_errors",
]
