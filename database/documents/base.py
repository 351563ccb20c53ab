"""The base of all documents: schema version, kind and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ...potentials.specification import PotentialProvenance


def _as_plain_dict(value: Any) -> Any:
    """Turn a decoded pymatgen object back into the plain dictionary that documents keep."""
    return value.as_dict() if hasattr(value, "as_dict") else value


StructureDict = Annotated[dict[str, Any], BeforeValidator(_as_plain_dict)]
"""A pymatgen Structure as its plain dictionary: jobflow decodes such dictionaries when it resolves a reference."""


def _as_utc(value: datetime) -> datetime:
    """Read a time without zone as UTC, and cut it to milliseconds: MongoDB drops the zone and the rest."""
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


UtcDatetime = Annotated[datetime, AfterValidator(_as_utc)]
"""A time in UTC that a store gives back as it was."""


class Provenance(BaseModel):
    """Where a number came from."""

    model_config = ConfigDict(extra="forbid")

    superion_version: str = Field(description="version of superion")
    packages: dict[str, str] = Field(default_factory=dict, description="versions of the key packages")
    potential: PotentialProvenance | None = Field(default=None, description="potential behind the numbers")
    seeds: list[int] = Field(default_factory=list, description="seeds of all random streams used")
    structure_fingerprint: str | None = Field(default=None, description="sha256 of the exact structure with atom order")
    campaign_id: str | None = Field(default=None, description="campaign that asked for it")
    job_uuid: str | None = Field(default=None, description="uuid of the job that made the document")
    host: str | None = Field(default=None, description="host that computed it")
    queue_job_id: str | None = Field(
        default=None,
        description="number of the allocation that it ran in, as Slurm or PBS count; reused by some queues",
    )
    engine: str | None = Field(
        default=None, description="engine that dispatched the job: fireworks, jobflow_remote, …; None for none"
    )
    engine_id: str | None = Field(default=None, description="the engine's number of the job")
    wall_time_s: float | None = Field(
        default=None,
        ge=0,
        description="wall time of the job in s, from its start in its process until this document was made; loading "
        "Python, waiting in the queue and what follows the document are no part of it",
    )
    cpu_time_s: float | None = Field(
        default=None,
        ge=0,
        description="time of all processor cores together that the job had used in s when this document was made",
    )
    gpu_time_s: float | None = Field(
        default=None,
        ge=0,
        description="wall time in s for which the job had held a GPU, times the number of GPUs, when this document was "
        "made; other jobs may have shared the GPU",
    )
    created_at: UtcDatetime = Field(
        default_factory=lambda: datetime.now(UTC), validate_default=True, description="time of creation, UTC"
    )


class SuperionDocument(BaseModel):
    """Base of every superion document.

    Subclasses set `doc_type`, which queries and readers go by, and are registered under it as an entry point of the
    group `superion.documents`.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    listed: ClassVar[Mapping[str, str]] = {"state": "state"}
    """What lists show of a document without loading it: name of a column -> dotted path in the document."""
    indexed: ClassVar[tuple[str, ...]] = ()
    """Dotted paths of fields by which stores look this kind up, beside those of all kinds."""

    doc_type: str = Field(description="kind of document")
    schema_version: int = Field(default=1, description="version of this document's layout")
    formula: str = Field(description="reduced formula of the material")
    label: str = Field(description="name of the material as the user gave it")
    provenance: Provenance
    notes: list[str] = Field(default_factory=list, description="sentences for the reader")
    extra: dict[str, Any] = Field(default_factory=dict, description="measured values and tags carried along")

    def why_empty(self) -> str | None:
        """Say why the document holds no result, where a computation that went through its end gave none.

        Returns
        -------
        str or None
            A clause without a final stop; None where it holds one.
        """
        return None

    def crystal(self) -> Mapping[str, Any] | None:
        """Give the crystal that a flow may start from.

        Returns
        -------
        mapping or None
            pymatgen's `Structure.as_dict()`; None where the kind holds no crystal.
        """
        structure: Mapping[str, Any] | None = getattr(self, "structure", None)
        return structure
