"""The list of a trajectory's closed segments, and what was decided after each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import TrajectoryError
from .durable import write_durably
from .results import RunState, SegmentRecord, StopReason

MANIFEST_FILE = "manifest.json"


class Outcome(BaseModel):
    """How the last run of a trajectory ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: RunState = Field(description="completed, partial or failed")
    stop_reason: StopReason = Field(description="why it ended")
    message: str = Field(default="", description="one sentence for the user")
    step: int = Field(description="MD step at which it ended")


class Manifest(BaseModel):
    """Segments in order, the history of estimates, flags and the last outcome.

    Kept in the trajectory folder as ``manifest.json`` and replaced as a whole, after the segment it adds is safe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(default=1, description="version of this layout")
    key: str = Field(description="identity of the trajectory")
    segments: tuple[SegmentRecord, ...] = Field(default=(), description="closed segments, in order")
    history: tuple[dict[str, Any], ...] = Field(default=(), description="verdicts after each segment")
    flags: tuple[str, ...] = Field(default=(), description="what a reader should know")
    outcome: Outcome | None = Field(default=None, description="how the last run ended; None while it goes on")

    @property
    def last_step(self) -> int:
        """MD step of the last checkpoint; 0 where there is none."""
        return self.segments[-1].last_step if self.segments else 0

    def with_segment(self, record: SegmentRecord) -> Manifest:
        """Copy with one more segment, and no outcome: the run goes on."""
        return self.model_copy(update={"segments": (*self.segments, record), "outcome": None})

    def with_verdicts(self, step: int, entries: list[dict[str, Any]]) -> Manifest:
        """Copy with the verdicts at a step in place of those given there before."""
        kept = tuple(entry for entry in self.history if entry["step"] != step)
        return self.model_copy(update={"history": (*kept, *entries)})

    def with_flag(self, flag: str) -> Manifest:
        """Copy with one more flag, once."""
        return self if flag in self.flags else self.model_copy(update={"flags": (*self.flags, flag)})

    def with_outcome(self, outcome: Outcome | None) -> Manifest:
        """Copy with the way the run ended."""
        return self.model_copy(update={"outcome": outcome})

    def cut(self, n_segments: int) -> Manifest:
        """Copy with the first segments only, and without what was decided after later ones."""
        segments = self.segments[:n_segments]
        last_step = segments[-1].last_step if segments else 0
        history = tuple(entry for entry in self.history if entry["step"] <= last_step)
        return self.model_copy(update={"segments": segments, "history": history, "outcome": None})


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` durably.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    manifest : Manifest
        What it shall say.
    """
    write_durably(folder / MANIFEST_FILE, (manifest.model_dump_json(indent=1) + "\n").encode())


def load_manifest(folder: Path, key: str) -> Manifest:
    """Read ``manifest.json``.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    key : str
        Identity of the trajectory.

    Returns
    -------
    Manifest
        An empty one where there is no such file yet.

    Raises
    ------
    TrajectoryError
        If the file cannot be understood.
    """
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Manifest(key=key)
    except ValidationError as error:
        raise TrajectoryError(
            f"The manifest {path} cannot be understood: restore it from a copy, or delete it and run again "
            "to rebuild it from the segments."
        ) from error
