"""The section `dispatch` of a campaign file: where the work is done.

A further engine is a further model with another `engine` literal in the union `Dispatch`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .section import Section


class LocalDispatch(Section):
    """Worker processes on this machine."""

    engine: Literal["local"] = Field(default="local", description="local: worker processes on this machine")
    workers: int | None = Field(
        default=None, ge=1, le=1024, description="number of worker processes; null takes one for each free core"
    )


Dispatch = LocalDispatch
"""Every engine that a campaign file may name."""
