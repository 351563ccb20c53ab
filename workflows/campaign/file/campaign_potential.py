"""What stands under `potential` in a campaign file: a potential, or one that the campaign trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from ....potentials.specification import PotentialSpecification
from .distillation import DistilledPotential
from .potential import NamedPotential


def _form(value: Any) -> str:
    """Tell the two forms apart by the key that only one has."""
    is_distilled = isinstance(value, DistilledPotential) or (isinstance(value, Mapping) and "distil" in value)
    return "distilled" if is_distilled else "named"


CampaignPotential = Annotated[
    Annotated[NamedPotential, Tag("named")] | Annotated[DistilledPotential, Tag("distilled")], Discriminator(_form)
]
"""NAME, NAME:MODEL, the fields of a specification, or `{distil: TEACHER, …}`."""


def teacher_of(potential: PotentialSpecification | DistilledPotential) -> PotentialSpecification:
    """Give the potential that stages without molecular dynamics compute with.

    Parameters
    ----------
    potential : PotentialSpecification or DistilledPotential
        What a file names.

    Returns
    -------
    PotentialSpecification
        The teacher where students are trained; else the potential itself.
    """
    return potential.distil if isinstance(potential, DistilledPotential) else potential
