"""Pausing a campaign, and letting it go on."""

from __future__ import annotations

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord


def set_paused(collections: CampaignCollections, record: CampaignRecord, paused: bool) -> CampaignRecord:
    """Pause a campaign or let it go on; its driver, on whatever machine, reads this every few seconds.

    Parameters
    ----------
    collections : CampaignCollections
        The store.
    record : CampaignRecord
        The campaign.
    paused : bool
        Whether nothing new is to start; running dynamics writes its checkpoint and ends.

    Returns
    -------
    CampaignRecord
        As it is now.
    """
    if record.paused == paused:
        return record
    return collections.save_campaign(record.model_copy(update={"paused": paused}))
