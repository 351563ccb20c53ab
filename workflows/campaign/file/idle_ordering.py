"""A limit on the orderings that go on which can leave out none."""

from __future__ import annotations

from collections.abc import Iterator

from ...stages.registry import load_stage
from ..ordering_rank import ENERGY
from .model import CampaignFile


def idle_ordering(campaign: CampaignFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find out whether `ordering.keep_lowest` has no effect.

    Parameters
    ----------
    campaign : CampaignFile
        A checked campaign.

    Yields
    ------
    tuple
        The place of the setting in the file, as keys, and one sentence without a final stop.
    """
    ordering = campaign.ordering
    if ordering.keep_lowest is None:
        return
    place = ("ordering", "keep_lowest")
    if ordering.keep_lowest >= ordering.n_orderings:
        yield (
            place,
            f"keep_lowest leaves out no ordering: there are no more than n_orderings = {ordering.n_orderings} of a "
            "candidate; raise n_orderings, or leave keep_lowest out",
        )
    elif not any(ENERGY in load_stage(entry.stage).properties for entry in campaign.stages):
        yield (
            place,
            "keep_lowest leaves out no ordering: no stage finds the energies that rank them; add 'stage: relax', or "
            "leave keep_lowest out",
        )
