"""A candidate: one ordered structure ready to be simulated."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import StructureDict, SuperionDocument


class CandidateDoc(SuperionDocument):
    """One ordered, validated structure with its mobile ion."""

    doc_type: Literal["candidate"] = "candidate"
    structure: StructureDict = Field(description="pymatgen Structure.as_dict()")
    mobile_ion: str = Field(description="element symbol of the mobile ion")
    ion_charge: float = Field(description="formal charge of the mobile ion in elementary charges")
    mobile_ion_guessed: bool = Field(description="whether superion chose the mobile ion")
    origin: str = Field(description="file or database entry it came from")
    was_disordered: bool = Field(description="whether partial occupancies were ordered")
    ordering_notes: list[str] = Field(default_factory=list, description="how the ordering was chosen")
