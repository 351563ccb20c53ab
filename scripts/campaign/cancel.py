"""`superion campaign cancel`: take a campaign's work back, what runs too."""

from __future__ import annotations

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns


def cancel(campaign: CampaignArgument = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Stop all work of a campaign, here or on its cluster; results and checkpoints stay.

    Running molecular dynamics writes its checkpoint and ends. `superion campaign resume` takes everything up again.
    """
    from ...workflows.campaign.pause import cancel_campaign

    with opened_campaigns(store) as opened:
        record, n_units = cancel_campaign(opened.find(campaign), opened.collections)
    if as_json:
        write_json({"campaign": record.campaign_id, "n_units": n_units})
    what = "a running driver writes its checkpoints and ends" if n_units is None else f"{n_units} units are taken back"
    say(
        f"campaign {record.campaign_id} is cancelled: {what}; `superion campaign resume {record.campaign_id}` takes "
        "everything up again"
    )
