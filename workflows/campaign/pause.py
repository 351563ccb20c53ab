"""Pausing and cancelling a campaign, and letting it go on."""

from __future__ import annotations

import contextlib

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...errors import SettingsError
from .prepared import prepare_campaign


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
    changed = collections.change_campaign(record.campaign_id, paused=paused)
    return changed or collections.save_campaign(record.model_copy(update={"paused": paused}))


def load_unpaused(campaign_id: str, collections: CampaignCollections) -> CampaignRecord:
    """Load a campaign that a driver may work on.

    Parameters
    ----------
    campaign_id : str
        Its name.
    collections : CampaignCollections
        The store.

    Returns
    -------
    CampaignRecord
        As it is now.

    Raises
    ------
    SettingsError
        If there is no such campaign, or it is paused.
    """
    record = collections.load_campaign(campaign_id)
    if record is None:
        raise SettingsError(
            f"There is no campaign {campaign_id} in this store: submit its file with `superion campaign submit FILE`."
        )
    if record.paused:
        raise SettingsError(
            f"The campaign {campaign_id} is paused: go on with `superion campaign resume {campaign_id}`."
        )
    return record


def pause_campaign(record: CampaignRecord, collections: CampaignCollections) -> tuple[CampaignRecord, int | None]:
    """Let nothing new of a campaign start.

    Parameters
    ----------
    record : CampaignRecord
        The campaign.
    collections : CampaignCollections
        The store.

    Returns
    -------
    record : CampaignRecord
        As it is now.
    n_units : int or None
        Units of the engine that wait now; None where worker processes of this machine do the work.
    """
    return _hold(record, collections, cancel=False)


def cancel_campaign(record: CampaignRecord, collections: CampaignCollections) -> tuple[CampaignRecord, int | None]:
    """Take all work of a campaign back, what runs too; nothing that was computed is lost.

    Parameters
    ----------
    record : CampaignRecord
        The campaign.
    collections : CampaignCollections
        The store.

    Returns
    -------
    record : CampaignRecord
        As it is now.
    n_units : int or None
        Units taken back; None where worker processes of this machine do the work.
    """
    return _hold(record, collections, cancel=True)


def _hold(
    record: CampaignRecord, collections: CampaignCollections, *, cancel: bool
) -> tuple[CampaignRecord, int | None]:
    dispatch = prepare_campaign(record, store=collections.jobs).file.dispatch
    # First: a coordinator that reads this hands nothing over any more.
    paused = set_paused(collections, record, True)
    if dispatch.is_local:
        return paused, None
    with contextlib.closing(dispatch.open_engine(collections)) as engine:
        hold = engine.cancel if cancel else engine.pause
        return paused, hold(record.campaign_id)
