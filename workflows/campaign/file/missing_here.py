"""What the stages of a campaign need and this machine lacks."""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import as_clause
from ...stages.registry import load_stage
from .model import CampaignFile
from .potential_readiness import unready_potentials


def missing_here(campaign: CampaignFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Ask every stage of a campaign what it lacks here, since each of its units would fail for that.

    Potentials are asked for campaigns on clusters, which may have what this machine lacks.

    Parameters
    ----------
    campaign : CampaignFile
        A checked campaign.

    Yields
    ------
    tuple
        The place of the stage in the file, as keys and list positions, and one sentence without a final stop.
    """
    for potential, why in () if campaign.dispatch.is_local else unready_potentials(campaign):
        sentence = f"{potential.subject} cannot compute on this machine, though it may on the cluster: {why}"
        yield potential.place, sentence
    for index, entry in enumerate(campaign.stages):
        for sentence in load_stage(entry.stage).problems_here(entry.settings):
            yield ("stages", index, "stage"), f"the stage '{entry.stage}' cannot run here: {as_clause(sentence)}"
