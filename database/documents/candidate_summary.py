"""One row of a campaign: all that is known of one candidate, in a collection of its own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..properties import PropertyEstimate
from .base import StructureDict, UtcDatetime

CandidateStatus = Literal["waiting", "running", "held", "rejected", "failed", "done"]
"""held: a rule that compares candidates waits for the others; done: through all stages."""


class CandidateOrigin(BaseModel):
    """Where a candidate came from."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(description="kind of source: files, table, materials_project, optimade, substitution, …")
    identifier: str = Field(description="file name, database entry or parent and substitution")
    measured: dict[str, Any] = Field(default_factory=dict, description="values carried along from a table")


class StageSummary(BaseModel):
    """How one stage ended for a candidate."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["waiting", "running", "passed", "held", "rejected", "failed"] = Field(description="state")
    reason: str | None = Field(default=None, description="why it was rejected, held or failed; one sentence")
    stage_keys: list[str] = Field(default_factory=list, description="keys of the stage documents, one per ordering")
    notes: list[str] = Field(default_factory=list, description="what the verdict leaves open, one sentence each")


class OrderingSummary(BaseModel):
    """One ordered structure of a candidate."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: str = Field(description="sha256 of the exact structure")
    structure: StructureDict | None = Field(
        default=None,
        description="pymatgen Structure.as_dict() of the ordered structure; None in a row read without structures",
    )
    ewald_energy_ev: float | None = Field(default=None, description="electrostatic energy in eV")
    composition_deviation: float = Field(default=0.0, description="largest relative change of an element's amount")
    kept: bool = Field(default=True, description="whether later stages use it")
    energy_ev_per_atom: float | None = Field(
        default=None, description="energy by the potential in eV per atom, where a stage found it"
    )
    energy_rank: int | None = Field(
        default=None, description="rank among the candidate's orderings by this energy, 1 for the lowest"
    )
    left_out: str | None = Field(default=None, description="why later stages do not use it")


class CandidateSummary(BaseModel):
    """The row of one candidate in one campaign."""

    model_config = ConfigDict(extra="forbid")

    schema_version: int = Field(default=1, description="version of this layout")
    key: str = Field(description="campaign_id and candidate_id, joined by a slash")
    campaign_id: str = Field(description="campaign")
    candidate_id: str = Field(description="first letters of the fingerprint of the structure as given")
    label: str = Field(description="name of the material")
    formula: str = Field(description="reduced formula")
    elements: list[str] = Field(description="element symbols, sorted")
    n_elements: int = Field(description="number of elements")
    mobile_ion: str | None = Field(default=None, description="element symbol of the mobile ion")
    origins: list[CandidateOrigin] = Field(description="all sources that named it")
    measured: dict[str, PropertyEstimate] = Field(default_factory=dict, description="measured properties, by name")
    was_disordered: bool = Field(default=False, description="whether partial occupancies were ordered")
    status: CandidateStatus = Field(description="where it stands")
    stage: str | None = Field(default=None, description="stage that it is in, or that ended it")
    reason: str | None = Field(default=None, description="why it was rejected or failed, one sentence")
    properties: dict[str, PropertyEstimate] = Field(default_factory=dict, description="by name, of all stages")
    stages: dict[str, StageSummary] = Field(default_factory=dict, description="by name of the stage")
    orderings: list[OrderingSummary] = Field(default_factory=list, description="its ordered structures")
    notes: list[str] = Field(default_factory=list, description="labels and warnings for the reader")
    updated_at: UtcDatetime = Field(description="last change, UTC")
