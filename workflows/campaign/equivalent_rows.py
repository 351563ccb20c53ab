"""Finding the rows of a campaign whose crystals are equivalent to those of rows that come to it."""

from __future__ import annotations

from collections.abc import Sequence

from ...database.campaigns import CampaignCollections
from ...database.documents.candidate_summary import CandidateSummary
from ...structures.equivalence import group_equivalent
from ...structures.plain_structure import structure_from_plain


def equivalent_rows(
    rows: Sequence[CandidateSummary], campaign_id: str, collections: CampaignCollections
) -> dict[str, CandidateSummary]:
    """Find for rows that come to a campaign the equivalent ones that it has, such as one of another cell.

    Parameters
    ----------
    rows : sequence of CandidateSummary
        Rows that the campaign does not have, with their structures.
    campaign_id : str
        The campaign.
    collections : CampaignCollections
        The store.

    Returns
    -------
    dict of str to CandidateSummary
        Rows of the campaign by the keys of those that come. Crystals that had to be ordered are not among them: an
        ordering does not say which crystal it is from.
    """
    coming = [row for row in rows if _is_its_own_ordering(row)]
    formulas = sorted({row.formula for row in coming})
    if not formulas:
        return {}
    criteria = {"formula": {"$in": formulas}}
    found = collections.iter_rows(campaign_id, criteria=criteria, with_structures=True)
    there = [row for row in found if _is_its_own_ordering(row)]
    equivalent: dict[str, CandidateSummary] = {}
    for formula in sorted({row.formula for row in there}):
        ours = [row for row in there if row.formula == formula]
        theirs = [row for row in coming if row.formula == formula]
        structures = [structure_from_plain(row.orderings[0].structure or {}) for row in [*ours, *theirs]]
        for group in group_equivalent(structures):
            if group[0] < len(ours):
                news = [theirs[position - len(ours)] for position in group if position >= len(ours)]
                equivalent |= {row.key: ours[group[0]] for row in news}
    return equivalent


def _is_its_own_ordering(row: CandidateSummary) -> bool:
    return bool(row.orderings) and not row.was_disordered
