"""A stage of campaigns that finds this package's property, by jobs of a kind of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure
from superion.database.documents import CandidateDoc, StageDoc
from superion.runtime.atoms import as_structure
from superion.runtime.maker import Maker
from superion.runtime.timed_job import job
from superion.workflows.stages.assembly import assemble, candidate_of, identity_of
from superion.workflows.stages.stage import Stage, StageContext, StageSettings
from superion.workflows.stages.stage_document import StageIdentity, estimate, stage_document


class VolumeStrainSettings(StageSettings):
    """What the volume is compared with."""

    charged_angstrom3: float = Field(gt=0, description="volume per framework atom without the mobile ions in Å³")


class VolumeStrainStage(Stage):
    """Compares the volume of a candidate with that of the charged host."""

    name = "volume_strain"
    description = "change in volume on charging"
    settings_model = VolumeStrainSettings
    properties = ("volume_strain_percent",)
    uses_potential = False

    def make(self, structure: Structure, settings: Any, context: StageContext) -> Flow:
        """Build the one job of this stage."""
        identity = identity_of(self, structure, settings, context)
        last = VolumeStrainStageMaker(charged_angstrom3=settings.charged_angstrom3).make(
            identity, candidate_of(structure, context)
        )
        return assemble(identity, [], last, context)


@dataclass
class VolumeStrainStageMaker(Maker):
    """Find the strain of one candidate.

    Parameters
    ----------
    name : str
        Name of the job.
    charged_angstrom3 : float
        Volume per framework atom without the mobile ions in Å³.
    """

    resource_kind: ClassVar[str] = "geometry"

    name: str = "volume strain"
    charged_angstrom3: float = 1.0

    @job(output_schema=StageDoc)
    def make(self, identity: StageIdentity, candidate: CandidateDoc) -> StageDoc:
        """Compare the volumes per framework atom."""
        structure = as_structure(candidate.structure)
        framework = [site for site in structure if site.specie.symbol != candidate.mobile_ion]
        strain = 100.0 * abs(self.charged_angstrom3 * len(framework) / structure.volume - 1.0)
        return stage_document(identity, candidate, properties={"volume_strain_percent": estimate(strain)})
