"""The stage that relaxes cell and positions."""

from __future__ import annotations

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure

from ...makers.relax import RelaxMaker
from ...makers.stage_relaxation import RelaxationStageMaker
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of
from .stage import Stage, StageContext, StageSettings

_USUAL_STEPS = 120
"""Optimiser steps that a crystal from a database usually takes; for plans only."""


class RelaxSettings(StageSettings):
    """How a structure is relaxed, and what counts as lost."""

    force_tolerance_ev_per_angstrom: float = Field(
        default=0.03, gt=0, description="largest force allowed at the end in eV/Å"
    )
    maximum_steps: int = Field(default=500, gt=0, description="most steps of the optimiser")
    relax_cell: bool = Field(default=True, description="whether the cell relaxes too")
    greatest_shrinkage_percent: float = Field(
        default=20.0, gt=0, description="loss of volume in percent beyond which a structure has collapsed"
    )
    greatest_expansion_percent: float = Field(
        default=30.0, gt=0, description="gain of volume in percent beyond which a structure has come apart"
    )
    greatest_displacement: float = Field(
        default=0.2,
        gt=0,
        description="root mean square displacement of the framework's centres, as a fraction of their spacing, beyond "
        "which the framework is lost",
    )


class RelaxStage(Stage):
    """Relaxation with the campaign's potential; what collapses or loses its framework is rejected."""

    name = "relax"
    description = "relax cell and positions; reject what collapses or loses its framework"
    settings_model = RelaxSettings
    properties = ("energy_ev_per_atom", "volume_change_percent")

    def make(self, structure: Structure, settings: RelaxSettings, context: StageContext) -> Flow:
        """Build the flow for one ordered structure.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : RelaxSettings
            How it is relaxed.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        Flow
            Its output is a `StageDoc` with the relaxed structure.
        """
        identity = identity_of(self, structure, settings, context)
        candidate = candidate_of(structure, context)
        relaxation = RelaxMaker(
            potential=context.potential,
            force_tolerance_ev_per_angstrom=settings.force_tolerance_ev_per_angstrom,
            maximum_steps=settings.maximum_steps,
            relax_cell=settings.relax_cell,
            checkpoint_root=checkpoint_root_of(context),
        ).make(candidate)
        judge = RelaxationStageMaker(
            potential=context.potential,
            greatest_shrinkage_percent=settings.greatest_shrinkage_percent,
            greatest_expansion_percent=settings.greatest_expansion_percent,
            greatest_displacement=settings.greatest_displacement,
        ).make(identity, candidate, relaxation.output)
        return assemble(identity, [relaxation], judge, context)

    def estimated_steps(
        self, structure: Structure, settings: RelaxSettings, context: StageContext
    ) -> list[tuple[int, int]]:
        """Guess the optimiser's steps.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : RelaxSettings
            How it is relaxed.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        list of tuple of int
            One relaxation.
        """
        return [(min(settings.maximum_steps, _USUAL_STEPS), len(structure))]
