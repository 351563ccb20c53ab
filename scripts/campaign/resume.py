"""`superion campaign resume`: go on with a campaign that was paused, stopped or killed."""

from __future__ import annotations

from ..options import JsonOption, StoreOption
from .opened import CampaignArgument
from .run import drive
from .submit import WorkersOption


def resume(
    campaign: CampaignArgument = None,
    workers: WorkersOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a campaign here; what is computed is not computed again."""
    drive(campaign, workers=workers, store=store, as_json=as_json, unpause=True)
