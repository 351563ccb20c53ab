"""Competing phases for a convex hull: the shipped set, and a folder of the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pymatgen.core import Composition, Lattice, Structure

from .. import configs
from ..errors import StructureError
from .read import read_structure
from .validate import validate_structure

_SHIPPED = Path(configs.__file__).parent / "reference_phases"
_SUFFIXES = (".cif", ".vasp", ".poscar", ".json", ".xyz", ".extxyz")


class Verification(BaseModel):
    """What a shipped crystal was compared with, and how far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Literal["structure", "lattice"] = Field(
        description="whether lattice and positions agree, or the lattice was all that there was to compare"
    )
    against: str = Field(min_length=1, description="entry of an open collection, and the publication behind it")


class PhaseRecord(BaseModel):
    """A crystal as published: space group, lattice and one site per orbit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the phase, unique in the set")
    space_group: int | str = Field(description="number or symbol, standard setting")
    lattice: tuple[float, ...] = Field(description="a, b, c in Å, then α, β, γ in degrees")
    sites: tuple[tuple[str, float, float, float], ...] = Field(description="element and fractional coordinates")
    source: str = Field(description="where lattice and coordinates were published")
    is_molecule: bool = Field(default=False, description="whether it is one molecule in a box, whose cell stays")
    verified: Verification | None = Field(default=None, description="agreement with an open collection")


class ReferencePhase(BaseModel):
    """A competing phase, ready to be relaxed."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str = Field(description="name of the phase")
    formula: str = Field(description="reduced formula")
    structure: Structure = Field(description="its structure")
    source: str = Field(description="where the structure comes from")
    is_molecule: bool = Field(default=False, description="whether it is one molecule in a box, whose cell stays")
    verified: Verification | None = Field(default=None, description="agreement with an open collection")

    @property
    def elements(self) -> frozenset[str]:
        """Symbols of its elements."""
        return frozenset(element.symbol for element in self.structure.composition)


def phases_within(phases: Iterable[ReferencePhase], elements: Iterable[str]) -> list[ReferencePhase]:
    """Select the phases that hold no other elements than those given.

    Parameters
    ----------
    phases : iterable of ReferencePhase
        Any phases.
    elements : iterable of str
        Element symbols.

    Returns
    -------
    list of ReferencePhase
        In the same order.

    Examples
    --------
    >>> salts = shipped_phases(["Li", "Na", "Cl"])
    >>> [phase.name for phase in phases_within(salts, ["Na", "Cl"])]
    ['Cl2', 'Na', 'NaCl']
    """
    allowed = frozenset(elements)
    return [phase for phase in phases if phase.elements <= allowed]


def shipped_phases(elements: Iterable[str] | None = None) -> tuple[ReferencePhase, ...]:
    """Give the reference phases that ship with superion: elements and common compounds of solid electrolytes.

    Parameters
    ----------
    elements : iterable of str, optional
        Element symbols; only phases of these are built. All where None.

    Returns
    -------
    tuple of ReferencePhase
        Elements first.

    Examples
    --------
    >>> [phase.name for phase in shipped_phases(["Li", "Cl"])]
    ['Cl2', 'Li', 'LiCl']
    """
    allowed = None if elements is None else frozenset(elements)
    return tuple(
        _built(record)
        for record in _shipped_records()
        if allowed is None or {site[0] for site in record.sites} <= allowed
    )


def phases_known_to_be_missing(elements: Iterable[str], there: Iterable[str] | None = None) -> list[str]:
    """Name well-known phases of a chemical system that a reference set does not hold.

    Parameters
    ----------
    elements : iterable of str
        Element symbols.
    there : iterable of str, optional
        Formulas of the phases of the set; those of the shipped set where None.

    Returns
    -------
    list of str
        Formulas: those that do not ship, then those that do.

    Examples
    --------
    >>> "Li7PS6" in phases_known_to_be_missing(["Li", "P", "S"])
    True
    >>> phases_known_to_be_missing(["Li", "Cl"], there=["Li", "Cl2"])
    ['LiCl']
    """
    allowed = set(elements)
    known = [
        formula
        for formula in _load("not_shipped.yaml")["phases"]
        if {element.symbol for element in Composition(formula)} <= allowed
    ]
    if there is None:
        return known
    held = {Composition(formula).reduced_formula for formula in there}
    known += dict.fromkeys(phase.formula for phase in shipped_phases(allowed))
    return [formula for formula in known if Composition(formula).reduced_formula not in held]


