"""Which symmetry a CIF states: by operations, by a Hall symbol, by a Hermann–Mauguin symbol, or by a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np
from pymatgen.core import Lattice

from ...errors import StructureError
from .block import CifBlock
from .numbers import is_missing, parse_number
from .operation import TRANSLATION_UNITS, Operations, generated, operations_of, products
from .spacegroup_names import has_other_basis, narrowed, settings_of_name, settings_of_number, split_name

_OPERATION_NAMES = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_symmetry_equiv_position_as_xyz",
    "_space_group_symop_as_xyz",
)
_SYMBOL_NAMES = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m",
    "_space_group_name_h-m_ref",
    "_space_group_name_h-m_full",
    "_symmetry_space_group_name_h-m_full",
)
_NUMBER_NAMES = ("_space_group_it_number", "_symmetry_int_tables_number", "_symmetry_it_number")
_METRIC_TOLERANCE = 0.02
"""Part of a metric tensor's element by which symmetry may be broken: lengths by 1 %, angles by 1°."""

_WORTH_SAYING = 0.002


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
    explicit = _explicit(block)
    stated = _by_symbol(block, lattice)
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
    _check_fit(operations, lattice, "the symmetry operations of the file")
    number = space_group_number(operations)
    if not stated:
        notes += _unknown_symbol(block)
    elif any(symmetry.operations.same_as(operations) for symmetry in stated):
        notes += _other_number(block, number)
        stated = []
    source = Symmetry(operations, "its symmetry operations", tuple(notes))
    if not stated:
        return [source]
    names = _stated_names(block)
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
    symbol = block.value(*_SYMBOL_NAMES)
    return [] if symbol is None else [f"The symbol '{symbol}' is not known: the symmetry operations are used."]


def _other_number(block: CifBlock, number: int | None) -> list[str]:
    """Say that the number of the space group alone contradicts operations and symbol."""
    text = block.value(*_NUMBER_NAMES)
    stated = parse_number(text) if text else None
    if stated is None or number is None or stated.value in (0.0, number):
        return []
    return [f"The number {text} is not that of the symmetry operations, {number}: the operations are used."]


@lru_cache(maxsize=256)
def _number(keys: tuple[int, ...], rotations: bytes, translations: bytes) -> int | None:
    import spglib

    n = len(keys)
    try:
        found = spglib.get_spacegroup_type_from_symmetry(
            np.frombuffer(rotations, dtype=np.int64).reshape(n, 3, 3).astype("intc"),
            np.frombuffer(translations, dtype=np.int64).reshape(n, 3) / TRANSLATION_UNITS,
        )
    except Exception:
        return None
    return None if found is None else int(found.number)


def space_group_number(operations: Operations) -> int | None:
    """Find the number of the space group type, in whatever setting.

    Parameters
    ----------
    operations : Operations
        A group.

    Returns
    -------
    int or None
        Of the International Tables; None where it cannot be told.
    """
    return _number(
        tuple(operations.keys.tolist()),
        np.ascontiguousarray(operations.rotations).tobytes(),
        np.ascontiguousarray(operations.translations).tobytes(),
    )


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


def _explicit(block: CifBlock) -> tuple[Operations, list[str]] | None:
    magnetic = _magnetic(block)
    if magnetic is not None:
        return magnetic
    lists = [(name, block.columns[name]) for name in _OPERATION_NAMES if block.column(name)]
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


def _by_symbol(block: CifBlock, lattice: Lattice) -> list[Symmetry]:
    """Find the symmetries that the symbols of a block can mean and that fit its cell."""
    number_text = block.value(*_NUMBER_NAMES)
    number = parse_number(number_text) if number_text else None
    code = (block.value("_space_group_it_coordinate_system_code") or "").strip().lower()
    hall = _by_hall(block)
    symbol, settings = _by_hermann_mauguin(block, code)
    source = f"the symbol '{symbol}'"
    if hall is None and has_other_basis(symbol):
        if block.column(*_OPERATION_NAMES) is not None:
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
    fitting = [group for group in settings if _metric_miss(operations_of_setting(group.xhm()), lattice) is not None]
    if hall is not None:
        if _metric_miss(hall.operations, lattice) is not None:
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
        stated = block.value(*_SYMBOL_NAMES)
        if stated is not None and block.column(*_OPERATION_NAMES, "_space_group_symop_magn_operation_xyz") is None:
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
    extension = str(group.ext).strip("\x00 ")
    words = {"1": "origin choice 1", "2": "origin choice 2", "H": "hexagonal axes", "R": "rhombohedral axes"}
    setting = words.get(extension, "")
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
    for name in _SYMBOL_NAMES:
        text = block.value(name)
        if text is None:
            continue
        first = first or text
        split = split_name(text)
        settings = settings_of_name(split)
        if settings:
            return text, settings if split.choice else narrowed(settings, {"h": "H", "r": "R"}.get(code, code))
    return first, ()


def _stated_names(block: CifBlock) -> str:
    parts = []
    for words, names in (
        ("the Hall symbol", ("_space_group_name_hall", "_symmetry_space_group_name_hall")),
        ("the symbol", _SYMBOL_NAMES),
        ("the number", ("_space_group_it_number", "_symmetry_int_tables_number")),
    ):
        value = block.value(*names)
        if value is not None:
            parts.append(f"{words} '{value}'" if words != "the number" else f"{words} {value}")
    return " and ".join(parts) or "its symbol"


def _metric_miss(operations: Operations, lattice: Lattice) -> float | None:
    """Largest relative change of the metric tensor under the operations; None above the tolerance."""
    metric = lattice.matrix @ lattice.matrix.T
    turned = np.einsum("aji,jk,akl->ail", operations.rotations, metric, operations.rotations)
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    miss = float((np.abs(turned - metric) / scale).max())
    return miss if miss <= _METRIC_TOLERANCE else None


def _check_fit(operations: Operations, lattice: Lattice, what: str) -> None:
    if _metric_miss(operations, lattice) is None:
        lengths = ", ".join(f"{length:g}" for length in lattice.abc)
        angles = ", ".join(f"{angle:g}" for angle in lattice.angles)
        raise StructureError(
            f"{what} do not fit its cell ({lengths} Å; {angles}°): one of them is wrong, or the operations are of "
            "another setting; correct it"
        )


def metric_notes(operations: Operations, lattice: Lattice) -> list[str]:
    """Say by how much a cell breaks the symmetry of its operations.

    Parameters
    ----------
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.

    Returns
    -------
    list of str
        One sentence, or none where the cell keeps the symmetry.
    """
    miss = _metric_miss(operations, lattice)
    if miss is None or miss < _WORTH_SAYING:
        return []
    return [f"The cell breaks the symmetry of its operations by {50 * miss:.2g} % in length: it is kept as written."]
