"""The section `dispatch` of a campaign file for worker processes on this machine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .settings import DispatchSettings


class LocalDispatch(DispatchSettings):
    """Worker processes on this machine."""

    engine: Literal["local"] = Field(default="local", description="local: worker processes on this machine")
    workers: int | None = Field(
        default=None, ge=1, le=1024, description="number of worker processes; null takes one for each free core"
    )

    @property
    def is_local(self) -> bool:
        """Whether worker processes on this machine do the work, without any queue."""
        return True

    def n_parallel(self, n_cores: int) -> int:
        """Say how many worker processes there will be.

        Parameters
        ----------
        n_cores : int
            Free cores of this machine.

        Returns
        -------
        int
            At least one.
        """
        return self.workers or n_cores
