"""A kind of jobs with resources of their own."""

from __future__ import annotations

from superion.runtime.resource_kind import ResourceKind


class GeometryKind(ResourceKind):
    """Jobs that only measure crystals."""

    description = "measuring crystals"
    priority = 3
    uses_potential = False
