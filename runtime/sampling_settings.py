"""Which configurations the first training set is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SamplingSettings(BaseModel):
    """Settings of the configurations that a teacher labels first.

    Examples
    --------
    >>> SamplingSettings(n_frames=100).duration_ps
    2.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_frames: int = Field(default=300, ge=3, description="frames to label, chosen as different as possible")
    duration_ps: float = Field(default=2.0, ge=0, description="length of each run with the teacher in ps; 0 for no run")
    skip_ps: float = Field(default=0.2, ge=0, description="beginning of each run that gives no frames, in ps")
    volume_strains: tuple[float, ...] = Field(
        default=(-0.02, 0.02),
        description="relative changes of the volume at which the hottest run is repeated",
    )
    n_distorted: int = Field(default=60, ge=0, description="strained cells with shaken atoms, of each structure")
    displacement_angstrom: float = Field(default=0.15, gt=0, description="how far atoms are shaken, in Å")
    largest_volume_strain: float = Field(default=0.04, ge=0, description="largest change of the volume of these cells")
    n_with_vacancies: int = Field(default=0, ge=0, description="distorted cells that lack mobile ions")
    n_vacancies: int = Field(default=1, ge=1, description="mobile ions missing in each of them")
    seed: int = Field(default=0, ge=0, description="seed of the distortions")
