"""Diffusion at one temperature, all replicas combined."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ...transport.results import DiffusionResult
from .base import SuperionDocument


class DiffusionDoc(SuperionDocument):
    """What the trajectories at one temperature say."""

    listed: ClassVar = {"state": "state", "temperature_k": "temperature_k"}

    doc_type: Literal["diffusion"] = "diffusion"
    trajectory_keys: list[str] = Field(description="identities of the trajectories analysed")
    trajectory_folders: list[str] = Field(description="where their files lie")
    state: Literal["completed", "partial", "failed"] = Field(description="worst state of the trajectories")
    stop_reasons: list[str] = Field(description="why each trajectory ended")
    requested_ps: float = Field(description="length asked for per trajectory in ps")
    completed_ps: list[float] = Field(description="length reached by each trajectory in ps")
    temperature_k: float = Field(description="target temperature in K")
    result: DiffusionResult | None = Field(description="transport results; None where nothing could be analysed")
    failure: str | None = Field(default=None, description="why nothing could be analysed")
