"""Which MD engine made a trajectory."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EngineProvenance(BaseModel):
    """Which MD engine integrated a trajectory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="registered name")
    package: str = Field(description="installable package that integrates")
    package_version: str | None = Field(description="its version")
