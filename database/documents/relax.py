"""A relaxation: cell and positions at the potential's minimum."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import StructureDict, SuperionDocument


class RelaxDoc(SuperionDocument):
    """A relaxed structure and how far it moved."""

    doc_type: Literal["relax"] = "relax"
    structure: StructureDict = Field(description="relaxed pymatgen Structure.as_dict()")
    energy_ev: float = Field(description="potential energy of the relaxed cell in eV")
    energy_ev_per_atom: float = Field(description="potential energy per atom in eV")
    max_force_ev_per_angstrom: float = Field(description="largest force left in eV/Å")
    converged: bool = Field(description="whether the force criterion was met")
    n_steps: int = Field(description="optimiser steps taken")
    volume_change_percent: float = Field(description="relative change of the volume in percent")
