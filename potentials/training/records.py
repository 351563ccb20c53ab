"""What the steps of a training hand to each other: paths and small numbers, never frames or weights."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FrameSet(BaseModel):
    """A file of frames, labelled or not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="extended XYZ file")
    n_frames: int = Field(description="number of frames")
    dataset_sha256: str = Field(description="digest of the frames and their labels, whatever their order")
    teacher: str = Field(default="", description="who labelled them; empty for frames without labels")
    elements: tuple[str, ...] = Field(default=(), description="elements")
    compositions: tuple[str, ...] = Field(default=(), description="reduced formulas")
    n_computed: int = Field(default=0, description="labels that this step computed; the others were kept")
    n_left_out: int = Field(default=0, description="frames left out because their forces are extreme")
    wall_time_s: float = Field(default=0.0, description="wall time of the step in s")


class Student(BaseModel):
    """A trained member of a committee."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="model file")
    weights_sha256: str = Field(description="sha256 of its weights")
    seed: int = Field(description="seed of its training")
    validation_fraction: float = Field(default=0.1, description="part of the frames by which its best epoch was chosen")
    held_out_fraction: float = Field(default=0.1, description="part of the frames that its training did not see")
    n_epochs: int = Field(default=0, description="passes over the training set")
    validation_energy_rmse_mev_per_atom: float | None = Field(default=None, description="error of energies in meV/atom")
    validation_force_rmse_ev_per_angstrom: float | None = Field(default=None, description="error of forces in eV/Å")
    wall_time_s: float = Field(default=0.0, description="wall time of the training in s")


class Exploration(BaseModel):
    """A run of molecular dynamics with a student, watched by its committee."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = Field(default="", description="name of the material")
    structure_index: int = Field(default=0, description="which of the flow's structures")
    temperature_k: float = Field(description="temperature in K")
    is_beyond: bool = Field(default=False, description="whether it is hotter than any production run")
    requested_ps: float = Field(description="length asked for in ps")
    completed_ps: float = Field(description="length reached in ps")
    stop_reason: str = Field(description="why it ended")
    message: str = Field(default="", description="one sentence")
    threshold_ev_per_angstrom: float = Field(description="disagreement above which frames are labelled, in eV/Å")
    largest_deviation_ev_per_angstrom: float | None = Field(description="largest disagreement seen, in eV/Å")
    n_uncertain_frames: int = Field(default=0, description="frames on which the committee disagrees")
    teacher_shows_it: bool | None = Field(
        default=None,
        description="whether the teacher's own run, from the frames before, ends likewise; None if not run",
    )
    folder: str = Field(description="folder of the trajectory")
    frames: FrameSet | None = Field(default=None, description="frames to label; None where there is nothing to learn")

    @property
    def is_event(self) -> bool:
        """Whether the student has something to learn from it."""
        return self.stop_reason != "max_length" and not self.teacher_shows_it


class TrainingRound(BaseModel):
    """One round of the active loop: training, exploration, and the frames that it added."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(description="0 for the first training")
    n_frames: int = Field(description="labelled frames that the students were trained on, held-out ones included")
    students: tuple[Student, ...] = Field(description="the committee")
    explorations: tuple[Exploration, ...] = Field(default=(), description="the runs")
    n_frames_added: int = Field(default=0, description="frames that were labelled because of them")

    @property
    def events(self) -> tuple[str, ...]:
        """What happened, a clause each."""
        return tuple(
            f"{run.stop_reason} after {run.completed_ps:g} ps at {run.temperature_k:g} K"
            for run in self.explorations
            if run.is_event
        )
