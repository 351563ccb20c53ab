"""What the store keeps of a campaign: its file, as the user wrote it, and whether it is paused."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from .base import UtcDatetime


def _now() -> datetime:
    return datetime.now(UTC)


class CampaignRecord(BaseModel):
    """The stored record of a campaign.

    The state of a campaign follows from its file, its candidates and the stage documents; this record adds
    nothing to them but the pause and, for listings, the counts.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = Field(default=1, description="version of this layout")
    campaign_id: str = Field(description="name that identifies the campaign in its store")
    file_text: str = Field(description="text of the campaign file")
    base_folder: str | None = Field(
        default=None, description="folder of the campaign file; None for one that was imported and never submitted here"
    )
    paused: bool = Field(default=False, description="whether nothing new is started")
    counts: dict[str, int] = Field(default_factory=dict, description="number of candidates by status, for listings")
    created_at: UtcDatetime = Field(
        default_factory=_now, validate_default=True, description="time of the first submission, UTC"
    )
    updated_at: UtcDatetime = Field(default_factory=_now, validate_default=True, description="last change, UTC")
