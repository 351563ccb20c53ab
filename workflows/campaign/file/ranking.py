"""The section `ranking` of a campaign file: by what the candidates that are left are compared."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

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


USUAL_ORDER = (
    "sigma_300k_ms_cm",
    "greatest_sigma_300k_ms_cm",
    "percolation_barrier_3d_ev",
    "percolation_barrier_2d_ev",
    "percolation_barrier_1d_ev",
    "energy_above_hull_ev_per_atom",
    "mean_atomic_mass_amu",
)
"""Properties that sort a table unless the file says otherwise, the first that is there."""

USUAL_PARETO = (
    "sigma_300k_ms_cm",
    "activation_energy_ev",
    "energy_above_hull_ev_per_atom",
    "electrochemical_window_v",
    "mean_atomic_mass_amu",
    "element_cost_usd_per_kg",
)
"""Properties of the Pareto front unless the file says otherwise, as far as they are there."""

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
        for name, weight in self.weights.items():
            if weight <= 0.0:
                raise ValueError(f"the weight of '{name}' is {weight:g}: give one above zero, or leave it out")
        if self.pareto is not None and len(set(self.pareto)) < len(self.pareto):
            raise ValueError("pareto names a property twice: keep one of them")
        return self
