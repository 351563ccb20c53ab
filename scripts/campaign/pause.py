"""`superion campaign pause`: let a running campaign write its checkpoints and end."""

from __future__ import annotations

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns


def pause(campaign: CampaignArgument = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Stop a campaign cleanly from another terminal or machine; it stays paused until it is resumed.

    On a cluster nothing new begins, and jobs in hand go on to their end; `cancel` ends these too.
    """
    from ...workflows.campaign.pause import pause_campaign

    with opened_campaigns(store) as opened:
        record, n_units = pause_campaign(opened.find(campaign), opened.collections)
    if as_json:
        write_json({"campaign": record.campaign_id, "paused": record.paused, "n_units": n_units})
    what = (
        "a running driver writes its checkpoints and ends within some seconds"
        if n_units is None
        else f"{n_units} units stay where they are and do not start; jobs in hand go on to their end"
    )
    say(f"campaign {record.campaign_id} is paused: {what}; go on with `superion campaign resume {record.campaign_id}`")
