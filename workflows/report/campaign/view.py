"""All that the report of a campaign shows of its rows: who is ranked and how, who left, what is not known yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ....database.campaigns import CampaignCollections
from ....database.documents.campaign_record import CampaignRecord
from ....database.documents.candidate_summary import CandidateSummary
from ....database.properties import PROPERTIES
from ....database.property_names import usual_front, usual_order
from ....database.ranking import (
    ParetoRanking,
    RankedRow,
    Ranking,
    pareto_front,
    rank_by_property,
    rank_by_weighted_score,
    top_k_probabilities,
)
from ....errors import SettingsError
from ...campaign.file.model import CampaignFile
from ...campaign.prepared import prepare_campaign

LEFT = ("rejected", "failed")
"""States of candidates that are out."""

TOP_K = 10
"""Of how many best ones the probability is given where no campaign file says so."""

_MANY_ROWS = 2000
_SAMPLES, _SAMPLES_OF_MANY = 2000, 400
"""Draws for probabilities: 400 know a probability to ±2.5 %, which is enough among thousands."""


@dataclass(frozen=True)
class RankingRequest:
    """By what to rank, in place of what the campaign file says.

    Attributes
    ----------
    by : str or None
        Property that sorts the table.
    top_k : int or None
        Of how many best ones the probability is given.
    weights : mapping of str to float or None
        Properties of the weighted score and their weights.
    pareto : tuple of str or None
        Properties of the Pareto front.
    """

    by: str | None = None
    top_k: int | None = None
    weights: Mapping[str, float] | None = None
    pareto: tuple[str, ...] | None = None


@dataclass(frozen=True)
class CampaignView:
    """A campaign as the report shows it.

    Attributes
    ----------
    record : CampaignRecord
        The stored record.
    file : CampaignFile or None
        Its checked file; None for one that was imported or made for another version.
    rows : tuple of CandidateSummary
        All candidates, in the order of their keys.
    stages : tuple of str
        Names of the stages, in order.
    asked : RankingRequest
        By what to rank where the file is not to decide.
    """

    record: CampaignRecord
    file: CampaignFile | None
    rows: tuple[CandidateSummary, ...]
    stages: tuple[str, ...]
    asked: RankingRequest = RankingRequest()

    @cached_property
    def in_play(self) -> tuple[CandidateSummary, ...]:
        """Candidates that are neither rejected nor failed."""
        return tuple(row for row in self.rows if row.status not in LEFT)

    @cached_property
    def left(self) -> tuple[CandidateSummary, ...]:
        """Candidates that are out, the furthest first."""
        position = {name: number for number, name in enumerate(self.stages)}
        gone = [row for row in self.rows if row.status in LEFT]
        return tuple(sorted(gone, key=lambda row: (-position.get(row.stage or "", -1), row.status, row.key)))

    @cached_property
    def wanted_by(self) -> str | None:
        """The property that the campaign ranks by."""
        if self.asked.by is not None:
            return self.asked.by
        return self.file.ranked_by() if self.file is not None else self.by

    @cached_property
    def by(self) -> str | None:
        """The property that the table is sorted by; another one than the file wants where nobody has that yet."""
        if self.asked.by is not None:
            return self.asked.by
        wanted = self.file.ranked_by() if self.file is not None else None
        known = {name for row in self.in_play for name in row.properties}
        return next((name for name in (wanted, *usual_order()) if name is not None and name in known), None)

    @cached_property
    def ranking(self) -> Ranking | None:
        """Candidates in play, best first; None where nothing is known to rank by."""
        return None if self.by is None else rank_by_property(self.in_play, self.by)

    @cached_property
    def unranked(self) -> tuple[CandidateSummary, ...]:
        """Candidates in play that have no place yet."""
        ranked = {entry.row.key for entry in self.ranking.ranked} if self.ranking is not None else set()
        return tuple(row for row in self.in_play if row.key not in ranked)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Key of a ranked candidate to its place."""
        return {entry.row.key: entry.rank for entry in self.ranking.ranked} if self.ranking is not None else {}

    @cached_property
    def top_k(self) -> int:
        """Of how many best ones the probability is given."""
        if self.asked.top_k is not None:
            return self.asked.top_k
        return self.file.ranking.top_k if self.file is not None else TOP_K

    @cached_property
    def probabilities(self) -> Mapping[str, float]:
        """Key of a candidate to the probability that it is among the best `top_k`; empty where all of them are."""
        if self.by is None or self.ranking is None or len(self.ranking.ranked) <= self.top_k:
            return {}
        n_samples = _SAMPLES if len(self.in_play) <= _MANY_ROWS else _SAMPLES_OF_MANY
        found = top_k_probabilities(self.in_play, self.by, self.top_k, n_samples=n_samples)
        return {entry.row.key: entry.score for entry in found.ranked}

    @cached_property
    def by_score(self) -> Ranking | None:
        """Candidates in play by their weighted score, best first; None where there are no weights."""
        weights = self.file.ranking.weights if self.file is not None else {}
        if self.asked.weights is not None:
            weights = dict(self.asked.weights)
        return rank_by_weighted_score(self.in_play, weights) if weights else None

    @cached_property
    def scores(self) -> Mapping[str, RankedRow]:
        """Key of a candidate to its weighted score; empty where there are no weights."""
        return {entry.row.key: entry for entry in self.by_score.ranked} if self.by_score is not None else {}

    @cached_property
    def pareto_names(self) -> tuple[str, ...]:
        """Properties of the Pareto front, those of the file only where they are known of some candidate in play."""
        if self.asked.pareto is not None:
            return self.asked.pareto
        wanted = self.file.pareto_properties() if self.file is not None else usual_front()
        known = {name for row in self.in_play for name in row.properties}
        return tuple(name for name in wanted if name in known)

    @cached_property
    def pareto(self) -> ParetoRanking | None:
        """The Pareto front; None where the file decides and fewer than two of its properties are known."""
        is_worth_it = self.asked.pareto is not None or len(self.pareto_names) > 1
        return pareto_front(self.in_play, self.pareto_names) if is_worth_it else None

    @cached_property
    def on_front(self) -> frozenset[str]:
        """Keys of the candidates on the Pareto front."""
        return frozenset(row.key for row in self.pareto.front) if self.pareto is not None else frozenset()

    @cached_property
    def properties(self) -> tuple[str, ...]:
        """All properties that are known of any candidate: the ranked one first, then in the usual order."""
        known = {name for row in self.rows for name in row.properties if name in PROPERTIES}
        return tuple(sorted(known, key=lambda name: (name != self.by, list(PROPERTIES).index(name))))

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """All properties of which any candidate brings a measured value."""
        return tuple(name for name in PROPERTIES if any(name in row.measured for row in self.rows))

    def best_first(self) -> list[CandidateSummary]:
        """List all candidates.

        Returns
        -------
        list of CandidateSummary
            The ranked ones, then the others in play, then those that left, the furthest first.
        """
        ranked = [entry.row for entry in self.ranking.ranked] if self.ranking is not None else []
        return [*ranked, *self.unranked, *self.left]


