"""The stage that looks at a structure without simulating it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure

from ...database.documents import CandidateDoc, StageDoc
from ...database.element_costs import element_cost
from ...runtime.atoms import as_structure
from ...runtime.maker import Maker
from ...runtime.timed_job import job
from ...structures.descriptors import ion_density_per_angstrom3, mean_atomic_mass_amu
from ...structures.fitness import unfit_reason
from .assembly import assemble, candidate_of, identity_of
from .stage import Stage, StageContext, StageSettings
from .stage_document import StageIdentity, estimate, stage_document


class ValidateSettings(StageSettings):
    """What a structure must be to be screened at all."""

    maximum_atoms: int = Field(default=400, gt=0, description="the most atoms of one ordered cell")
    must_be_neutral: bool = Field(
        default=True, description="reject compositions that no usual oxidation states make neutral"
    )

    def candidate_check_arguments(self) -> dict[str, Any]:
        """Ask for neutrality at submission, too, or for none there either."""
        return {"must_be_neutral": self.must_be_neutral}


class ValidateStage(Stage):
    """Composition, charge balance, mobile ion, distances, size; and the properties that need no simulation."""

    name = "validate"
    description = "check composition, charge, mobile ion, distances and size, without any simulation"
    settings_model = ValidateSettings
    properties = ("mean_atomic_mass_amu", "mobile_ion_density_per_angstrom3", "element_cost_usd_per_kg")
    uses_potential = False

    def make(self, structure: Structure, settings: ValidateSettings, context: StageContext) -> Flow:
        """Build the one job of this stage.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : ValidateSettings
            What it must be.
        context : StageContext
            Ion and names.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.
        """
        identity = identity_of(self, structure, settings, context)
        maker = ValidationStageMaker(maximum_atoms=settings.maximum_atoms, must_be_neutral=settings.must_be_neutral)
        return assemble(identity, [], maker.make(identity, candidate_of(structure, context)), context)


@dataclass
class ValidationStageMaker(Maker):
    """Check composition, charge, mobile ion, distances and size, and read off what needs no simulation.

    Parameters
    ----------
    name : str
        Name of the job.
    maximum_atoms : int
        The most atoms of one cell.
    must_be_neutral : bool
        Whether a composition that no usual oxidation states balance is rejected.
    """

    name: str = "validate"
    maximum_atoms: int = 400
    must_be_neutral: bool = True

    @job(output_schema=StageDoc)
    def make(self, identity: StageIdentity, candidate: CandidateDoc) -> StageDoc:
        """Check one structure.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure.

        Returns
        -------
        StageDoc
            Properties, or why it is unfit.
        """
        structure = as_structure(candidate.structure)
        reason = unfit_reason(
            structure,
            candidate.mobile_ion,
            candidate.ion_charge,
            maximum_atoms=self.maximum_atoms,
            must_be_neutral=self.must_be_neutral,
        )
        if reason is not None:
            return stage_document(identity, candidate, rejected=reason)
        properties = {
            "mean_atomic_mass_amu": estimate(mean_atomic_mass_amu(structure)),
            "mobile_ion_density_per_angstrom3": estimate(ion_density_per_angstrom3(structure, candidate.mobile_ion)),
        }
        cost = element_cost(structure.composition)
        if cost is not None:
            properties["element_cost_usd_per_kg"] = cost
        return stage_document(identity, candidate, properties=properties, details={"n_atoms": len(structure)})
