"""Finding the campaign that a user means."""

from __future__ import annotations

import difflib

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...errors import SettingsError


def find_campaign(collections: CampaignCollections, name: str | None = None) -> CampaignRecord:
    """Find a campaign by its name, or the only one there is.

    Parameters
    ----------
    collections : CampaignCollections
        The store.
    name : str or None
        Its name; None for the only one.

    Returns
    -------
    CampaignRecord
        Its record.

    Raises
    ------
    SettingsError
        If there is none, or several and no name; the message lists or suggests names.
    """
    if name is not None and (found := collections.load_campaign(name)) is not None:
        return found
    records = collections.list_campaigns()
    names = [record.campaign_id for record in records]
    if not records:
        raise SettingsError("There is no campaign in this store: submit one with `superion campaign submit FILE`.")
    if name is not None:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
        raise SettingsError(f"There is no campaign {name} in this store, did you mean {near}?")
    if len(records) > 1:
        raise SettingsError(f"There are {len(records)} campaigns in this store, so name one: {', '.join(names[:20])}.")
    return records[0]
