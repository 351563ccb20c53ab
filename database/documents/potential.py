"""A potential that was trained here: what it is, what it learnt from, and whether it may be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...potentials.model_header import ModelDomain, ModelVerdict, TeacherRecord
from .base import SuperionDocument
from .potential_parts import ModelFile, ParityData, TrainingRound, ValidationMetrics

CONTENT_FIELD = "content_base64"
"""Field of the model file's bytes, which jobs send to the store of bulk data: `@job(data=CONTENT_FIELD)`."""


class PotentialDoc(SuperionDocument):
    """A trained potential.

    The bytes of the model file are bulk data of the store. So every engine carries them to it, a backup holds them, and
    a copied store can compute with its potentials on a machine that has none of the paths named here.
    """

    listed: ClassVar = {
        "state": "verdict",
        "name": "name",
        "force_error_mev_per_angstrom": "metrics.held_out.force_rmse_mev_per_angstrom",
    }
    indexed: ClassVar = ("name", "weights_sha256")

    doc_type: Literal["potential"] = "potential"
    name: str = Field(min_length=1, description="name by which the potential is asked for")
    weights_sha256: str = Field(description="sha256 of the weights alone, as provenance of what it computes has it")
    file: ModelFile = Field(description="the model file")
    content_base64: str | dict[str, Any] | None = Field(
        default=None,
        description="bytes of the model file in base64; where bulk data was not read, the reference to them",
    )
    architecture: str = Field(description="name of the architecture's preset, or of the model it was fine-tuned from")
    teacher: TeacherRecord = Field(default_factory=TeacherRecord, description="who labelled what it learnt from")
    training_set_sha256: str | None = Field(
        default=None, description="sha256 of the labelled frames that it learnt from"
    )
    n_training_frames: int | None = Field(
        default=None, ge=0, description="number of labelled frames that it learnt from"
    )
    elements: list[str] = Field(description="element symbols that it knows, sorted")
    domain: ModelDomain = Field(default_factory=ModelDomain, description="conditions that the training data cover")
    metrics: ValidationMetrics = Field(default_factory=ValidationMetrics, description="what validation found")
    parity: list[ParityData] = Field(default_factory=list, description="teacher against student, for parity figures")
    rounds: list[TrainingRound] = Field(default_factory=list, description="rounds of the active loop, in order")
    verdict: ModelVerdict = Field(default="unvalidated", description="accepted, rejected or unvalidated")
    reasons: list[str] = Field(default_factory=list, description="why, one sentence each")

    @property
    def teacher_name(self) -> str:
        """The potential that gave the labels, or what the labels from a file are called."""
        provenance = self.teacher.provenance
        return provenance.name if provenance is not None else self.teacher.label or "labels from a file"

    def why_empty(self) -> str | None:
        """Say why the potential may not be used, where it may not.

        Returns
        -------
        str or None
            A clause; None unless it was rejected.
        """
        if self.verdict != "rejected":
            return None
        return f"the potential {self.name} was rejected ({'; '.join(self.reasons) or 'no reason is recorded'})"

    def without_content(self) -> Mapping[str, Any]:
        """Give everything but the bytes of the model file, for readers.

        Returns
        -------
        mapping
            Plain data.
        """
        return self.model_dump(exclude={CONTENT_FIELD})
