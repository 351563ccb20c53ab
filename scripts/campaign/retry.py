"""`superion campaign retry`: let failed units be computed again."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import say, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns


def retry(
    campaign: CampaignArgument = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="All units that failed, and all candidates whose ordering failed.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the failed units of a campaign be computed again by its next run; rejections stay.

    Candidates whose ordering failed are ordered again at once, from their sources.
    """
    from ...errors import SettingsError
    from ...workflows.campaign.retry import forget_failures
    from ...workflows.campaign.submit import order_failed_again

    if not failed:
        raise SettingsError("Say what to try again: `superion campaign retry --failed` takes all units that failed.")
    with opened_campaigns(store) as opened:
        record = opened.find(campaign)
        number = forget_failures(record, opened.collections, opened.project)
        n_ordered = order_failed_again(record, opened.collections)
    if as_json:
        write_json({"campaign": record.campaign_id, "n_units": number, "n_ordered": n_ordered})
    if n_ordered:
        say(f"{n_ordered} candidates whose ordering had failed were ordered again")
    say(f"{number} units will be tried again: go on with `superion campaign run {record.campaign_id}`")
