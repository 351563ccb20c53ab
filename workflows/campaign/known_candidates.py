"""The candidates that a campaign has already, as far as finding equivalent crystals needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...database.campaigns import CampaignCollections
from ...database.documents.candidate_summary import CandidateSummary
from ...structures.plain_structure import structure_from_plain
from ..candidates.collect import Candidate, KnownCandidates


def known_candidates(rows: Iterable[CandidateSummary], collections: CampaignCollections) -> KnownCandidates:
    """Name the candidates of a campaign; their crystals are loaded when they are needed.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        All rows of the campaign.
    collections : CampaignCollections
        The store.

    Returns
    -------
    KnownCandidates
        Without origins and measured values, which the rows keep.
    """
    listed = list(rows)
    accepted = {row.candidate_id: row for row in listed if row.orderings}

    def load(ids: Collection[str]) -> list[Candidate]:
        names = {candidate_id: _stored_name(accepted[candidate_id]) for candidate_id in ids}
        plain = collections.load_structures(names.values())
        return [
            Candidate(candidate_id, accepted[candidate_id].label, structure_from_plain(plain[name]), origins=())
            for candidate_id, name in sorted(names.items())
            if name in plain
        ]

    turned_away = frozenset(row.candidate_id for row in listed if not row.orderings)
    return KnownCandidates(frozenset(accepted), turned_away, load)


def _stored_name(row: CandidateSummary) -> str:
    """Give the name by which the store has the crystal as its source gave it."""
    if row.was_disordered:
        return row.candidate_id
    # What needs no ordering is its own ordering.
    return row.orderings[0].fingerprint
