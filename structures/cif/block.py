"""One data block of a CIF: its values by name, whatever generation of the dictionary the names are of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gemmi

from ...errors import StructureError
from .numbers import is_missing

_DECISIVE = ("_cell_", "_symmetry", "_space_group", "_atom_site_", "_atom_type", "_chemical_formula")


@dataclass(frozen=True)
class CifBlock:
    """The values of a data block.

    Attributes
    ----------
    name : str
        Without ``data_``.
    columns : dict of str to list of str
        Values without their quotes, by lower-case name in which underscores stand for dots. `.` and `?` stay.
    lines : dict of str to int
        Line of each name in the file.
    notes : tuple of str
        What was noticed.
    """

    name: str
    columns: dict[str, list[str]]
    lines: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def value(self, *names: str) -> str | None:
        """Take the first of these names that has a value.

        Parameters
        ----------
        *names : str
            Lower-case names with underscores.

        Returns
        -------
        str or None
            Its only or first value.
        """
        for name in names:
            for value in self.columns.get(name, ())[:1]:
                if not is_missing(value):
                    return value
        return None

    def column(self, *names: str) -> list[str] | None:
        """Take the first of these names that is there with any value at all.

        Parameters
        ----------
        *names : str
            Lower-case names with underscores.

        Returns
        -------
        list of str or None
            Its values, `.` and `?` among them.
        """
        for name in names:
            values = self.columns.get(name)
            if values and not all(is_missing(value) for value in values):
                return values
        return None

    @property
    def has_atoms(self) -> bool:
        """Whether it places any atom."""
        return any(
            self.column(f"_atom_site_{kind}_{axis}") is not None for kind in ("fract", "cartn") for axis in "xyz"
        )


def plain_name(name: str) -> str:
    """Write a name as this package looks it up.

    Parameters
    ----------
    name : str
        A data name.

    Returns
    -------
    str
        In lower case, with underscores for dots.

    Examples
    --------
    >>> plain_name("_space_group_symop.operation_xyz")
    '_space_group_symop_operation_xyz'
    """
    return name.lower().replace(".", "_")


def read_block(block: gemmi.cif.Block) -> CifBlock:
    """Take the values out of a block of gemmi.

    Parameters
    ----------
    block : gemmi.cif.Block
        As parsed.

    Returns
    -------
    CifBlock
        Its values.

    Raises
    ------
    StructureError
        When a name that decides on the crystal is given twice with different values.
    """
    columns: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    notes: list[str] = []
    for item in block:
        if item.pair is not None:
            pair: Any = item.pair  # gemmi declares no type for it
            found = [(pair[0], [_plain(pair[1])])]
        elif item.loop is not None:
            width, values = item.loop.width(), list(item.loop.values)
            found = [(tag, [_plain(value) for value in values[i::width]]) for i, tag in enumerate(item.loop.tags)]
        else:
            continue
        for tag, values in found:
            name = plain_name(tag)
            if name not in columns or all(is_missing(value) for value in columns[name]):
                columns[name] = values
                lines[name] = item.line_number
            elif columns[name] != values and not all(is_missing(value) for value in values):
                if name.startswith(_DECISIVE):
                    raise StructureError(
                        f"it gives {tag} twice with different values (lines {lines[name]} and {item.line_number}): "
                        "remove one"
                    )
                notes.append(f"{tag} is given twice; the first value is taken.")
            elif columns[name] == values and name.startswith(_DECISIVE):
                notes.append(f"{tag} is given twice with the same value.")
    return CifBlock(block.name.strip(), columns, lines, tuple(dict.fromkeys(notes)))


def _plain(value: str) -> str:
    if value[:1] in "'\";":
        return str(gemmi.cif.as_string(value)).strip()
    return value
