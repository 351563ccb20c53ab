"""The stage that looks at a structure without simulating it."""

from __future__ import annotations

from typing import Any

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure

from ...makers.stage_validation import ValidationStageMaker
from .assembly import assemble, candidate_of, identity_of
from .stage import Stage, StageContext, StageSettings


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
