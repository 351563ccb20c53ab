"""The last job of the stage that relaxes a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import JobConfig, OnMissing

from ..database.documents import CandidateDoc, RelaxDoc, StageDoc
from ..errors import AnalysisError
from ..potentials.specification import PotentialSpecification
from ..runtime.atoms import as_structure
from ..runtime.maker import Maker
from ..runtime.timed_job import job
from ..structures.integrity import lost_integrity
from .stage_document import StageIdentity, estimate, stage_document, unknown_elements


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
