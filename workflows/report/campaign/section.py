"""Sections of the first page of a campaign's report: ours and those of other packages, found by entry point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ....plugins import PluginGroup
from ..html_parts import Markup

if TYPE_CHECKING:
    from ....database.campaigns import CampaignCollections
    from .view import CampaignView


class CampaignSection(ABC):
    """A section of the first page, between the ranking with its Pareto front and the comparison with measurements.

    A subclass is found by its entry point in the group `superion.campaign_sections`, under a name of its own.
    """

    position: ClassVar[int] = 1000
    """Place among these sections, the smallest first; then by name."""

    @abstractmethod
    def build(self, view: CampaignView, collections: CampaignCollections) -> Markup:
        """Build the section.

        Parameters
        ----------
        view : CampaignView
            The campaign: its rows, stages and ranking.
        collections : CampaignCollections
            The store, for documents that rows do not hold.

        Returns
        -------
        Markup
            HTML of `html_parts.section`, in which all text from outside is escaped; empty where there is nothing to
            show. The same store must give the same letters.
        """


SECTIONS: PluginGroup[CampaignSection] = PluginGroup(
    "superion.campaign_sections", "section of campaign reports", CampaignSection
)
"""The entry points by which any package registers a section."""


def campaign_sections(view: CampaignView, collections: CampaignCollections) -> list[Markup]:
    """Build all registered sections.

    Parameters
    ----------
    view : CampaignView
        The campaign.
    collections : CampaignCollections
        The store.

    Returns
    -------
    list of Markup
        In their order, without those that do not load.

    Warns
    -----
    BrokenPluginWarning
        For each of these.
    """
    found = [(kind.position, name, kind) for name in SECTIONS.names() for kind in [SECTIONS.find_sound(name)] if kind]
    return [kind().build(view, collections) for _, _, kind in sorted(found, key=lambda one: one[:2])]
