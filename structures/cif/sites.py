"""The rows of atoms of a CIF."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from pymatgen.core import Lattice

from ...errors import StructureError
from ..rejection import RejectionCode, StructureRejection
from .block import CifBlock
from .coordinates import coordinates_of, fractions_of
from .numbers import CifNumber, is_missing, parse_number
from .row_element import element_of_row
from .species import is_element, site_type

_FULL = CifNumber(1.0, 15, 0.0, "1")

_MOST_NEGATIVE = 0.01


@dataclass(frozen=True)
class CifSite:
    """A row of atoms.

    Attributes
    ----------
    label : str
        As written.
    symbol : str
        Chemical symbol.
    type_text : str
        Type symbol as written; the chemical symbol where only a label is given.
    charge : float or None
        Charge in the type symbol.
    fractions : tuple of three CifNumber
        Fractional coordinates.
    occupancy : CifNumber
        Part of the site that this element fills.
    multiplicity : int or None
        Number of images that the row states.
    """

    label: str
    symbol: str
    type_text: str
    charge: float | None
    fractions: tuple[CifNumber, CifNumber, CifNumber]
    occupancy: CifNumber
    multiplicity: int | None


def read_sites(block: CifBlock, lattice: Lattice, expected: Collection[str] = ()) -> tuple[list[CifSite], list[str]]:
    """Read the atoms of a block.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.
    lattice : Lattice
        Its cell.
    expected : collection of str
        Symbols of the elements in the file's formula, which tell CA1 of calcium from CA1 of carbon.

    Returns
    -------
    sites : list of CifSite
        All rows that place an atom.
    notes : list of str
        What was left out or taken by default.

    Raises
    ------
    StructureError
        When a row cannot be read; a `StructureRejection` where it holds hydrogen without coordinates.
    """
    labels = block.column("_atom_site_label", "_atom_site_id")
    types = block.column("_atom_site_type_symbol")
    if labels is None and types is None:
        raise StructureError("its atoms have neither labels nor type symbols: add _atom_site_type_symbol")
    coordinates, size = coordinates_of(block, lattice)
    labels = labels or list(types or ())
    columns = {
        name: block.column(f"_atom_site_{name}")
        for name in ("occupancy", "attached_hydrogens", "calc_flag", "disorder_group", "disorder_assembly")
    }
    multiplicities = block.column(
        "_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity", "_atom_site_symetry_multiplicity"
    )
    for name, column in {"label": labels, "type_symbol": types, **columns}.items():
        if column is not None and len(column) != size:
            raise StructureError(f"_atom_site_{name} is not in one loop with the coordinates: put it there")
    noted: dict[str, list[str]] = {}
    sites = []
    for row in range(size):
        label = labels[row] if not is_missing(labels[row]) else f"in row {row + 1}"
        texts = [column[row] for column in coordinates]
        written = types[row] if types is not None and not is_missing(types[row]) else None
        if all(is_missing(text) for text in texts) and is_missing(labels[row]) and written is None:
            continue
        kind = site_type(written) if written is not None else None
        if (columns["calc_flag"] or [""] * size)[row].lower() == "dum" or (
            kind is not None and kind.kind == "dummy" and written is not None and written.lower().startswith("dum")
        ):
            noted.setdefault("dummies", []).append(label)
            continue
        if (kind is not None and kind.kind == "vacancy") or (kind is None and site_type(labels[row]).kind == "vacancy"):
            noted.setdefault("vacancies", []).append(label)
            continue
        symbol, charge, isotope = element_of_row(label, written, expected)
        if written is None and "_atom_site_type_symbol" in block.columns:
            noted.setdefault("untyped", []).append(label)
        if written is None and re.match(r"O[Ww](?![a-z])", label):
            noted.setdefault("water", []).append(label)
        attached = columns["attached_hydrogens"]
        if attached is not None and not is_missing(attached[row]):
            hydrogens = parse_number(attached[row])
            if hydrogens is None or hydrogens.value > 0.0:
                raise StructureRejection(
                    RejectionCode.MISSING_HYDROGEN,
                    f"the file says that {attached[row]} hydrogen atoms without coordinates are attached to the site "
                    f"{label}: add their coordinates",
                )
        for text in (*texts, columns["occupancy"][row] if columns["occupancy"] else ""):
            unusual = re.search(r"/|[dD]", text)
            if unusual is not None:
                noted.setdefault("fractions" if unusual[0] == "/" else "exponents", []).append(label)
        occupancy = _occupancy(label, columns["occupancy"][row] if columns["occupancy"] else None, noted)
        if occupancy is None:
            continue
        if isotope:
            noted.setdefault("isotopes", []).append(label)
        if (columns["disorder_group"] or ["."] * size)[row] not in (".", "?", ""):
            noted.setdefault("disorder", []).append(label)
        sites.append(
            CifSite(
                label,
                symbol,
                written or symbol,
                charge,
                fractions_of(label, texts),
                occupancy,
                _multiplicity(multiplicities[row] if multiplicities and len(multiplicities) == size else None),
            )
        )
    if not sites:
        raise StructureRejection(RejectionCode.NOT_A_CRYSTAL, "it places no atoms: give a file that does")
    _check_percent(sites)
    if any(site.symbol == "H" for site in sites):
        noted.pop("water", None)
    return sites, _notes(noted)


def _notes(noted: dict[str, list[str]]) -> list[str]:
    sentences = {
        "dummies": "Dummy atoms are left out: {}.",
        "vacancies": "Sites marked as vacancies hold no atom and are left out: {}.",
        "empty": "Sites with an occupancy of zero are left out: {}.",
        "negative": "Small negative occupancies are read as zero, their sites are left out: {}.",
        "unknown": "Occupancies given as '?' are read as 1, the dictionary's default: {}.",
        "isotopes": "Isotopes are read as their elements, as potentials do not tell them apart (D is read as H): {}.",
        "untyped": "Types given as '?' are taken from the labels: {}.",
        "water": "The labels speak of water, and the file places no hydrogen: {} read as oxygen.",
        "fractions": "Fractions such as 1/3 are read as exact numbers: {}.",
        "exponents": "Exponents written with D are read as powers of ten: {}.",
        "disorder": "Alternative positions of a disordered group are read as partly occupied sites: {}.",
    }
    return [sentences[kind].format(shortened(labels)) for kind, labels in noted.items()]


def shortened(labels: list[str], most: int = 6) -> str:
    """Name labels, and how many more there are.

    Parameters
    ----------
    labels : list of str
        Any number.
    most : int
        Labels to name.

    Returns
    -------
    str
        Such as ``Li1, Li2 and 4 more``.

    Examples
    --------
    >>> shortened(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    labels = list(dict.fromkeys(labels))
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")


def _occupancy(label: str, text: str | None, noted: dict[str, list[str]]) -> CifNumber | None:
    """Read an occupancy; None where the site is empty."""
    if text is None or text == ".":
        return _FULL
    if is_missing(text):
        noted.setdefault("unknown", []).append(label)
        return _FULL
    number = parse_number(text)
    if number is None:
        raise StructureError(f"the occupancy of the site {label} is '{text}', which is no number: correct it")
    if number.value < 0.0:
        if -number.value > max(_MOST_NEGATIVE, 3.0 * number.uncertainty):
            raise StructureRejection(
                RejectionCode.IMPOSSIBLE_OCCUPANCY, f"the occupancy of the site {label} is {text}: correct it"
            )
        noted.setdefault("negative", []).append(label)
        return None
    if number.value == 0.0:
        noted.setdefault("empty", []).append(label)
        return None
    return number


def _multiplicity(text: str | None) -> int | None:
    number = None if text is None else parse_number(text)
    if number is None or number.value < 1.0 or number.value != int(number.value):
        return None
    return int(number.value)


def _check_percent(sites: list[CifSite]) -> None:
    if all(1.5 < site.occupancy.value <= 100.0 for site in sites) and any(
        site.occupancy.value > 50.0 for site in sites
    ):
        raise StructureRejection(
            RejectionCode.IMPOSSIBLE_OCCUPANCY, "its occupancies are in per cent: write them as fractions of one"
        )


def mixed_labels(sites: list[CifSite]) -> list[str]:
    """Find labels that name an element beside the one of their type.

    Parameters
    ----------
    sites : list of CifSite
        Rows of atoms.

    Returns
    -------
    list of str
        Such labels, as ``Li1/Na1`` of type Li.
    """
    found = []
    for site in sites:
        named = re.findall(r"[A-Z][a-z]?", site.label) if re.search(r"[/,()&+]", site.label) else []
        if any(is_element(name) and name != site.symbol for name in named) and site.symbol in named:
            found.append(site.label)
    return found
