"""Which symmetry a CIF states: by operations, by a Hall symbol, by a Hermann–Mauguin symbol, or by a number."""

from __future__ import annotations

from pymatgen.core import Lattice

from ...errors import StructureError
from .block import CifBlock
from .group_number import space_group_number
from .listed_operations import explicit_operations
from .metric import check_fit
from .numbers import parse_number
from .operation import Operations, generated, operations_of
from .stated_symbols import NUMBER_NAMES, SYMBOL_NAMES, Symmetry, stated_names, symmetries_of_symbols


def stated_symmetries(block: CifBlock, lattice: Lattice) -> list[Symmetry]:
    """List what the symmetry of a block can be.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.
    lattice : Lattice
        Its cell.

    Returns
    -------
    list of Symmetry
        One where the block says it clearly; several where it leaves a choice open or contradicts itself.

    Raises
    ------
    StructureError
        When operations cannot be read, form no group, or do not fit the cell, or no symbol is known.
    """
    explicit = explicit_operations(block)
    stated = symmetries_of_symbols(block, lattice)
    if explicit is None:
        if not stated:
            return [
                Symmetry(
                    operations_of(("x,y,z",)),
                    "no symmetry",
                    ("The file states no symmetry: its atoms are taken as all atoms of the cell (P 1).",),
                )
            ]
        return stated
    operations, notes = explicit
    if not operations.is_group():
        operations, notes = _completed(operations, stated, notes)
    check_fit(operations, lattice, "the symmetry operations of the file")
    number = space_group_number(operations)
    if not stated:
        notes += _unknown_symbol(block)
    elif any(symmetry.operations.same_as(operations) for symmetry in stated):
        notes += _other_number(block, number)
        stated = []
    source = Symmetry(operations, "its symmetry operations", tuple(notes))
    if not stated:
        return [source]
    names = stated_names(block)
    if number is not None and any(space_group_number(symmetry.operations) == number for symmetry in stated):
        note = f"The symmetry operations describe another setting or origin than {names}: the operations are used."
        return [Symmetry(operations, source.origin, (*source.notes, note))]
    if len(operations) == 1 or number is None:
        what = "only the identity" if len(operations) == 1 else f"a group of {len(operations)} operations"
    else:
        what = f"those of space group {number}"
    note = f"The symmetry operations of the file are {what}, unlike {names}"
    return [
        Symmetry(operations, source.origin, (*source.notes, f"{note}: the operations are used.")),
        *(
            Symmetry(
                symmetry.operations,
                symmetry.origin,
                (*symmetry.notes, f"{note}: the symbol is used, as only it agrees with what else the file says."),
            )
            for symmetry in stated
        ),
    ]


def _unknown_symbol(block: CifBlock) -> list[str]:
    symbol = block.value(*SYMBOL_NAMES)
    return [] if symbol is None else [f"The symbol '{symbol}' is not known: the symmetry operations are used."]


def _other_number(block: CifBlock, number: int | None) -> list[str]:
    """Say that the number of the space group alone contradicts operations and symbol."""
    text = block.value(*NUMBER_NAMES)
    stated = parse_number(text) if text else None
    if stated is None or number is None or stated.value in (0.0, number):
        return []
    return [f"The number {text} is not that of the symmetry operations, {number}: the operations are used."]


def _completed(operations: Operations, stated: list[Symmetry], notes: list[str]) -> tuple[Operations, list[str]]:
    """Complete operations that form no group, where the symbol says what the group is."""
    group = generated(operations)
    if group is not None:
        for symmetry in stated:
            if symmetry.operations.same_as(group):
                note = (
                    f"Only {len(operations)} of the {len(group)} symmetry operations are listed: completed, as "
                    f"{symmetry.origin} says."
                )
                return group, [*notes, note]
    raise StructureError(
        f"its {len(operations)} symmetry operations do not form a group: one is wrong or some are missing; correct them"
    )
