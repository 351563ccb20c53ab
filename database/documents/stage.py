"""The outcome of one screening stage for one structure: numbers with errors, never a verdict of the user's rules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..properties import PropertyEstimate
from .base import StructureDict, SuperionDocument


class StageDoc(SuperionDocument):
    """What a stage found out about one ordered structure.

    The rules of a campaign are no part of it: a changed threshold reads the same document again.
    """

    doc_type: Literal["stage"] = "stage"
    stage: str = Field(description="name of the stage")
    stage_key: str = Field(description="sha256 of the stage, its settings, the structure and the potential")
    state: Literal["completed", "rejected", "failed"] = Field(
        description="completed: properties are there; rejected: the structure itself is unfit; failed: try again"
    )
    reason: str | None = Field(default=None, description="why it was rejected or failed, one sentence")
    mobile_ion: str | None = Field(default=None, description="element symbol of the mobile ion")
    properties: dict[str, PropertyEstimate] = Field(default_factory=dict, description="by name of the property")
    details: dict[str, Any] = Field(default_factory=dict, description="what the report of this stage shows, plain JSON")
    structure: StructureDict | None = Field(default=None, description="structure that the next stages start from")
    source_uuids: list[str] = Field(default_factory=list, description="jobs whose documents it sums up")
    notes: list[str] = Field(default_factory=list, description="warnings and labels for the reader")
