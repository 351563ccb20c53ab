"""The parts of the document of a trained potential."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModelFile(_Part):
    """The model file as it was written."""

    path: str = Field(description="absolute path on the host that trained it")
    size_bytes: int = Field(ge=0, description="size in bytes")
    sha256: str = Field(description="sha256 of its bytes")


class LabelErrors(_Part):
    """Root mean square errors against the teacher's labels."""

    n_frames: int = Field(ge=0, description="number of frames")
    energy_rmse_mev_per_atom: float = Field(description="error of the energy in meV/atom")
    force_rmse_mev_per_angstrom: float = Field(description="error of the force components in meV/Å")
    stress_rmse_gpa: float | None = Field(default=None, description="error of the stress in GPa, where it was labelled")


class DiffusivityComparison(_Part):
    """Tracer diffusivity of the mobile ions by student and teacher at one temperature."""

    temperature_k: float = Field(description="temperature in K")
    student_cm2_s: float | None = Field(
        description="by the student in cm²/s, in pieces as long as the teacher's run; None where it is withheld"
    )
    student_whole_run_cm2_s: float | None = Field(
        default=None, description="by the student in cm²/s from its whole run, where short times overstate it less"
    )
    student_interval_95_cm2_s: tuple[float, float] | None = Field(default=None, description="95 % interval in cm²/s")
    teacher_cm2_s: float | None = Field(description="by the teacher in cm²/s; None where it is withheld")
    teacher_interval_95_cm2_s: tuple[float, float] | None = Field(default=None, description="95 % interval in cm²/s")
    student_ps: float | None = Field(default=None, description="length of the student's run in ps")
    teacher_ps: float | None = Field(default=None, description="length of the teacher's run in ps")


class ValidationMetrics(_Part):
    """What validation measured; None where it was not measured."""

    held_out: LabelErrors | None = Field(default=None, description="errors on frames held out of training")
    own_dynamics: LabelErrors | None = Field(default=None, description="errors on frames of the student's own dynamics")
    energy_drift_mev_per_atom_ps: float | None = Field(
        default=None, description="drift of the total energy at constant energy in meV/atom/ps"
    )
    radial_distribution_distance: float | None = Field(
        default=None,
        description="largest difference of a partial radial distribution from the teacher's, integrated over the "
        "distance and relative to the teacher's",
    )
    vibrational_distance: float | None = Field(
        default=None,
        description="difference of the normalised vibrational density of states from the teacher's, integrated over "
        "the frequency: 0 for equal ones, 2 for ones that share no frequency",
    )
    diffusivities: list[DiffusivityComparison] = Field(
        default_factory=list, description="diffusivities against the teacher's, by temperature"
    )
    stable_ps: dict[str, float] = Field(
        default_factory=dict, description="temperature in K to the length in ps that ran without a health stop"
    )


class ParityData(_Part):
    """Points of a parity figure, thinned to a few hundred."""

    quantity: Literal["energy", "force", "stress"] = Field(description="what is compared")
    unit: str = Field(description="its unit")
    teacher: list[float] = Field(description="values of the teacher")
    student: list[float] = Field(description="values of the student, in the same order")
    n_total: int = Field(ge=0, description="number of values before thinning")


class TrainingRound(_Part):
    """One round of the active loop: dynamics with the student, what went wrong, what was labelled and added."""

    number: int = Field(ge=0, description="number of the round; 0 is the first training")
    n_training_frames: int = Field(ge=0, description="labelled frames that the student of this round learnt from")
    n_frames_added: int = Field(default=0, ge=0, description="frames that this round labelled and added")
    force_rmse_mev_per_angstrom: float | None = Field(
        default=None, description="force error of this round's student on held-out frames in meV/Å"
    )
    events: list[str] = Field(default_factory=list, description="what the watch over its dynamics saw, a sentence each")
