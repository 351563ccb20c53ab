"""`superion campaign plan`: what a campaign would do and cost, before anything runs."""

from __future__ import annotations

from ..options import JsonOption, StoreOption
from .check import CampaignFileArgument


def plan(file: CampaignFileArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Count candidates and work of a campaign, estimate its cost, and say what would be reused."""
    from ..errors import SettingsError

    raise SettingsError("`superion campaign plan` is not there yet.")
