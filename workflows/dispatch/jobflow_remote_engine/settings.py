"""The section `dispatch` of a campaign file for jobflow-remote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ....errors import SettingsError
from ..settings import ClusterDispatch

if TYPE_CHECKING:
    from ....database.campaigns import CampaignCollections
    from .engine import JobflowRemoteEngine


class JobflowRemoteDispatch(ClusterDispatch):
    """A jobflow-remote project: its runner submits jobs to the queue of a cluster."""

    engine: Literal["jobflow_remote"] = Field(
        default="jobflow_remote", description="jobflow_remote: a jobflow-remote project and its runner"
    )
    project: str = Field(
        default="superion",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="name of the jobflow-remote project, which `superion cluster init` writes",
    )

    def open_engine(self, collections: CampaignCollections) -> JobflowRemoteEngine:
        """Open the engine.

        Parameters
        ----------
        collections : CampaignCollections
            The store of the campaign; its results go there.

        Returns
        -------
        JobflowRemoteEngine
            To be closed.

        Raises
        ------
        SettingsError
            If the project is missing or cannot be used, or jobflow-remote is not installed.
        StoreError
            If its database cannot be used.
        """
        require_jobflow_remote()
        from .engine import JobflowRemoteEngine

        return JobflowRemoteEngine(self, collections)


def require_jobflow_remote() -> None:
    """See that jobflow-remote can be imported.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    try:
        import jobflow_remote  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            f"The engine jobflow_remote needs the package jobflow-remote ({error}): install it with "
            "`pip install 'superion[jobflow-remote]'`."
        ) from error
