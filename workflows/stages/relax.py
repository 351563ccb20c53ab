"""The stage that relaxes cell and positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Flow, JobConfig, OnMissing
from pydantic import Field
from pymatgen.core import Structure

from ...database.documents import CandidateDoc, RelaxDoc, StageDoc
from ...errors import AnalysisError
from ...makers.relax import RelaxMaker
from ...potentials.specification import PotentialSpecification
from ...runtime.atoms import as_structure
from ...runtime.maker import Maker
from ...runtime.timed_job import job
from ...structures.integrity import lost_integrity
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of
from .stage import Stage, StageContext, StageSettings
from .stage_document import StageIdentity, estimate, stage_document, unknown_elements

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


@dataclass
class RelaxationStageMaker(Maker):
    """Judge a relaxation: reject what collapsed or lost its framework, hand on the relaxed structure.

    Parameters
    ----------
    name : str
        Name of the job.
    potential : PotentialSpecification or None
        The potential of the relaxation; None for the default one.
    greatest_shrinkage_percent : float
        Largest loss of volume allowed.
    greatest_expansion_percent : float
        Largest gain of volume allowed.
    greatest_displacement : float
        Largest displacement of the framework's centres, as a fraction of their spacing.
    """

    name: str = "judge relaxation"
    potential: PotentialSpecification | None = None
    greatest_shrinkage_percent: float = 20.0
    greatest_expansion_percent: float = 30.0
    greatest_displacement: float = 0.2

    @job(output_schema=StageDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(self, identity: StageIdentity, candidate: CandidateDoc, relaxation: RelaxDoc | None) -> StageDoc:
        """Judge one relaxation.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure before.
        relaxation : RelaxDoc or None
            Its relaxation; None where that failed.

        Returns
        -------
        StageDoc
            Energy and volume change, or why the structure is unfit.

        Raises
        ------
        AnalysisError
            If the relaxation failed for a reason that is not the structure's.
        """
        before = as_structure(candidate.structure)
        if relaxation is None:
            reason = unknown_elements(before, self.potential or PotentialSpecification())
            if reason is None:
                raise AnalysisError("There is no relaxation to judge, because its job failed.")
            return stage_document(identity, candidate, rejected=reason)
        after = as_structure(relaxation.structure)
        shared: dict[str, Any] = {
            "source_uuids": [relaxation.provenance.job_uuid],
            "potential": relaxation.provenance.potential,
            "notes": relaxation.notes,
            "details": {
                "n_atoms": len(after),
                "n_steps": relaxation.n_steps,
                "converged": relaxation.converged,
                "max_force_ev_per_angstrom": relaxation.max_force_ev_per_angstrom,
                "volume_change_percent": relaxation.volume_change_percent,
            },
        }
        reason = lost_integrity(
            before,
            after,
            candidate.mobile_ion,
            greatest_shrinkage_percent=self.greatest_shrinkage_percent,
            greatest_expansion_percent=self.greatest_expansion_percent,
            greatest_displacement=self.greatest_displacement,
        )
        if reason is not None:
            return stage_document(identity, candidate, rejected=reason, **shared)
        note = None if relaxation.converged else relaxation.notes[0]
        properties = {
            "energy_ev_per_atom": estimate(relaxation.energy_ev_per_atom, note=note),
            "volume_change_percent": estimate(relaxation.volume_change_percent, note=note),
        }
        return stage_document(identity, candidate, properties=properties, structure=after, **shared)
