"""Where a continuation finds its checkpoint, and what it says where that cannot be seen."""

from __future__ import annotations

import platform
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ..dynamics.manifest import load_manifest
from ..dynamics.results import MdResult
from ..errors import TrajectoryError


class CheckpointPlace(BaseModel):
    """The place of the checkpoint that a job continues."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(description="host that wrote it")
    folder: str = Field(description="folder of the trajectory on that host")
    completed_ps: float = Field(description="length of the trajectory there, in ps")
    last_step: int = Field(default=0, description="last step of the trajectory there")

    @classmethod
    def of(cls, result: MdResult) -> CheckpointPlace:
        """Note where an interrupted run left its checkpoint.

        Parameters
        ----------
        result : MdResult
            The run, made on this host.

        Returns
        -------
        CheckpointPlace
            For the job that continues it.
        """
        last_step = result.segments[-1].last_step if result.segments else 0
        return cls(host=platform.node(), folder=result.folder, completed_ps=result.completed_ps, last_step=last_step)

    def expect_here(self) -> None:
        """See that the checkpoint can be reached from this host.

        Raises
        ------
        TrajectoryError
            If it cannot: starting anew without a word would throw away what was computed, at every interruption again.

        Examples
        --------
        >>> place = CheckpointPlace(host="node7", folder="/local/trajectories/a1b2", completed_ps=12.0)
        >>> try:
        ...     place.expect_here()
        ... except TrajectoryError as error:
        ...     print(str(error).split(", which")[0])
        The trajectory to continue lies in /local/trajectories/a1b2 on node7
        """
        if not Path(self.folder).is_dir():
            raise TrajectoryError(
                f"The trajectory to continue lies in {self.folder} on {self.host}, which {platform.node()} cannot see, "
                f"with {self.completed_ps:g} ps: put the work folder on a disk that all nodes share, or copy the "
                "folder here; then try the job again."
            )
        last_step = load_manifest(Path(self.folder), "").last_step
        if platform.node() != self.host and last_step < self.last_step:
            raise TrajectoryError(
                f"The trajectory to continue lies in {self.folder} on {self.host}, with {self.last_step} steps; the "
                f"folder of that name on {platform.node()} is another one, with {last_step} steps: put the work folder "
                "on a disk that all nodes share, or copy the folder here; then try the job again."
            )
