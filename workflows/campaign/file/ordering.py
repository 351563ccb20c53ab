"""The section `ordering` of a campaign file: how partial occupancies become whole atoms."""

from __future__ import annotations

from pydantic import Field

from .section import Section


class OrderingSettings(Section):
    """How many ordered structures stand for a disordered candidate, and how large they may be."""

    n_orderings: int = Field(
        default=1, ge=1, le=100, description="ordered structures per disordered candidate; their results are averaged"
    )
    maximum_atoms: int = Field(
        default=400, ge=1, description="most atoms of an ordered cell; a larger one is a rejection with this reason"
    )
    seed: int = Field(default=0, ge=0, description="seed of the search for orderings; the same seed gives the same")
