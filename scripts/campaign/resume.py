"""`superion campaign resume`: go on with a campaign that was paused, stopped or killed."""

from __future__ import annotations

from ..options import JsonOption, StoreOption
from .opened import CampaignArgument
from .run import BackgroundOption, OnceOption, drive
from .submit import WorkersOption


def resume(
    campaign: CampaignArgument = None,
    workers: WorkersOption = None,
    once: OnceOption = False,
    background: BackgroundOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a campaign; what is computed is not computed again.

    On a cluster, jobs whose workers died are found and put back into the queue first.
    """
    drive(campaign, workers=workers, store=store, as_json=as_json, unpause=True, once=once, background=background)
