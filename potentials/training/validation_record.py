"""What a validation of a student measured."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from .frame_errors import FrameErrors
from .verdict import StudentVerdict


class DiffusivityPair(BaseModel):
    """The diffusivity of the mobile ion by student and teacher."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature_k: float = Field(description="temperature in K")
    student_cm2_s: float | None = Field(
        description="the student's in cm²/s, in pieces as long as the teacher's run; None where it is withheld"
    )
    student_interval_95_cm2_s: tuple[float, float] | None = Field(description="its 95 % interval in cm²/s")
    student_ps: float = Field(description="length of the student's run in ps")
    student_whole_run_cm2_s: float | None = Field(
        default=None, description="the student's in cm²/s from its whole run, where short times overstate it less"
    )
    teacher_cm2_s: float | None = Field(description="the teacher's in cm²/s; None where it is withheld")
    teacher_interval_95_cm2_s: tuple[float, float] | None = Field(description="its 95 % interval in cm²/s")
    teacher_ps: float = Field(description="length of the teacher's run in ps")
    ratio: float | None = Field(description="the student's over the teacher's; None where one is withheld")
    agree: bool | None = Field(description="whether they agree within the joint 95 % interval; None where not known")
    remark: str = Field(default="", description="why one is withheld")


class SpectrumPair(BaseModel):
    """Two vibrational densities of states."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frequency_thz: tuple[float, ...] = Field(description="frequencies in THz")
    student_per_thz: tuple[float, ...] = Field(description="the student's, in 1/THz")
    teacher_per_thz: tuple[float, ...] = Field(description="the teacher's at the same frequencies, in 1/THz")
    difference: float = Field(description="part of one that lies at other frequencies than the other, 0 to 1")


class RadialPair(BaseModel):
    """How the neighbours of one pair of elements differ between student and teacher."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: str = Field(description="elements, such as Li-S")
    difference: float = Field(description="part of the neighbours at other distances, 0 to 1")


class PotentialValidation(BaseModel):
    """Everything that a validation measured, and the verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: StudentVerdict = Field(description="accepted or rejected, with reasons")
    held_out: FrameErrors = Field(description="errors on frames that no training saw")
    own_frames: FrameErrors | None = Field(description="errors on frames of the student's own runs")
    energy_drift_mev_per_atom_ps: float | None = Field(
        description="drift of the total energy at constant energy and volume, in meV/atom/ps; None if the run failed"
    )
    radial: tuple[RadialPair, ...] = Field(default=(), description="radial distributions against the teacher's")
    spectrum: SpectrumPair | None = Field(default=None, description="vibrational density of states")
    diffusivities: tuple[DiffusivityPair, ...] = Field(default=(), description="at the lowest and highest temperature")
    stable_ps: dict[str, float] = Field(
        default_factory=dict, description="temperature in K -> longest run in ps that ended without an event"
    )
    wall_time_s: float = Field(default=0.0, description="wall time of the validation in s")
