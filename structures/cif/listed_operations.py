"""The symmetry operations that a CIF lists."""

from __future__ import annotations

import re

import numpy as np

from ...errors import StructureError
from .block import CifBlock
from .numbers import is_missing
from .operation import Operations, generated, operations_of, products

OPERATION_NAMES = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_symmetry_equiv_position_as_xyz",
    "_space_group_symop_as_xyz",
)


def explicit_operations(block: CifBlock) -> tuple[Operations, list[str]] | None:
    """Read the operations of a block.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.

    Returns
    -------
    tuple of Operations and list of str, or None
        The operations, perhaps no group, and notes; None where none are listed.

    Raises
    ------
    StructureError
        When one cannot be read, or two lists differ.
    """
    magnetic = _magnetic(block)
    if magnetic is not None:
        return magnetic
    lists = [(name, block.columns[name]) for name in OPERATION_NAMES if block.column(name)]
    notes: list[str] = []
    found = [operations_of(tuple(_triplets(values))) for _, values in lists]
    if not found:
        generators = block.column("_space_group_symop_generator_xyz")
        if not generators:
            return None
        group = generated(operations_of(tuple(_triplets(generators))))
        if group is None:
            raise StructureError("its symmetry generators give no group: correct them")
        return group, notes + _rounded(list(generators))
    if len(found) > 1 and not found[0].same_as(found[1]):
        raise StructureError(f"its lists {lists[0][0]} and {lists[1][0]} of symmetry operations differ: remove one")
    operations = found[0]
    triplets = _triplets(lists[0][1])
    notes += _rounded(triplets)
    if len(triplets) > len(operations):
        notes.append("Symmetry operations that are listed twice count once.")
    if not (np.isin(operations_of(("x,y,z",)).keys, operations.keys)).all():
        operations = operations_of(("x,y,z", *triplets))
        notes.append("The identity x,y,z is missing from the symmetry operations: added.")
    return operations, notes


def _triplets(values: list[str]) -> list[str]:
    """Take operations out of a column; text fields may hold one a line."""
    lines = [line.strip() for value in values for line in value.split("\n")]
    return [re.sub(r"^\d+\s+(?=\S*[xyzXYZ])", "", line) for line in lines if not is_missing(line)]


def _rounded(triplets: list[str]) -> list[str]:
    """Say that decimals such as 0.333 are read as the fractions that they round."""
    decimals = {found for triplet in triplets for found in re.findall(r"\d*\.\d+", triplet)}
    rounded = sorted(text for text in decimals if abs(float(text) * 24.0 - round(float(text) * 24.0)) > 1e-9)
    if not rounded:
        return []
    return [f"Translations of symmetry operations are read as the fractions that they round: {', '.join(rounded[:4])}."]


def _magnetic(block: CifBlock) -> tuple[Operations, list[str]] | None:
    def spatial(values: list[str]) -> tuple[str, ...]:
        triplets = []
        for value in values:
            parts = value.split(",")
            if len(parts) != 4 or parts[3].strip() not in ("1", "+1", "-1"):
                raise StructureError(f"'{value}' is no magnetic symmetry operation: write such as -x,y,-z,-1")
            triplets.append(",".join(parts[:3]))
        return tuple(triplets)

    column = block.column("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_xyz")
    if column is None:
        return None
    operations = operations_of(spatial(column))
    centring = block.column("_space_group_symop_magn_centering_xyz", "_space_group_symop_magn_centring_xyz")
    if centring is not None:
        operations = products(operations_of(spatial(centring)), operations)
    return operations, ["Magnetic structure: the atoms of its cell are read, moments and time reversal are left out."]
