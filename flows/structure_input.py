"""What a flow may be given as its structure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from ase import Atoms
from jobflow import OutputReference
from pymatgen.core import Structure

from ..errors import StructureError
from ..structures.completeness import check_hydrogen
from ..structures.read import read_structure_with_notes
from ..structures.validate import validate_structure


@dataclass(frozen=True)
class ReadStructure:
    """A structure with where it came from.

    Parameters
    ----------
    structure : Structure or OutputReference
        The crystal; a reference where another job will make it.
    label : str
        Name for the material; empty where its formula must do.
    origin : str
        File, example or object that it came from.
    notes : tuple of str
        Remarks made while reading.
    """

    structure: Structure | OutputReference
    label: str = ""
    origin: str = ""
    notes: tuple[str, ...] = field(default=())


StructureInput: TypeAlias = Structure | Atoms | str | Path | OutputReference | ReadStructure
"""A pymatgen Structure, ASE atoms, the path of a file or name of a shipped example, another job's output, or a crystal
with its origin."""


def read_input(structure: StructureInput) -> ReadStructure:
    """Take a structure in any of the forms that a flow accepts, and check it.

    Parameters
    ----------
    structure : Structure, Atoms, str, Path, OutputReference or ReadStructure
        The crystal.

    Returns
    -------
    ReadStructure
        The crystal as pymatgen has it, with its origin.

    Raises
    ------
    StructureError
        If it cannot be read or simulated, or is of another type.

    Examples
    --------
    >>> read_input("Li6PS5Cl").label
    'Li6PS5Cl'
    """
    if isinstance(structure, OutputReference):
        return ReadStructure(structure, origin="another job")
    if isinstance(structure, ReadStructure):
        return replace(read_input(structure.structure), label=structure.label, origin=structure.origin)
    if isinstance(structure, str | Path):
        reading = read_structure_with_notes(structure)
        return ReadStructure(reading.structure, Path(structure).stem, reading.source, reading.notes)
    if isinstance(structure, Atoms):
        from pymatgen.io.ase import AseAtomsAdaptor

        if structure.cell.rank < 3:
            raise StructureError("The ASE atoms have no periodic cell: set their cell in all three directions.")
        structure = AseAtomsAdaptor.get_structure(structure)
    if not isinstance(structure, Structure):
        raise StructureError(
            f"A {type(structure).__name__} is no structure: give a pymatgen Structure, ASE atoms or the path of a file."
        )
    validate_structure(structure)
    check_hydrogen(structure)
    return ReadStructure(structure, origin="an object in memory")
