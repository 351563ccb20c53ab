"""The section `ranking` of a campaign file: by what the candidates that are left are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from ....database.properties import PROPERTIES
from ....database.property_names import ranked_names
from .section import Section
from .yaml_document import nearest


def _ranked_property(name: str) -> str:
    """Refuse what does not exist or has no better end."""
    if name not in PROPERTIES:
        raise ValueError(f"there is no property '{name}', did you mean '{nearest(name, list(PROPERTIES))}'?")
    if PROPERTIES[name].better == "neither":
        raise ValueError(f"neither end of '{name}' is better, so nothing can be ranked by it")
    return name


RankedProperty = Annotated[str, AfterValidator(_ranked_property), Field(json_schema_extra={"enum": [*ranked_names()]})]
"""Name of a property one end of which is better."""


class RankingSettings(Section):
    """How the report ranks; `superion campaign rank` ranks by anything else."""

    by: RankedProperty | None = Field(
        default=None,
        description="property that sorts the table, best first; null takes the first of σ(300 K), the probe's bound on "
        "it, the bond-valence barriers, the energy above hull that a stage finds",
    )
    top_k: int = Field(default=10, ge=1, description="the probability of being among the best so many is reported")
    weights: dict[RankedProperty, float] = Field(
        default_factory=dict,
        description="weights of a score over several properties, each above zero; empty for no score",
    )
    pareto: tuple[RankedProperty, ...] | None = Field(
        default=None,
        description="properties whose Pareto front is reported; null takes σ(300 K), activation energy, energy above "
        "hull, electrochemical window, mean atomic mass and cost of elements, as far as stages find them",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> RankingSettings:
        problems = [*self._useless_weights(), *self._repeated_properties()]
        if problems:
            raise ValidationError.from_exception_data("RankingSettings", problems)
        return self

    def _useless_weights(self) -> Iterator[InitErrorDetails]:
        for name, weight in self.weights.items():
            if weight <= 0.0:
                sentence = f"the weight of '{name}' is {weight:g}: give one above zero, or leave it out"
                yield _details(("weights", name), sentence, weight)

    def _repeated_properties(self) -> Iterator[InitErrorDetails]:
        for position, name in enumerate(self.pareto or ()):
            if name in (self.pareto or ())[:position]:
                yield _details(("pareto", position), f"pareto names '{name}' twice: keep one of them", name)


def _details(place: tuple[str | int, ...], sentence: str, value: Any) -> InitErrorDetails:
    problem = PydanticCustomError("campaign", "{sentence}", {"sentence": sentence})
    return InitErrorDetails(type=problem, loc=place, input=value)
