"""What a model file says of itself before its weights are read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .specification import PotentialProvenance

FORMAT_VERSION = 1
"""Version of the layout of model files that this superion writes and reads."""

ModelVerdict = Literal["accepted", "rejected", "unvalidated"]
"""What a validation concluded; unvalidated where none took place."""


class ModelDomain(BaseModel):
    """The conditions that a model was trained for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature_k: tuple[float, float] | None = Field(
        default=None, description="lowest and highest temperature of the molecular dynamics in the training set, in K"
    )
    volume_strain: tuple[float, float] | None = Field(
        default=None, description="smallest and largest relative change of the volume in the training set"
    )
    volume_per_atom_angstrom3: dict[str, float] = Field(
        default_factory=dict,
        description="reduced formula to volume per atom in Å³ of the cell that the changes of the volume refer to",
    )
    compositions: tuple[str, ...] = Field(default=(), description="reduced formulas in the training set")
    elements: tuple[str, ...] = Field(default=(), description="elements in the training set")


class TeacherRecord(BaseModel):
    """The potential, or the method, that labelled the training set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provenance: PotentialProvenance | None = Field(
        default=None, description="the potential; None where the labels came from a file"
    )
    label: str = Field(default="", description="name of the level of theory, such as chgnet or PBE")
    licence: str | None = Field(default=None, description="licence of the teacher's weights; None where not known")


class ModelHeader(BaseModel):
    """The header of a model file: everything but the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(default=FORMAT_VERSION, description="version of the layout of the file")
    name: str = Field(default="", description="name of the model")
    architecture: dict[str, Any] = Field(description="what builds the empty model again, as plain data")
    architecture_preset: str | None = Field(default=None, description="name of the preset: tiny, small, medium, …")
    elements: tuple[str, ...] = Field(description="elements that the model knows")
    weights_sha256: str = Field(description="sha256 of the tensors alone; another verdict does not change it")
    teacher: TeacherRecord = Field(default_factory=TeacherRecord, description="who labelled the training set")
    training_set_sha256: str | None = Field(default=None, description="sha256 of the labelled training set")
    n_training_frames: int | None = Field(default=None, description="number of frames in the training set")
    domain: ModelDomain = Field(default_factory=ModelDomain, description="what the model was trained for")
    verdict: ModelVerdict = Field(default="unvalidated", description="outcome of the validation")
    reasons: tuple[str, ...] = Field(default=(), description="why, a clause each")
    metrics: dict[str, Any] = Field(default_factory=dict, description="errors and other results of the validation")
    superion_version: str = Field(default="", description="version of superion that wrote the file")
    package_version: str = Field(default="", description="version of mace-torch that trained the model")
