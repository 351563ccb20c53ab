"""Candidates that were rejected before any stage of a campaign, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ...database.campaigns import CampaignCollections


@dataclass(frozen=True)
class TurnedAway:
    """A candidate without an ordered structure.

    Parameters
    ----------
    label : str
        Name of the material, or of the entry that gave no crystal.
    reason : str
        Why, one sentence.
    """

    label: str
    reason: str


def turned_away(collections: CampaignCollections, campaign_id: str) -> tuple[TurnedAway, ...]:
    """List the candidates of a campaign that were turned away before any stage.

    Parameters
    ----------
    collections : CampaignCollections
        The store.
    campaign_id : str
        The campaign.

    Returns
    -------
    tuple of TurnedAway
        In the order of the rows.
    """
    return tuple(
        TurnedAway(row.label, row.reason or "no reason is known")
        for row in collections.iter_rows(campaign_id, criteria={"status": {"$in": ["rejected", "failed"]}})
        if not row.orderings
    )


def turned_away_lines(items: tuple[TurnedAway, ...], most: int = 10) -> list[str]:
    """Put them into lines for a reader.

    Parameters
    ----------
    items : tuple of TurnedAway
        Candidates that were turned away.
    most : int
        How many are named.

    Returns
    -------
    list of str
        One line each, and one that counts the others.

    Examples
    --------
    >>> turned_away_lines((TurnedAway("a", "It holds no Li."), TurnedAway("b", "It is no crystal.")), most=1)
    ['turned away: a: It holds no Li.', 'turned away: and 1 more']
    """
    lines = [f"turned away: {item.label}: {item.reason}" for item in items[:most]]
    return lines if len(items) <= most else [*lines, f"turned away: and {len(items) - most} more"]
