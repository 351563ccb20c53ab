"""The document that the flow of this package ends with."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from superion.database.documents import StructureDict, SuperionDocument


class VolumeStrainDoc(SuperionDocument):
    """Change in volume of a host between two states of charge."""

    listed: ClassVar = {"volume_strain_percent": "volume_strain_percent"}
    indexed: ClassVar = ("volume_strain_percent",)

    doc_type: Literal["volume_strain"] = "volume_strain"
    structure: StructureDict = Field(description="discharged crystal, pymatgen Structure.as_dict()")
    mobile_ion: str = Field(description="element that leaves on charging")
    discharged_angstrom3: float = Field(description="volume per framework atom with the ions in Å³")
    charged_angstrom3: float = Field(description="volume per framework atom without them in Å³")
    volume_strain_percent: float = Field(description="size of the relative change in percent")
