"""From what the user gave to one ordered structure with its mobile ion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.core import Structure

from ..database.documents import CandidateDoc
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.timed_job import job
from ..structures.mobile_ion import resolve_mobile_ion
from ..structures.order import order_structure
from ..structures.validate import validate_structure


@dataclass
class PrepareMaker(Maker):
    """Check a structure, order its partial occupancies and find its mobile ion.

    Parameters
    ----------
    name : str
        Name of the job.
    mobile_ion : str or None
        Element, or ion such as Li+ or O2-; None guesses it.
    ion_charge : float or None
        Its charge in elementary charges; None takes the usual one.
    """

    name: str = "prepare"
    mobile_ion: str | None = None
    ion_charge: float | None = None

    @job(output_schema=CandidateDoc)
    def make(self, structure: Structure, label: str = "", origin: str = "", notes: Sequence[str] = ()) -> CandidateDoc:
        """Prepare one structure.

        Parameters
        ----------
        structure : Structure
            As read, perhaps with partial occupancies and oxidation states.
        label : str
            Name of the material; its formula where empty.
        origin : str
            File or database entry it came from.
        notes : sequence of str
            Remarks made while reading.

        Returns
        -------
        CandidateDoc
            The ordered structure.

        Raises
        ------
        StructureError
            If the structure cannot be simulated, or holds no such ion.
        """
        remarks = [*notes, *validate_structure(structure)]
        ion = resolve_mobile_ion(structure, self.mobile_ion, self.ion_charge)
        if ion.note:
            remarks.append(ion.note)
        ordering = order_structure(structure)
        ordered = ordering.structure.copy()
        ordered.remove_oxidation_states()
        formula = ordered.composition.reduced_formula
        return CandidateDoc(
            formula=formula,
            label=label or formula,
            provenance=job_provenance(ordered),
            notes=remarks,
            structure=ordered.as_dict(),
            mobile_ion=ion.symbol,
            ion_charge=ion.charge,
            mobile_ion_guessed=ion.guessed,
            origin=origin,
            was_disordered=ordering.was_disordered,
            ordering_notes=list(ordering.notes),
        )
