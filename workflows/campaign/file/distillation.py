"""A potential that a campaign trains for its molecular dynamics, as campaign files ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from ....errors import SettingsError, as_clause
from ....potentials.identity import potential_identity
from ....potentials.training.architecture import load_architecture
from .potential import NamedPotential
from .section import Section


class DistilledPotential(Section):
    """A student potential, trained from a teacher for the campaign's candidates.

    Stages that run molecular dynamics compute with the student, all others with the teacher.

    Examples
    --------
    >>> asked = DistilledPotential.model_validate({"distil": "chgnet"})
    >>> asked.per, asked.written
    ('family', 'chgnet, for molecular dynamics tiny students of it, one per family')
    """

    distil: NamedPotential = Field(
        description="teacher: the potential that labels what students learn from, and that relaxes and checks"
    )
    size: str = Field(default="tiny", description="architecture of the students: tiny, small, medium, or a YAML file")
    per: Literal["candidate", "family", "campaign"] = Field(
        default="family",
        description="what one student is for: a candidate, a family (all candidates made of the same elements, such as "
        "Li-P-S-Cl), or the whole campaign",
    )
    temperatures_k: tuple[float, ...] | None = Field(
        default=None,
        description="temperatures in K that students are trained for; null takes those of the stages that use them",
    )
    maximum_structures: int = Field(
        default=4, gt=0, description="maximum number of crystals of a family or campaign that one student learns from"
    )
    spot_check_ps: float | None = Field(
        default=10.0,
        gt=0,
        description="time in ps after which the teacher labels a frame of each production run again; null: never",
    )
    device: str = Field(default="auto", description="where students compute: auto, cpu, cuda, cuda:1")
    force: bool = Field(default=False, description="whether a student is used though its validation rejected it")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="further settings of the training, as `superion flow show distil-potential` lists them",
    )

    @field_validator("size")
    @classmethod
    def _is_an_architecture(cls, value: str) -> str:
        try:
            load_architecture(value)
        except SettingsError as error:
            raise PydanticCustomError("campaign", "{sentence}", {"sentence": as_clause(str(error))}) from None
        return value

    @field_validator("temperatures_k")
    @classmethod
    def _are_temperatures(cls, values: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if values is not None and (not values or any(not 0.0 < value < float("inf") for value in values)):
            raise ValueError("temperatures in K must be positive, and there must be at least one")
        return values

    @property
    def written(self) -> str:
        """The teacher, and the students, in a few words."""
        return f"{self.distil.written}, for molecular dynamics {self.size} students of it, one per {self.per}"

    def identity(self, temperatures_k: Sequence[float]) -> dict[str, Any]:
        """Say what makes the students what they are, as plain data for a key.

        Parameters
        ----------
        temperatures_k : sequence of float
            Temperatures in K that they are trained for.

        Returns
        -------
        dict
            Teacher by its bytes, architecture, temperatures and settings; nothing of where it runs.
        """
        plain = self.model_dump(mode="json", exclude={"distil", "device", "temperatures_k", "spot_check_ps", "force"})
        return {**plain, "teacher": potential_identity(self.distil), "temperatures_k": sorted(temperatures_k)}
