"""The element of a row of atoms, by its type symbol or its label."""

from __future__ import annotations

import re
from collections.abc import Collection

from ...errors import StructureError
from ..rejection import RejectionCode, StructureRejection
from .species import label_symbols, site_type


def element_of_row(label: str, written: str | None, expected: Collection[str]) -> tuple[str, float | None, bool]:
    """Name the element of a row of atoms.

    Parameters
    ----------
    label : str
        As written.
    written : str or None
        Type symbol; None where there is none.
    expected : collection of str
        Elements of the file's formula.

    Returns
    -------
    symbol : str
        Chemical symbol.
    charge : float or None
        Charge in the type symbol.
    isotope : bool
        Whether a single isotope is written.

    Raises
    ------
    StructureError
        When it is no element; a `StructureRejection` for groups with hydrogen.
    """
    if written is None:
        return _element_of_label(label, expected), None, _is_isotope(label)
    kind = site_type(written)
    if kind.kind == "element":
        return kind.symbol, kind.charge, kind.isotope
    if kind.kind == "hydrogen_group":
        raise StructureRejection(
            RejectionCode.MISSING_HYDROGEN,
            f"the site {label} is of the type {written}, whose hydrogen has no coordinates: give each atom its own row",
        )
    if kind.kind == "mixture":
        raise StructureError(
            f"the site {label} is of the type {written}, a mixture: give each element its own row, with its occupancy"
        )
    raise StructureError(
        f"the site {label} is of the type {written}, which is no chemical element: name the element, or remove the row"
    )


def _is_isotope(label: str) -> bool:
    return re.match(r"(D(?![a-z])|\d+[A-Z])", label) is not None


def _element_of_label(label: str, expected: Collection[str]) -> str:
    letters = re.match(r"[A-Za-z]*", label)
    group = site_type(re.sub(r"[_\d].*", "", label) or label)
    if re.search(r"[/,(+&]", label) and len(re.findall(r"[A-Z][a-z]?", label)) > 1:
        raise StructureError(f"the site {label} names a mixture: give each element its own row, with its occupancy")
    symbols = label_symbols(label)
    if group.kind == "hydrogen_group" and "H" not in expected:
        raise StructureRejection(
            RejectionCode.MISSING_HYDROGEN,
            f"the site {label} names a group with hydrogen: give its type in _atom_site_type_symbol, and each atom its "
            "own row",
        )
    if not symbols or group.kind == "dummy":
        raise StructureError(
            f"the label of the site {label} does not begin with a chemical element: add _atom_site_type_symbol"
        )
    if len(symbols) > 1:
        known = [symbol for symbol in symbols if symbol in expected]
        if len(known) == 1:
            return known[0]
        raise StructureError(
            f"the label {label} can mean {' or '.join(symbols)}: say which in a column _atom_site_type_symbol"
        )
    if expected and symbols[0] not in expected and letters is not None and letters[0][:1] in expected:
        return letters[0][0]
    return symbols[0]
