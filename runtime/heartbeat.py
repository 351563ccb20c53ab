"""Heartbeats: a running job tells its launcher how far it is, through a small file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeAlias

from jobflow import CURRENT_JOB
from pydantic import BaseModel, ConfigDict, Field

from ..dynamics.results import MdProgress
from ..files import write_text_atomically

PROGRESS_FOLDER_VARIABLE = "SUPERION_PROGRESS_FOLDER"
"""Environment variable by which a launcher says where it looks for heartbeats."""


class RelaxationProgress(BaseModel):
    """A heartbeat of a running relaxation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = Field(description="steps of the optimiser so far")
    maximum_steps: int = Field(description="most steps allowed")
    max_force_ev_per_angstrom: float = Field(description="largest force now in eV/Å, the cell's share included")
    force_tolerance_ev_per_angstrom: float = Field(description="largest force allowed at the end in eV/Å")


class TrainingProgress(BaseModel):
    """A heartbeat of a running training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int = Field(description="passes over the training set so far")
    maximum_epochs: int = Field(description="most passes allowed")
    force_rmse_ev_per_angstrom: float | None = Field(
        description="error of forces on the validation frames now, in eV/Å"
    )

    @property
    def force_error(self) -> str:
        """The error of the forces, in words; empty before the first epoch has ended."""
        error = self.force_rmse_ev_per_angstrom
        return "" if error is None else f"force error {error:.3g} eV/Å"


JobProgress: TypeAlias = MdProgress | RelaxationProgress | TrainingProgress
"""What a running job tells of itself."""


class Heartbeat(BaseModel):
    """The last word of a running job."""

    model_config = ConfigDict(frozen=True)

    progress: JobProgress = Field(description="how far the job is; the sum over its trajectories where it runs several")
    trajectories: tuple[MdProgress, ...] = Field(
        default=(), description="how far each trajectory is that has begun, where the job runs several"
    )
    written_at: float | None = Field(
        default=None, description="when it was written, in s since 1970 by the clock of its host"
    )


class HeartbeatWriter(Protocol):
    """What a running job calls with its progress."""

    def __call__(self, progress: JobProgress, trajectories: Iterable[MdProgress] = ()) -> None:
        """Write it down."""


def heartbeat_writer(minimum_interval_s: float = 0.5) -> HeartbeatWriter | None:
    """Make the callable that a running job calls with its progress.

    Parameters
    ----------
    minimum_interval_s : float
        Time between two writes, in s; the last word is written in any case.

    Returns
    -------
    callable or None
        Writes `<folder>/<job uuid>.json`; None where no launcher listens.
    """
    folder = os.environ.get(PROGRESS_FOLDER_VARIABLE)
    job = CURRENT_JOB.job
    if not folder or job is None:
        return None
    path = Path(folder) / f"{job.uuid}.json"
    index = job.index
    last = -float("inf")

    def write(progress: JobProgress, trajectories: Iterable[MdProgress] = ()) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < minimum_interval_s and not _is_last(progress):
            return
        last = now
        record = {
            "index": index,
            "process": os.getpid(),
            "written_at": time.time(),
            "progress": progress.model_dump(mode="json"),
            "trajectories": [beat.model_dump(mode="json") for beat in trajectories],
        }
        write_text_atomically(path, json.dumps(record), durable=False)

    return write


def read_heartbeat(path: Path) -> Heartbeat:
    """Read what a running job last told of itself.

    Parameters
    ----------
    path : Path
        File of the heartbeat.

    Returns
    -------
    Heartbeat
        The progress, and when it was told.

    Raises
    ------
    FileNotFoundError
        If the job has told nothing yet.
    ValueError
        If the file is not a heartbeat of this version.
    """
    return Heartbeat.model_validate_json(path.read_text(encoding="utf-8"))


def _is_last(progress: JobProgress) -> bool:
    """Whether no further word is to be expected."""
    if isinstance(progress, MdProgress):
        return progress.completed_ps >= progress.requested_ps
    if isinstance(progress, TrainingProgress):
        return progress.epoch >= progress.maximum_epochs
    is_relaxed = progress.max_force_ev_per_angstrom < progress.force_tolerance_ev_per_angstrom
    return is_relaxed or progress.step >= progress.maximum_steps
