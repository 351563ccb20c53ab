"""Formats other than CIF, read where their files list every atom of the cell."""

from __future__ import annotations

import re
from pathlib import Path

from monty.io import zopen
from pymatgen.core import Structure

from ..errors import StructureError
from .plain_structure import iterate_plain_records, structure_from_plain
from .poscar_counts import check_poscar_counts, is_poscar_name

_WHOLE = frozenset(
    {
        *("abinit-gsr", "abinit-in", "abinit-out", "aims", "aims-output", "castep-castep", "castep-cell"),
        *("castep-geom", "castep-md", "cfg", "cp2k-restart", "cube", "db", "dlp-history", "dlp4", "dmol-arc"),
        *("dmol-car", "elk", "eon", "espresso-in", "espresso-out", "extxyz", "gaussian-in", "gen", "gpaw-out"),
        *("gpumd", "gpw", "json", "magres", "octopus-in", "onetep-in", "onetep-out", "qbox", "res", "rmc6f"),
        *("runnerdata", "siesta-xv", "struct", "struct_out", "traj", "v-sim", "vasp", "vasp-out", "vasp-xdatcar"),
        *("vasp-xml", "xsf", "xyz"),
    }
)
"""Formats of ASE that place all atoms of a cell. Others leave some to symmetry, or number their elements."""

_SYMMETRY_IN = {
    "abinit-in": re.compile(r"^\s*(natrd|spgroup)\b", re.MULTILINE | re.IGNORECASE),
    "castep-cell": re.compile(r"\bMIXTURE\s*:", re.IGNORECASE),
    "dmol-arc": re.compile(r"^PBC\s.*\((?!\s*P\s*1\s*\))", re.MULTILINE | re.IGNORECASE),
    "dmol-car": re.compile(r"^PBC\s.*\((?!\s*P\s*1\s*\))", re.MULTILINE | re.IGNORECASE),
    "espresso-in": re.compile(r"\bspace_group\s*=|crystal_sg", re.IGNORECASE),
    # AIRSS writes SHELX files of whole cells, with an occupancy of 1 for each atom
    "res": re.compile(
        r"^(SYMM|ZERR|FVAR)\b|^LATT\s+(?!-1\b)|\A(?![\s\S]*^LATT\s+-1\b)"
        r"|^[A-Z]+\d*[ \t]+\d+(?:[ \t]+-?[\d.]+){3}[ \t]+(?!1(?:\.0*)?\s)[\d.]",
        re.MULTILINE | re.IGNORECASE,
    ),
}
"""What tells, in a format that can hold whole cells, that a file does not, or that a site holds several elements."""

_REFUSED_NAMES = (
    (re.compile(r"\.ins$", re.IGNORECASE), "SHELX"),
    (re.compile(r"\.cssr$", re.IGNORECASE), "CSSR"),
    (re.compile(r"(?<!^input)\.(data|lmp)$", re.IGNORECASE), "LAMMPS"),
)
"""Files that ASE does not know by name; input.data is RuNNer's."""

_SILENT_ON_PERIODICITY = {"eon"}

_OF_PYMATGEN = re.compile(r"chgcar|locpot|vasprun.*\.xml", re.IGNORECASE)


def read_with_pymatgen(path: Path) -> list[Structure]:
    """Read a file of VASP, or JSON or YAML of pymatgen.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Structure
        None where ASE should read it.

    Raises
    ------
    StructureError
        When it cannot be a crystal, in a sentence; pymatgen raises other exceptions.
    """
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    if plain.endswith((".json", ".jsonl", ".mson")):
        # pymatgen's own reader builds whatever classes such a file names
        records = list(iterate_plain_records(path))
        is_database_of_ase = len(records) == 1 and {"ids", "nextid"} <= records[0].keys()
        return [] if is_database_of_ase else [structure_from_plain(record) for record in records]
    if plain.endswith((".yaml", ".yml")):
        import yaml

        with zopen(path, "rt", errors="replace") as opened:
            return [structure_from_plain(yaml.load(str(opened.read()), yaml.CSafeLoader))]
    if is_poscar_name(path.name):
        with zopen(path, "rt", errors="replace") as opened:
            check_poscar_counts(str(opened.read()))
        return [Structure.from_file(str(path))]
    return [Structure.from_file(str(path))] if _OF_PYMATGEN.match(name) else []


def read_with_ase(path: Path) -> list[Structure]:
    """Read a file of another program whose format lists all atoms of the cell.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Structure
        In the order of the file.

    Raises
    ------
    StructureError
        When its format or the file leaves atoms to symmetry, or it is not periodic; ASE raises other exceptions.
    """
    from ase.io import read
    from ase.io.formats import UnknownFileTypeError, filetype, ioformats
    from pymatgen.io.ase import AseAtomsAdaptor

    what = next((what for pattern, what in _REFUSED_NAMES if pattern.search(path.name)), None)
    if what is None:
        try:
            kind = "vasp" if is_poscar_name(path.name) else filetype(str(path))
        except UnknownFileTypeError:
            kind = ""
        if kind not in ioformats:
            raise StructureError("its format is not known")
        what = None if kind in _WHOLE and not _leaves_atoms_out(path, kind) else ioformats[kind].description
    if what is not None:
        raise StructureError(
            f"its format ({what}) leaves atoms to symmetry, occupancies or numbers of types, which are read only from "
            "CIFs"
        )
    images = read(str(path), index=":", format=kind)
    if not images:
        raise StructureError(f"read as {ioformats[kind].description}, it holds no structure")
    for atoms in images[:1]:
        if atoms.cell.rank < 3:
            raise StructureError("it holds a molecule without a periodic cell")
        if kind not in _SILENT_ON_PERIODICITY and not all(atoms.pbc):
            stated = " ".join("T" if periodic else "F" for periodic in atoms.pbc)
            raise StructureError(
                f"it is periodic in {sum(map(bool, atoms.pbc))} of 3 directions (pbc {stated}): set pbc to T T T if it "
                "is a crystal"
            )
    return [AseAtomsAdaptor.get_structure(atoms) for atoms in images]


def is_about_reading(message: object) -> bool:
    """Say whether a warning concerns the crystal.

    Parameters
    ----------
    message : object
        A warning of pymatgen or ASE.

    Returns
    -------
    bool
        False where ASE speaks of CASTEP, which is not installed here and not needed to read its files.

    Examples
    --------
    >>> is_about_reading("Could not determine the version of your CASTEP binary")
    False
    """
    return re.search(r"castep.{0,20}(keyword|installation|binary|version|input)", str(message), re.I | re.S) is None


def _leaves_atoms_out(path: Path, kind: str) -> bool:
    pattern = _SYMMETRY_IN.get(kind)
    if pattern is None:
        return False
    with zopen(path, "rt", errors="replace") as opened:
        return pattern.search(str(opened.read())) is not None
