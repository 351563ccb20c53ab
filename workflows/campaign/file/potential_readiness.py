"""Whether the potential of a campaign can compute on this machine: the same look for check, plan, submit and run."""

from __future__ import annotations

from ....errors import PotentialError
from ....potentials.readiness import check_readiness
from ...stages.registry import load_stage
from .model import CampaignFile


def unready_potential(campaign: CampaignFile) -> str | None:
    """Say why the potential of a campaign cannot compute here, without loading its weights.

    Parameters
    ----------
    campaign : CampaignFile
        A checked campaign.

    Returns
    -------
    str or None
        A clause without a final stop; None if no problem was found, or no stage uses it.
    """
    if not any(load_stage(entry.stage).uses_potential for entry in campaign.stages):
        return None
    try:
        check_readiness(campaign.potential)
    except PotentialError as error:
        sentence = str(error).rstrip(".")
        return f"{sentence[:1].lower()}{sentence[1:]}"
    return None
