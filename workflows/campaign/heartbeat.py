"""What a campaign's driver tells of itself, through a small file that other processes read."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...files import write_text_atomically

HEARTBEAT_FILE = "heartbeat.json"


class StageTiming(BaseModel):
    """How long the units of one stage took on this machine."""

    model_config = ConfigDict(extra="forbid")

    n_units: int = Field(default=0, description="units finished")
    core_seconds: float = Field(default=0.0, description="time of all their jobs, in s")


class RunningUnit(BaseModel):
    """A unit that is being computed."""

    model_config = ConfigDict(extra="forbid")

    stage: str = Field(description="name of the stage")
    candidate_id: str = Field(description="candidate")
    label: str = Field(description="name of the material")
    folder: str = Field(description="its run folder")
    started_at: float = Field(description="when it was opened, in s since 1970")


class DriverHeartbeat(BaseModel):
    """The last words of a campaign's driver."""

    model_config = ConfigDict(extra="forbid")

    pid: int = Field(default_factory=os.getpid, description="process")
    host: str = Field(default_factory=socket.gethostname, description="host")
    started_at: float = Field(default_factory=time.time, description="start of the driver, in s since 1970")
    written_at: float = Field(default_factory=time.time, description="time of writing, in s since 1970")
    n_workers: int = Field(default=1, description="worker processes")
    n_finished: int = Field(default=0, description="units that this driver finished")
    core_seconds: float = Field(default=0.0, description="time of all jobs of the campaign on this machine, in s")
    running: list[RunningUnit] = Field(default_factory=list, description="units being computed")
    timings: dict[str, StageTiming] = Field(default_factory=dict, description="by stage, of all drivers here")
    wordless_since: dict[str, float] = Field(
        default_factory=dict, description="when units were first seen to have ended without a document, in s since 1970"
    )

    def write(self, folder: Path) -> None:
        """Put it into the campaign's folder.

        Parameters
        ----------
        folder : Path
            Folder of the campaign.
        """
        self.written_at = time.time()
        write_text_atomically(folder / HEARTBEAT_FILE, self.model_dump_json(), durable=False)


def read_heartbeat(folder: Path) -> DriverHeartbeat | None:
    """Read the last words of a campaign's driver.

    Parameters
    ----------
    folder : Path
        Folder of the campaign.

    Returns
    -------
    DriverHeartbeat or None
        None where no driver of this version wrote any.
    """
    try:
        return DriverHeartbeat.model_validate(json.loads((folder / HEARTBEAT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
