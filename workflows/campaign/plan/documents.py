"""The plan of a campaign as data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedSource(_Part):
    """What one source gave."""

    kind: str = Field(description="kind of source")
    n_read: int = Field(description="structures that it gave")
    n_rejected: int = Field(description="entries that cannot be used")
    n_duplicates: int = Field(description="structures that an earlier entry had given")


class PlannedRejection(_Part):
    """An entry of a source that cannot be used."""

    label: str = Field(description="name of the material")
    source: str = Field(description="kind of source")
    identifier: str = Field(description="file name, database entry or row")
    reason: str = Field(description="why, one sentence")


class PlannedOrdering(_Part):
    """What ordering would take, from a sample of the disordered candidates."""

    n_disordered: int = Field(description="candidates with partial occupancies")
    n_already_ordered: int = Field(description="of these, ordered by an earlier submission")
    n_sampled: int = Field(description="candidates that were ordered for this plan")
    n_failed: int = Field(description="of these, rejected")
    reasons: tuple[str, ...] = Field(description="why they were")
    seconds_per_candidate: float | None = Field(description="mean time in s; None where none was tried")
    growth: float = Field(description="median number of atoms of the ordered cell over those of the cell given")


class TimedCell(_Part):
    """One timing of a potential."""

    potential: str = Field(default="", description="the potential, with its model")
    formula: str = Field(description="composition of the cell")
    n_atoms: int = Field(description="number of atoms")
    seconds_per_step: float = Field(description="time of one force evaluation in s")


class PlannedStage(_Part):
    """What one stage would do, if no rule cut anybody."""

    stage: str = Field(description="name of the stage")
    n_units: int = Field(description="ordered structures that would come to it if no rule cut any")
    n_reused: int = Field(description="of these, known from the store")
    n_steps: int = Field(description="estimated number of force evaluations of the others")
    core_hours: float | None = Field(description="their cost on one core each; None without a timing of its potential")


class PlannedSharedWork(_Part):
    """What the units of one stage share, of one kind."""

    stage: str = Field(description="name of the stage")
    kind: str = Field(description="what it makes, such as reference phase")
    n_works: int = Field(description="how many of them the structures that were looked at need")
    n_reused: int = Field(description="of these, known from the store")
    n_steps: int = Field(description="estimated number of force evaluations of the others")
    core_hours: float | None = Field(description="their cost on one core each; None without a timing of the potential")


class CampaignPlan(_Part):
    """A campaign before it runs.

    Costs are estimates: all candidates go through all stages and molecular dynamics to its full length, relaxations
    take a typical number of steps, and stages without a potential are not counted.
    """

    name: str = Field(description="name of the campaign")
    sources: tuple[PlannedSource, ...] = Field(description="what each source gave")
    n_candidates: int = Field(description="candidates without duplicates")
    n_known: int = Field(description="of these, submitted before")
    n_usable: int = Field(description="candidates that a submission would take; the others are among the rejected")
    n_without_mobile_ion: int = Field(description="candidates without the mobile ion, which are rejected")
    rejected: tuple[PlannedRejection, ...] = Field(
        description="entries that cannot be used, and candidates that are turned away before any stage"
    )
    ordering: PlannedOrdering = Field(description="ordering of partial occupancies")
    stages: tuple[PlannedStage, ...] = Field(description="work of each stage")
    shared_works: tuple[PlannedSharedWork, ...] = Field(
        default=(), description="what units share: done once, before them; of a large campaign, what a sample needs"
    )
    timings: tuple[TimedCell, ...] = Field(description="timings of the potentials that the cost rests on")
    core_hours: float | None = Field(
        description="cost of all stages and of what they share; None without a timing of each potential"
    )
    workers: int = Field(description="worker processes of a run here")
    wall_hours: float | None = Field(description="cost over the number of workers")
    seconds: dict[str, float] = Field(description="how long the parts of planning took, in s")
    notes: tuple[str, ...] = Field(description="what the reader should know")
