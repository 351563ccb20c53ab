"""The section `limits` of a campaign file: what a campaign may at most use."""

from __future__ import annotations

from pydantic import Field

from .section import Section


class Limits(Section):
    """Beyond a limit nothing new is begun; what is done stays, and a higher limit goes on from there.

    Only `maximum_unit_hours` ends what is being computed: one unit, while the others go on.
    """

    maximum_candidates: int = Field(
        default=100_000, ge=1, description="most candidates after removing duplicates; more are refused, not cut off"
    )
    maximum_core_hours: float | None = Field(
        default=None, gt=0, description="most core-hours of all runs of the campaign together; null for no limit"
    )
    maximum_wall_time_h: float | None = Field(
        default=None, gt=0, description="hours after which one run begins nothing new; null for no limit"
    )
    maximum_unit_hours: float | None = Field(
        default=None,
        gt=0,
        description="hours that worker processes may spend, in one run, on one stage of one ordered structure; beyond "
        "them it is stopped and fails, the others go on, and a retry continues its trajectories; null for no limit",
    )
    minimum_free_disk_gb: float = Field(
        default=1.0, ge=0, description="free space in GB on the disk of the trajectories below which nothing new begins"
    )