@cache
def shipped_set_fingerprint() -> str:
    """Digest of the shipped crystals, since other ones give another hull; what is said of them leaves it as it is.

    Returns
    -------
    str
        First 16 digits of a sha256.
    """
    digest = hashlib.sha256()
    for record in _shipped_records():
        digest.update(record.model_dump_json(exclude={"source", "verified"}).encode() + b"\0")
    return digest.hexdigest()[:16]


def folder_fingerprint(folder: Path) -> str:
    """Digest of a user's folder of phases: names and bytes of its structure files.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    str
        First 16 digits of a sha256.
    """
    digest = hashlib.sha256()
    for path in _structure_files(folder):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def folder_phases(folder: Path) -> tuple[ReferencePhase, ...]:
    """Read competing phases from the structure files of a folder.

    Parameters
    ----------
    folder : Path
        Folder with CIF, POSCAR or other structure files; each is one ordered phase.

    Returns
    -------
    tuple of ReferencePhase
        Named after the files.

    Raises
    ------
    StructureError
        If there is no such folder, no file in it, or a file that is no ordered crystal.
    """
    return _read_folder(str(folder), folder_fingerprint(folder)) if _structure_files(folder) else ()


@cache
def _read_folder(folder: str, fingerprint: str) -> tuple[ReferencePhase, ...]:
    """Read a folder once for each state of it."""
    phases = []
    for path in _structure_files(Path(folder)):
        structure = read_structure(path)
        validate_structure(structure)
        if not structure.is_ordered:
            raise StructureError(f"The reference phase {path.name} has partial occupancies: give it ordered.")
        structure.remove_oxidation_states()
        phases.append(
            ReferencePhase(
                name=path.stem,
                formula=structure.composition.reduced_formula,
                structure=structure,
                source=f"{path.name} of the user's folder",
            )
        )
    return tuple(phases)


def _structure_files(folder: Path) -> list[Path]:
    """List the structure files of a folder."""
    if not folder.is_dir():
        raise StructureError(f"There is no folder {folder} with reference phases: correct its path.")
    files = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and (path.suffix.lower() in _SUFFIXES or path.name.startswith("POSCAR"))
    )
    if not files:
        raise StructureError(f"The folder {folder} holds no structure files: put a CIF or POSCAR of each phase there.")
    return files


def _load(name: str) -> dict[str, list]:
    return yaml.safe_load((_SHIPPED / name).read_text(encoding="utf-8"))


@cache
def _shipped_records() -> tuple[PhaseRecord, ...]:
    """Read the shipped table."""
    records = []
    for entry in _load("phases.yaml")["phases"]:
        try:
            records.append(PhaseRecord.model_validate(entry))
        except ValidationError as error:
            raise StructureError(f"The shipped reference phase {entry.get('name')} is damaged: {error}.") from error
    return tuple(records)


@cache
def _built(record: PhaseRecord) -> ReferencePhase:
    """Build a structure from its space group, in the primitive cell."""
    structure = Structure.from_spacegroup(
        record.space_group,
        Lattice.from_parameters(*record.lattice),
        [site[0] for site in record.sites],
        [site[1:] for site in record.sites],
        tol=1e-3,
    )
    plain = Structure(structure.lattice, [site.specie.symbol for site in structure], structure.frac_coords)
    if not record.is_molecule:
        plain = _primitive(plain)
    return ReferencePhase(
        name=record.name,
        formula=plain.composition.reduced_formula,
        structure=plain,
        source=record.source,
        is_molecule=record.is_molecule,
        verified=record.verified,
    )


def _primitive(structure: Structure) -> Structure:
    """Give the primitive cell; spglib finds it in a moment where pymatgen's own search takes seconds."""
    import spglib

    symbols = sorted({site.specie.symbol for site in structure})
    numbers = [symbols.index(site.specie.symbol) + 1 for site in structure]
    cell = spglib.standardize_cell(
        (structure.lattice.matrix, structure.frac_coords, numbers), to_primitive=True, no_idealize=True, symprec=1e-3
    )
    if cell is None:
        return structure
    lattice, places, kinds = cell
    return Structure(
        Lattice(lattice), [symbols[kind - 1] for kind in kinds], places, to_unit_cell=True
    ).get_sorted_structure()
