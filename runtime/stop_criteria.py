"""What a user asks of a trajectory before it may end early."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class StopCriteria(BaseModel):
    """When a trajectory is long enough, or hopeless.

    Examples
    --------
    >>> StopCriteria(target_sigma_300k_ms_cm=1.0).minimum_barrier_ev
    0.1
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_relative_error: float | None = Field(
        default=0.15,
        gt=0,
        description="relative statistical error of D at which a trajectory ends as converged; None: never",
    )
    target_sigma_300k_ms_cm: float | None = Field(
        default=None,
        gt=0,
        description="σ(300 K) in mS/cm below which the material is of no interest: a trajectory that shows it cannot "
        "be reached ends as ruled_out; None: never",
    )
    minimum_barrier_ev: float = Field(
        default=0.10, ge=0, description="smallest activation energy thinkable in eV, for that extrapolation"
    )
