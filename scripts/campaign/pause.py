"""`superion campaign pause`: let a running campaign write its checkpoints and end."""

from __future__ import annotations

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns


def pause(campaign: CampaignArgument = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Stop a campaign cleanly from another terminal or machine; it stays paused until it is resumed."""
    from ...workflows.campaign.pause import set_paused

    with opened_campaigns(store) as opened:
        record = set_paused(opened.collections, opened.find(campaign), True)
    if as_json:
        write_json({"campaign": record.campaign_id, "paused": record.paused})
    say(
        f"campaign {record.campaign_id} is paused: a running driver writes its checkpoints and ends within some "
        f"seconds; go on with `superion campaign resume {record.campaign_id}`"
    )
