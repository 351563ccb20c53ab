"""A step from one layout of a stored document to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""(document in the old layout) -> the same in the new one; pure, and without `schema_version`."""


class Migration(BaseModel):
    """How documents of one kind go from one version of their layout to the next."""

    model_config = ConfigDict(frozen=True)

    kind: str = Field(description="kind of document: candidate_summary, campaign_record, or a doc_type of the jobs")
    from_version: int = Field(ge=1, description="version that it starts from; it ends at the next one")
    description: str = Field(description="what changes, one sentence")
    upgrade: Upgrade = Field(description="old document -> new document")
