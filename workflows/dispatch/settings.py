"""The section `dispatch` of a campaign file: where the work is done, and by which engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...errors import SettingsError
from ...plugins import PluginGroup
from ..campaign.file.section import Section
from ..clusters.kind_name import KindName

if TYPE_CHECKING:
    from ...database.campaigns import CampaignCollections
    from ..clusters.profile import ClusterProfile
    from .queue_engine import QueueEngine


class DispatchSettings(Section):
    """Base of the settings of all engines; each engine has a class of its own, registered by an entry point."""

    engine: str = Field(description="name of the engine")

    @property
    def is_local(self) -> bool:
        """Whether worker processes on this machine do the work, without any queue."""
        return False

    def n_parallel(self, n_cores: int) -> int:
        """Say how many jobs may run side by side, to estimate how long a campaign takes.

        Parameters
        ----------
        n_cores : int
            Cores of this machine.

        Returns
        -------
        int
            At least one.
        """
        raise NotImplementedError

    def open_engine(self, collections: CampaignCollections) -> QueueEngine:
        """Open the engine.

        Parameters
        ----------
        collections : CampaignCollections
            The store of the campaign; its results go there.

        Returns
        -------
        QueueEngine
            To be closed.

        Raises
        ------
        SettingsError
            If its settings cannot be used, or its package is missing.
        StoreError
            If its database cannot be used.
        """
        raise NotImplementedError


class ClusterDispatch(DispatchSettings):
    """What all engines of clusters have in common."""

    cluster: str = Field(description="name of the cluster's profile (`superion cluster list`), or its file")
    resources: dict[KindName, dict[str, Any]] = Field(
        default_factory=dict,
        description="by kind of job, such as relax, md and analysis: what differs from the profile's resources",
    )

    def n_parallel(self, n_cores: int) -> int:
        """Say how many jobs of molecular dynamics may run side by side.

        Parameters
        ----------
        n_cores : int
            Cores of this machine, which do not matter here.

        Returns
        -------
        int
            At least one.
        """
        packing = self.profile().packing_of("md")
        return packing.allocations * packing.jobs_at_a_time

    def profile(self) -> ClusterProfile:
        """Load the cluster's profile, with this campaign's resources.

        Returns
        -------
        ClusterProfile
            The profile.

        Raises
        ------
        SettingsError
            If there is no such profile, or it cannot be used.
        """
        from ..clusters.find import load_cluster

        profile = load_cluster(self.cluster)
        return profile.with_resources(self.resources)


ENGINES: PluginGroup[DispatchSettings] = PluginGroup("superion.dispatch_engines", "dispatch engine", DispatchSettings)
"""The entry points by which any package registers an engine."""


@cache
def engine_names() -> tuple[str, ...]:
    """List the names of all engines.

    Returns
    -------
    tuple of str
        Sorted names.

    Examples
    --------
    >>> {"fireworks", "jobflow_remote", "local"} <= set(engine_names())
    True
    """
    return ENGINES.names()


def dispatch_settings(data: Mapping[str, Any]) -> DispatchSettings:
    """Check the section of a campaign file by the engine that it names.

    Parameters
    ----------
    data : mapping
        The section; without `engine` it is the local one's.

    Returns
    -------
    DispatchSettings
        The engine's own settings.

    Raises
    ------
    SettingsError
        If there is no such engine.
    ValidationError
        If the engine does not take these settings.

    Examples
    --------
    >>> dispatch_settings({"workers": 2}).engine
    'local'
    """
    name = data.get("engine", "local")
    if not isinstance(name, str):
        raise SettingsError(f"The engine must be a name, not {name!r}: there are {', '.join(engine_names())}.")
    return ENGINES.load(name).model_validate(dict(data))
