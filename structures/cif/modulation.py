"""Modulated structures, whose atoms no cell of three dimensions holds."""

from __future__ import annotations

from ...errors import StructureError
from .block import CifBlock
from .numbers import parse_number

_OPERATIONS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_magn_operation_xyz",
)


def check_modulation(block: CifBlock) -> list[str]:
    """Refuse a modulated structure whose average is not given.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.

    Returns
    -------
    list of str
        That the average structure is read, where operations of three dimensions are given.

    Raises
    ------
    StructureError
        For superspace groups without operations of the average structure, and for composites.
    """
    subsystems = parse_number(block.value("_cell_subsystems_number") or "1")
    if subsystems is not None and subsystems.value > 1:
        raise StructureError("it is a composite of several incommensurate lattices: give a commensurate approximant")
    dimension = parse_number(block.value("_cell_modulation_dimension") or "0")
    superspace = any(
        name.startswith(
            ("_space_group_ssg_", "_space_group_symop_ssg_", "_space_group_magn_ssg_", "_cell_wave_vector_")
        )
        and block.column(name)
        for name in block.columns
    )
    if not superspace and (dimension is None or dimension.value < 1):
        return []
    if block.column(*_OPERATIONS) is None:
        raise StructureError(
            "it is a modulated structure, given in superspace: give its average structure with operations in x, y, z, "
            "or a commensurate approximant"
        )
    return ["Modulated structure: its average is read, the modulation is left out."]
