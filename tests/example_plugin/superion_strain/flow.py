"""A flow with two inputs and a document of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from jobflow import Flow
from superion.flows.declaration import FlowInput, FlowOption
from superion.flows.structure_input import StructureInput, read_input
from superion.runtime.maker import Maker

from .maker import VolumeStrainMaker


@dataclass
class VolumeStrainFlow(Maker):
    """Find how much a host swells on charging.

    Parameters
    ----------
    name : str
        Name of the flow.
    compare : VolumeStrainMaker
        The comparison.
    """

    inputs: ClassVar = (
        FlowInput("discharged", "crystal with the mobile ions"),
        FlowInput("charged", "crystal of the same framework without them"),
    )
    options: ClassVar = (
        FlowOption("mobile-ion", "compare.mobile_ion", "element that leaves on charging"),
        FlowOption("ion", "compare.mobile_ion", "the same, as an option that only this flow has"),
    )
    document: ClassVar = "volume_strain"

    name: str = "volume_strain"
    compare: VolumeStrainMaker = field(default_factory=VolumeStrainMaker)

    def make(self, discharged: StructureInput, charged: StructureInput, label: str | None = None) -> Flow:
        """Build the flow for one host."""
        with_ions, without = read_input(discharged), read_input(charged)
        compare = self.compare.make(with_ions.structure, without.structure, label or with_ions.label)
        return Flow([compare], output=compare.output, name=self.name)
