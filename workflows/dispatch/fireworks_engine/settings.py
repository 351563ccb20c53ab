"""The section `dispatch` of a campaign file for FireWorks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..settings import ClusterDispatch

if TYPE_CHECKING:
    from ....database.campaigns import CampaignCollections
    from ..queue_engine import QueueEngine


class FireworksDispatch(ClusterDispatch):
    """Jobs through FireWorks; pilots in the cluster's queue take them."""

    engine: Literal["fireworks"] = Field(description="fireworks: FireWorks' launchpad, and pilots in a cluster's queue")
    launchpad: str | None = Field(
        default=None, description="file my_launchpad.yaml of a launchpad; null takes the result store's own server"
    )

    def open_engine(self, collections: CampaignCollections) -> QueueEngine:
        """Open FireWorks' launchpad.

        Parameters
        ----------
        collections : CampaignCollections
            The store of the campaign.

        Returns
        -------
        QueueEngine
            To be closed.
        """
        from .engine import FireworksEngine

        return FireworksEngine(self, collections)
