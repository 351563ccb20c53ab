"""What the campaign commands have in common: the store, the project, the campaign that is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ...database.campaigns import CampaignCollections
    from ...database.documents.campaign_record import CampaignRecord
    from ...database.project import ProjectFolder

CampaignArgument = Annotated[
    str | None,
    typer.Argument(metavar="[CAMPAIGN]", help="Name of the campaign; not needed where the store has only one."),
]


@dataclass(frozen=True)
class OpenedCampaigns:
    """The store of campaigns, and the project whose folders they use.

    Parameters
    ----------
    collections : CampaignCollections
        The store.
    known_project : ProjectFolder or None
        The project; None where there is none and the store lies elsewhere.
    """

    collections: CampaignCollections
    known_project: ProjectFolder | None

    @property
    def project(self) -> ProjectFolder:
        """The project; made in the current folder where there is none."""
        from ...database.project import find_project

        return self.known_project or find_project(create=True)

    def find(self, name: str | None) -> CampaignRecord:
        """Find the campaign that is meant.

        Parameters
        ----------
        name : str or None
            Its name; None for the only one.

        Returns
        -------
        CampaignRecord
            Its record.
        """
        from ...workflows.campaign.find import find_campaign

        return find_campaign(self.collections, name)


@contextmanager
def opened_campaigns(store: str | None, *, create: bool = False) -> Iterator[OpenedCampaigns]:
    """Open the store of campaigns.

    Parameters
    ----------
    store : str or None
        What the user gave; None for the project's own.
    create : bool
        Whether to make the project and the store where they are missing.

    Yields
    ------
    OpenedCampaigns
        Closed at the end.
    """
    from ...database.campaigns import CampaignCollections
    from ...database.project import find_project
    from ...database.settings import store_from_environment
    from ...errors import StoreError

    try:
        project = find_project(create=create)
    except StoreError:
        if store is None and store_from_environment() is None:
            raise
        project = None
    with CampaignCollections.open(store, project=project, create=create) as collections:
        yield OpenedCampaigns(collections, project)
