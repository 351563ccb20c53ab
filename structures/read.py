"""Crystal structures from files, and from the examples that ship with the package."""

from __future__ import annotations

import difflib
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from pymatgen.core import Element, Structure

from ..errors import StructureError
from .completeness import check_hydrogen
from .rejection import StructureRejection
from .validate import validate_structure
from .whole_cell_formats import is_about_reading, read_with_ase, read_with_pymatgen


@dataclass(frozen=True)
class StructureReading:
    """A structure with what was noticed while reading it.

    Attributes
    ----------
    structure : Structure
        The crystal, perhaps with partial occupancies and oxidation states.
    source : str
        File name (never a full path) or bundled name.
    notes : tuple of str
        Remarks for the user, such as warnings of the parser.
    """

    structure: Structure
    source: str
    notes: tuple[str, ...]


def bundled_structures() -> dict[str, Path]:
    """Name the example structures that ship with the package.

    Returns
    -------
    dict of str to Path
        File of each, by name.

    Examples
    --------
    >>> "Li6PS5Cl" in bundled_structures()
    True
    """
    folder = Path(str(resources.files("superion.configs"))) / "structures"
    return {path.stem: path for path in sorted(folder.glob("*.cif"))}


def read_structure(path_or_bundled_name: str | Path) -> Structure:
    """Read a crystal structure and check that it can be one.

    Parameters
    ----------
    path_or_bundled_name : str or Path
        A file (CIF, POSCAR, extxyz, or another format of pymatgen or ASE that lists every atom of the cell), or the
        name of a shipped example such as ``Li6PS5Cl``. A file of that name wins over a shipped example.

    Returns
    -------
    Structure
        The crystal in the cell of the file; the first one when the file holds several.

    Raises
    ------
    StructureError
        When the file is not there, cannot be read, does not hold a crystal, or is a CIF whose formula names elements
        that have no sites. What is wrong with the crystal itself is a `StructureRejection`.

    Examples
    --------
    >>> read_structure("Li6PS5Cl").composition.reduced_formula
    'Li6PS5Cl'
    """
    return read_structure_with_notes(path_or_bundled_name).structure


def read_structure_with_notes(path_or_bundled_name: str | Path) -> StructureReading:
    """Read a crystal structure as `read_structure` does, and keep the remarks of the parser.

    Parameters
    ----------
    path_or_bundled_name : str or Path
        A file, or the name of a shipped example.

    Returns
    -------
    StructureReading
        Structure, source and notes.

    Raises
    ------
    StructureError
        As `read_structure`.
    """
    path = _locate(str(path_or_bundled_name))
    content = _cif_content(path)
    if content is not None:
        readings = _read_cif(path, content)
        name, first = next(readings)
        others = [other for other, _ in readings]
        if isinstance(first, StructureError):
            raise _reworded(first, _in_block(path, name, first) if others else _in_file(path, first))
        if not others:
            return first
        blocks = ", ".join([name, *others][:6]) + (", …" if len(others) > 5 else "")
        note = f"{path.name} holds {len(others) + 1} structures; the first is taken (data blocks {blocks})."
        return replace(first, notes=(note, *first.notes))
    structures, notes = _parse_with_notes(path)
    if len(structures) > 1:
        notes.insert(0, f"{path.name} holds {len(structures)} structures; the first is taken.")
    try:
        return _checked(structures[0], path, notes)
    except StructureError as error:
        raise _reworded(error, _in_file(path, error)) from error


def read_structures(path_or_bundled_name: str | Path) -> Iterator[StructureReading | StructureError]:
    """Read every crystal structure of a file, each checked by itself.

    Parameters
    ----------
    path_or_bundled_name : str or Path
        A file, or the name of a shipped example.

    Yields
    ------
    StructureReading or StructureError
        In the order of the file: a structure, or the reason why this one cannot be a crystal. A CIF of several data
        blocks gives one for each block that holds atoms.

    Raises
    ------
    StructureError
        When the file is not there, or nothing in it can be read.

    Examples
    --------
    >>> [reading.structure.composition.reduced_formula for reading in read_structures("Li6PS5Cl")]
    ['Li6PS5Cl']
    """
    path = _locate(str(path_or_bundled_name))
    content = _cif_content(path)
    if content is not None:
        readings = list(_read_cif(path, content))
        for name, reading in readings:
            if isinstance(reading, StructureError):
                named = _in_block(path, name, reading) if len(readings) > 1 else _in_file(path, reading)
                yield _reworded(reading, named)
            elif len(readings) > 1:
                yield replace(reading, notes=(f"data block {name}", *reading.notes))
            else:
                yield reading
        return
    structures, notes = _parse_with_notes(path)
    for structure in structures:
        try:
            yield _checked(structure, path, list(notes))
        except StructureError as error:
            yield _reworded(error, _in_file(path, error))