def read_campaign(
    collections: CampaignCollections, campaign_id: str, asked: RankingRequest | None = None
) -> CampaignView:
    """Read a campaign and its rows from the store.

    Parameters
    ----------
    collections : CampaignCollections
        The store.
    campaign_id : str
        Name of the campaign.
    asked : RankingRequest, optional
        By what to rank where the campaign file is not to decide.

    Returns
    -------
    CampaignView
        What the report shows.

    Raises
    ------
    SettingsError
        If there is no such campaign.
    """
    record = collections.load_campaign(campaign_id)
    if record is None:
        raise SettingsError(
            f"There is no campaign {campaign_id} in this store: `superion campaign status` names those there are."
        )
    try:
        file = prepare_campaign(record, store=collections.jobs).file
    except SettingsError:
        # Imported, or of another version: its rows can be shown all the same.
        file = None
    rows = tuple(collections.iter_rows(campaign_id))
    stages = tuple(entry.stage for entry in file.stages) if file is not None else _stages_of(rows)
    return CampaignView(record, file, rows, stages, asked or RankingRequest())


def _stages_of(rows: Sequence[CandidateSummary]) -> tuple[str, ...]:
    """Find the order of the stages from the way of the candidate that came furthest."""
    names: dict[str, None] = {}
    for row in sorted(rows, key=lambda row: (-len(row.stages), row.key)):
        names |= dict.fromkeys(row.stages)
    return tuple(names)
