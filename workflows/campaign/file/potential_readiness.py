"""Whether the potentials of a campaign can compute on this machine: the same look for check, plan, submit and run."""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import PotentialError
from ....potentials.readiness import check_readiness
from .model import CampaignFile
from .potential import UsedPotential


def unready_potentials(campaign: CampaignFile) -> Iterator[tuple[UsedPotential, str]]:
    """Find the potentials of a campaign that cannot compute here, without loading any weights.

    Parameters
    ----------
    campaign : CampaignFile
        A checked campaign.

    Yields
    ------
    UsedPotential
        One that stages would compute with.
    str
        Why it cannot, a clause without a final stop.
    """
    for used in campaign.used_potentials():
        try:
            check_readiness(used.specification)
        except PotentialError as error:
            sentence = str(error).rstrip(".")
            yield used, f"{sentence[:1].lower()}{sentence[1:]}"
