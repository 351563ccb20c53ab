"""What a molecular-dynamics run reports of itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .engines.provenance import EngineProvenance

RunState = Literal["completed", "partial", "failed"]
StopReason = Literal[
    "converged",
    "ruled_out",
    "max_length",
    "walltime",
    "signal",
    "melted",
    "exploded",
    "temperature_runaway",
    "volume_collapse",
    "committee_disagrees",
    "atoms_too_close",
    "disk_full",
    "error",
]


class SegmentRecord(BaseModel):
    """One closed H5MD file of a trajectory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(description="file name inside the trajectory folder")
    sha256: str = Field(description="sha256 of the file")
    size_bytes: int = Field(description="size in bytes")
    first_step: int = Field(description="MD step of its first frame")
    n_frames: int = Field(description="number of frames in it")
    last_step: int = Field(default=0, description="MD step of the checkpoint in it")


class StopVerdict(BaseModel):
    """What a stop rule or a health check says after a segment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: StopReason | None = Field(default=None, description="reason to stop; None to go on")
    message: str = Field(default="", description="one sentence for the user")
    estimate: dict[str, Any] = Field(
        default_factory=dict, description="numbers behind the verdict, kept in the history"
    )


class MdProgress(BaseModel):
    """A heartbeat of a running trajectory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(description="identity of the trajectory; empty for the sum over several")
    completed_ps: float = Field(description="length so far in ps")
    requested_ps: float = Field(description="maximum length in ps")
    ps_per_hour: float | None = Field(description="speed over this process' steps")
    temperature_k: float | None = Field(default=None, description="kinetic temperature now in K")
    message: str = Field(default="", description="last verdict of the stop rules")


class MdResult(BaseModel):
    """The state of a trajectory when the engine let go of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(description="identity of the trajectory; also its folder's name")
    folder: str = Field(description="absolute path of the trajectory folder on the host that wrote it")
    state: RunState = Field(description="completed, partial (to be continued) or failed")
    stop_reason: StopReason = Field(description="why the run ended")
    message: str = Field(default="", description="one sentence for the user")
    requested_ps: float = Field(description="length asked for in ps")
    completed_ps: float = Field(description="length reached in ps")
    time_step_fs: float = Field(description="time step used in fs")
    frame_interval_ps: float = Field(description="time between frames in ps")
    n_frames: int = Field(description="number of frames stored")
    n_atoms: int = Field(description="number of atoms")
    segments: tuple[SegmentRecord, ...] = Field(description="the files, in order")
    mean_temperature_k: float | None = Field(description="mean kinetic temperature in K")
    mean_volume_angstrom3: float = Field(description="mean cell volume in Å³")
    mean_cell_angstrom: tuple[tuple[float, float, float], ...] = Field(description="mean cell vectors in Å")
    energy_drift_mev_per_atom_ps: float | None = Field(
        default=None,
        description="slope of the conserved energy in meV/atom/ps; None for Langevin, which conserves none",
    )
    history: tuple[dict[str, Any], ...] = Field(
        default=(),
        description="what stop rules and health checks said after each segment (step, rule, reason, estimate, …)",
    )
    flags: tuple[str, ...] = Field(default=(), description="what a reader should know of this run")
    engine: EngineProvenance | None = Field(
        default=None, description="MD engine that integrates it; None for ASE before engines were recorded"
    )
    resumed_from_step: int = Field(default=0, description="MD step at which this process took over")
    wall_time_s: float = Field(default=0.0, description="wall time of this process in s")
