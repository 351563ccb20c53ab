"""The section `ordering` of a campaign file: how partial occupancies become whole atoms."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ....structures.occupancy import COMPOSITION_TOLERANCE
from .section import Section


class OrderingSettings(Section):
    """How many ordered structures stand for a disordered candidate, and how large they may be.

    But for `keep_lowest` the names are those of the arguments of `superion.structures.orderings.order_candidates`.
    """

    n_orderings: int = Field(
        default=1, ge=1, le=100, description="ordered structures per disordered candidate; their results are averaged"
    )
    maximum_atoms: int = Field(
        default=400, ge=1, description="most atoms of an ordered cell; a larger one is a rejection with this reason"
    )
    composition_tolerance: float = Field(
        default=COMPOSITION_TOLERANCE,
        gt=0,
        lt=1,
        description="largest relative change of an element's amount before the cell is repeated to fit it better",
    )
    cpu_limit_s: float = Field(
        default=60.0,
        gt=0,
        description="processor time in s after which a candidate is too slow, and rejected",
    )
    seed: int = Field(default=0, ge=0, description="seed of the search for orderings; the same seed gives the same")
    keep_lowest: int | None = Field(
        default=None,
        ge=1,
        description="how many orderings of a candidate go on once the potential has ranked them by energy; null: all",
    )

    def search_arguments(self) -> dict[str, Any]:
        """Give what the search for orderings depends on.

        Returns
        -------
        dict
            Arguments of `order_candidates`; which orderings go on later changes none of them.
        """
        return self.model_dump(exclude={"keep_lowest"})