def _read_cif(path: Path, content: bytes) -> Iterator[tuple[str, StructureReading | StructureError]]:
    """Read the data blocks of a CIF that hold atoms, one after the other."""
    from .cif.reader import read_cif

    try:
        for name, reading in read_cif(content):
            if isinstance(reading, StructureError):
                yield name, reading
                continue
            try:
                check_hydrogen(reading.structure)
            except StructureError as error:
                yield name, error
            else:
                yield name, StructureReading(reading.structure, path.name, reading.notes)
    except StructureError as error:
        raise StructureError(f"The file {path.name} cannot be read as a crystal structure: {error}.") from error


def _in_file(path: Path, error: StructureError) -> str:
    return f"{path.name}: {str(error).rstrip('.')}."


def _in_block(path: Path, name: str, error: StructureError) -> str:
    return f"{path.name}, data block {name}: {str(error).rstrip('.')}."


def _parse_with_notes(path: Path) -> tuple[list[Structure], list[str]]:
    """Read all structures of a file with the remarks of the parser; refuse a file that gives none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        structures, reasons = _parse(path)
    told = [item for item in caught if issubclass(item.category, UserWarning) and is_about_reading(item.message)]
    notes = list(dict.fromkeys(_one_line(item.message) for item in told))
    if any("false names" in note for note in notes):
        raise StructureError(
            f"The file {path.name} does not name its elements: add them in the line above the numbers of atoms."
        )
    if not structures:
        raise StructureError(
            f"The file {path.name} cannot be read as a crystal structure ({'; '.join(reasons)}): "
            "give a CIF, POSCAR, extended XYZ or another format that lists every atom of the cell."
        )
    return structures, notes


def _checked(structure: Structure, path: Path, notes: list[str]) -> StructureReading:
    """Check that a structure can be a crystal."""
    notes.extend(_replace_deuterium(structure))
    notes.extend(validate_structure(structure))
    check_hydrogen(structure)
    return StructureReading(structure=structure, source=path.name, notes=tuple(notes))


def _reworded(error: StructureError, message: str) -> StructureError:
    """Say more and keep the code of a rejection."""
    return StructureRejection(error.code, message) if isinstance(error, StructureRejection) else StructureError(message)


def _cif_content(path: Path) -> bytes | None:
    """Read a CIF, known by its name or, where the name says nothing, by its first lines; None for other files."""
    name = path.name.lower()
    for ending in (".gz", ".bz2", ".xz"):
        name = name.removesuffix(ending)
    if name.endswith((".cif", ".mcif", ".cif2")):
        return path.read_bytes()
    if "." in name and not name.endswith((".txt", ".dat")):
        return None
    with path.open("rb") as opened:
        start = opened.read(4000)
    return path.read_bytes() if re.search(rb"^\s*data_\S*\s*$", start, re.MULTILINE | re.IGNORECASE) else None


def _locate(name: str) -> Path:
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise StructureError(f"{name} is a folder: give the structure file in it.")
    bundled = bundled_structures()
    stems = {stem.lower(): stem for stem in bundled}
    wanted = path.name.lower().removesuffix(".cif")
    if len(path.parts) == 1 and wanted in stems:
        return bundled[stems[wanted]]
    near = difflib.get_close_matches(wanted, stems, n=1, cutoff=0.6)
    hint = f"did you mean the shipped {stems[near[0]]}? " if near and len(path.parts) == 1 else ""
    raise StructureError(
        f"There is no structure file '{name}': {hint}give the path of a file, or the name of a shipped example "
        f"({', '.join(bundled)})."
    )


def _parse(path: Path) -> tuple[list[Structure], list[str]]:
    """Try pymatgen, then ASE; whatever they raise becomes a reason."""
    reasons = []
    for reader in (read_with_pymatgen, read_with_ase):
        try:
            structures = reader(path)
        except StructureError as error:
            return [], [str(error)]
        except RecursionError:
            reasons.append("it is nested too deeply")
        except Exception as error:
            # parsers raise almost any exception on a damaged file
            reasons.append(_one_line(str(error).replace(f"{path.parent}{os.sep}", "")) or type(error).__name__)
        else:
            if structures:
                return structures, []
    return [], list(dict.fromkeys(reasons)) or ["no structure in it"]


def _replace_deuterium(structure: Structure) -> list[str]:
    # pymatgen knows D and T as elements of their own whose symbol is H; their masses would be lost on the way to ASE
    isotopes = {Element("D"), Element("T")}
    heavy = [species for species in structure.composition.elements if getattr(species, "element", species) in isotopes]
    if not heavy:
        return []
    structure.replace_species(dict.fromkeys(heavy, "H"))
    return ["Deuterium or tritium is read as H: potentials do not tell isotopes apart."]


def _one_line(message: object) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= 200 else text[:199] + "…"
