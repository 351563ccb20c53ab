"""From one cell to a supercell that is wide enough."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Structure

from ..database.documents import CandidateDoc
from ..runtime.atoms import as_structure
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.timed_job import job
from ..structures.supercell import cartesian_axes_note, expand_to_minimum_edge, minimum_edge_angstrom


@dataclass
class SupercellMaker(Maker):
    """Repeat a cell until opposite faces are far enough apart.

    Parameters
    ----------
    name : str
        Name of the job.
    minimum_edge_angstrom : float
        Least distance between opposite faces in Å; 0 leaves the cell as it is.
    maximum_atoms : int
        The most atoms allowed; a cell that needs more is refused.
    """

    name: str = "supercell"
    minimum_edge_angstrom: float = 12.0
    maximum_atoms: int = 1000

    @job(output_schema=CandidateDoc)
    def make(self, candidate: CandidateDoc, structure: Structure | None = None) -> CandidateDoc:
        """Expand one structure.

        Parameters
        ----------
        candidate : CandidateDoc
            The material.
        structure : Structure or None
            Its relaxed structure; None for the candidate's own.

        Returns
        -------
        CandidateDoc
            The material with its supercell.
        """
        cell = as_structure(candidate.structure if structure is None else structure)
        expanded = expand_to_minimum_edge(cell, self.minimum_edge_angstrom, self.maximum_atoms)
        edge = minimum_edge_angstrom(expanded)
        note = f"simulated cell: {len(expanded)} atoms, opposite faces at least {edge:.1f} Å apart"
        axes = f"{cartesian_axes_note(cell)}, the lattice vectors of the cell before it was repeated"
        return candidate.model_copy(
            update={
                "structure": expanded.as_dict(),
                "notes": [*candidate.notes, axes, note],
                "provenance": job_provenance(expanded, candidate.provenance.potential),
            }
        )
