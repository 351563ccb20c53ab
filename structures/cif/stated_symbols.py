"""The symmetries that a CIF's symbols and number of its space group can mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gemmi
from pymatgen.core import Lattice

from ...errors import StructureError
from .block import CifBlock
from .group_number import space_group_number
from .listed_operations import OPERATION_NAMES
from .metric import metric_miss
from .numbers import parse_number
from .operation import Operations, operations_of
from .spacegroup_names import extension, has_other_basis, narrowed, settings_of_name, settings_of_number, split_name

SYMBOL_NAMES = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m",
    "_space_group_name_h-m_ref",
    "_space_group_name_h-m_full",
    "_symmetry_space_group_name_h-m_full",
)

NUMBER_NAMES = ("_space_group_it_number", "_symmetry_int_tables_number", "_symmetry_it_number")


@dataclass(frozen=True)
class Symmetry:
    """Operations with where they come from.

    Attributes
    ----------
    operations : Operations
        A group that fits the cell.
    origin : str
        Words that name the source, such as "the symbol 'F d -3 m', origin choice 2".
    notes : tuple of str
        What was noticed, should this symmetry be taken.
    """

    operations: Operations
    origin: str
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=512)
def operations_of_setting(extended_symbol: str) -> Operations:
    """List the operations of a tabulated setting.

    Parameters
    ----------
    extended_symbol : str
        As gemmi writes it, such as ``F d -3 m:2``.

    Returns
    -------
    Operations
        All of them.
    """
    group = gemmi.find_spacegroup_by_name(extended_symbol)
    return operations_of(tuple(op.triplet() for op in group.operations()))


def symmetries_of_symbols(block: CifBlock, lattice: Lattice) -> list[Symmetry]:
    """Find the symmetries that the symbols of a block can mean and that fit its cell.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.
    lattice : Lattice
        Its cell.

    Returns
    -------
    list of Symmetry
        Several where a choice is left open; none where the block names no space group.

    Raises
    ------
    StructureError
        When a name is not known and no operations are listed, or does not fit the cell.
    """
    number_text = block.value(*NUMBER_NAMES)
    number = parse_number(number_text) if number_text else None
    code = (block.value("_space_group_it_coordinate_system_code") or "").strip().lower()
    hall = _by_hall(block)
    symbol, settings = _by_hermann_mauguin(block, code)
    source = f"the symbol '{symbol}'"
    if hall is None and has_other_basis(symbol):
        if block.column(*OPERATION_NAMES) is not None:
            return []
        raise StructureError(
            f"its space group '{symbol}' is in another setting than its symbol: give the symmetry operations"
        )
    named = settings
    if not settings and number is not None and number.value == int(number.value):
        settings = narrowed(settings_of_number(int(number.value)), {"h": "H", "r": "R"}.get(code, code))
        source = f"the number {int(number.value)} of its space group"
        named = settings
    elif settings and number is not None and 0 < number.value <= 230:
        agreeing = tuple(group for group in settings if group.number == int(number.value))
        if agreeing:
            settings = agreeing
        elif hall is None:
            other = settings_of_number(int(number.value))
            settings = (*settings, *other)
    fitting = [group for group in settings if metric_miss(operations_of_setting(group.xhm()), lattice) is not None]
    if hall is not None:
        if metric_miss(hall.operations, lattice) is not None:
            if settings and space_group_number(hall.operations) not in {group.number for group in settings}:
                note = f"The Hall symbol and {source} are of different space groups: only one fits the atoms."
                return [
                    Symmetry(hall.operations, hall.origin, (note,)),
                    *(_tabulated(group, source, (note,)) for group in fitting),
                ]
            return [hall]
        if not fitting:
            raise StructureError(f"{hall.origin} does not fit the cell lengths and angles: correct one of them")
    if settings and not fitting:
        raise StructureError(f"{source} does not fit the cell lengths and angles: correct one of them")
    if not settings:
        stated = block.value(*SYMBOL_NAMES)
        if stated is not None and block.column(*OPERATION_NAMES, "_space_group_symop_magn_operation_xyz") is None:
            raise StructureError(
                f"its space group '{stated}' is not known: give the symmetry operations, a Hall symbol, or a symbol of "
                "the International Tables"
            )
        return []
    if len({group.number for group in fitting}) == 1 and fitting[0].number <= 15:
        # b unique is the convention where right angles leave it open
        by_axis = [group for group in fitting if _unique_axis(group) == "b"] or fitting
        fitting = by_axis[:1] if len(fitting) > 1 else fitting
    notes = []
    if len({group.number for group in fitting}) > 1:
        notes.append(f"The symbol '{symbol}' and the number {number_text} are of different space groups.")
    elif source.startswith("the number") and symbol:
        notes.append(f"The symbol '{symbol}' is not known: the standard setting {fitting[0].hm} of {source} is taken.")
    elif source.startswith("the number") and fitting[0].number > 2:
        notes.append(f"Only the number of the space group is given: its standard setting {fitting[0].hm} is taken.")
    return [
        _tabulated(
            group,
            source if group in named else f"the number {number_text} of its space group",
            tuple(notes),
            len(fitting) > 1,
        )
        for group in fitting
    ]


def _tabulated(group: gemmi.SpaceGroup, source: str, notes: tuple[str, ...], open_choice: bool = False) -> Symmetry:
    words = {"1": "origin choice 1", "2": "origin choice 2", "H": "hexagonal axes", "R": "rhombohedral axes"}
    setting = words.get(extension(group), "")
    origin = f"{source}, {setting}" if setting else source
    if open_choice:
        origin = f"{source} as {group.xhm()}"
        notes = (*notes, f"Taken as {group.xhm()}: it alone agrees with what else the file says.")
    return Symmetry(operations_of_setting(group.xhm()), origin, notes)


def _unique_axis(group: gemmi.SpaceGroup) -> str:
    words = group.hm.split()[1:]
    if len(words) < 3:
        return "b"
    return next(("abc"[index] for index, word in enumerate(words) if word != "1"), "b")


def _by_hall(block: CifBlock) -> Symmetry | None:
    text = block.value("_space_group_name_hall", "_symmetry_space_group_name_hall")
    if text is None:
        return None
    symbol = " ".join(text.replace("_", " ").replace("''", '"').split())
    try:
        operations = operations_of(tuple(op.triplet() for op in gemmi.symops_from_hall(symbol)))
    except (ValueError, RuntimeError, StructureError):
        return None
    return Symmetry(operations, f"the Hall symbol '{text}'")


def _by_hermann_mauguin(block: CifBlock, code: str) -> tuple[str, tuple[gemmi.SpaceGroup, ...]]:
    first = ""
    for name in SYMBOL_NAMES:
        text = block.value(name)
        if text is None:
            continue
        first = first or text
        split = split_name(text)
        settings = settings_of_name(split)
        if settings:
            return text, settings if split.choice else narrowed(settings, {"h": "H", "r": "R"}.get(code, code))
    return first, ()


def stated_names(block: CifBlock) -> str:
    """Quote the names of the space group in a block.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.

    Returns
    -------
    str
        Such as "the symbol 'P n m a' and the number 62".
    """
    parts = []
    for words, names in (
        ("the Hall symbol", ("_space_group_name_hall", "_symmetry_space_group_name_hall")),
        ("the symbol", SYMBOL_NAMES),
        ("the number", ("_space_group_it_number", "_symmetry_int_tables_number")),
    ):
        value = block.value(*names)
        if value is not None:
            parts.append(f"{words} '{value}'" if words != "the number" else f"{words} {value}")
    return " and ".join(parts) or "its symbol"
