"""The one job of the flow."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Structure
from superion.runtime.maker import Maker
from superion.runtime.provenance import job_provenance
from superion.runtime.timed_job import job

from .document import VolumeStrainDoc


@dataclass
class VolumeStrainMaker(Maker):
    """Compare the volumes of two crystals with one framework.

    Parameters
    ----------
    name : str
        Name of the job.
    mobile_ion : str
        Element that is no part of the framework.
    """

    name: str = "volume strain"
    mobile_ion: str = "Li"

    @job(output_schema=VolumeStrainDoc)
    def make(self, discharged: Structure, charged: Structure, label: str = "") -> VolumeStrainDoc:
        """Compare the volumes per framework atom."""
        before, after = (self._volume(one) for one in (discharged, charged))
        formula = discharged.composition.reduced_formula
        return VolumeStrainDoc(
            formula=formula,
            label=label or formula,
            provenance=job_provenance(discharged),
            structure=discharged.as_dict(),
            mobile_ion=self.mobile_ion,
            discharged_angstrom3=before,
            charged_angstrom3=after,
            volume_strain_percent=100.0 * abs(after / before - 1.0),
        )

    def _volume(self, structure: Structure) -> float:
        framework = [site for site in structure if site.specie.symbol != self.mobile_ion]
        return structure.volume / len(framework)
