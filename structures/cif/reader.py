"""Crystals from the data blocks of a CIF."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from pymatgen.core import Lattice, Structure

from ...errors import StructureError
from ..rejection import RejectionCode, StructureRejection
from ..validate import validate_structure
from .agreement import compare
from .block import CifBlock
from .cell import read_cell
from .crystal import Crystal, build_crystal
from .decode import decode_cif
from .metric import metric_notes
from .modulation import check_modulation
from .sites import CifSite, mixed_labels, read_sites, shortened
from .stated_symbols import Symmetry
from .statements import Statements, read_statements
from .symmetry import stated_symmetries
from .syntax import parse_cif


@dataclass(frozen=True)
class CifReading:
    """A crystal of a CIF.

    Attributes
    ----------
    structure : Structure
        All atoms of the cell.
    block_name : str
        Its data block.
    notes : tuple of str
        Repairs and defaults.
    """

    structure: Structure
    block_name: str
    notes: tuple[str, ...]


def read_cif(content: bytes) -> Iterator[tuple[str, CifReading | StructureError]]:
    r"""Read the crystals of a CIF, each block by itself.

    Parameters
    ----------
    content : bytes
        The file, perhaps compressed.

    Yields
    ------
    str
        Name of a data block that holds atoms.
    CifReading or StructureError
        Its crystal, or why it is none.

    Raises
    ------
    StructureError
        When the file is no CIF, or no block of it holds atoms.

    Examples
    --------
    >>> salt = b'''data_salt
    ... _cell_length_a 5.13
    ... _cell_length_b 5.13
    ... _cell_length_c 5.13
    ... _symmetry_space_group_name_H-M 'F m -3 m'
    ... loop_
    ... _atom_site_label
    ... _atom_site_fract_x
    ... _atom_site_fract_y
    ... _atom_site_fract_z
    ... Li 0 0 0
    ... Cl .5 .5 .5
    ... '''
    >>> [(name, reading.structure.composition.formula) for name, reading in read_cif(salt)]
    [('salt', 'Li4 Cl4')]
    """
    blocks, notes = parse_cif(decode_cif(content))
    with_atoms = [block for block in blocks if block.has_atoms]
    if not with_atoms:
        raise StructureError(_without_atoms(blocks))
    for block in with_atoms:
        try:
            yield block.name, read_crystal(block, notes)
        except StructureError as error:
            yield block.name, error


def read_crystal(block: CifBlock, notes: list[str] | None = None) -> CifReading:
    """Read the crystal of one data block.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.
    notes : list of str, optional
        What was repaired in the syntax of the file.

    Returns
    -------
    CifReading
        The crystal, with notes.

    Raises
    ------
    StructureError
        When it cannot be read without doubt, or contradicts itself.
    """
    found = [*(notes or []), *block.notes, *check_modulation(block)]
    if block.column("_atom_site_label_atom_id") is not None:
        raise StructureError(
            "it is a macromolecular file (mmCIF): give the CIF of a crystal with fractional coordinates"
        )
    lattice, cell_notes = read_cell(block)
    statements = read_statements(block)
    expected = set() if statements.formula is None else set(statements.formula.get_el_amt_dict())
    sites, site_notes = read_sites(block, lattice, expected)
    labels = mixed_labels(sites)
    if labels:
        site_notes.append(f"Labels that name several elements are read by their type symbol: {shortened(labels)}.")
    symmetry, crystal, agreement_notes = _choose(block, lattice, statements, sites)
    fit_notes = metric_notes(symmetry.operations, lattice)
    structure_notes = [
        *found,
        *cell_notes,
        *statements.notes,
        *symmetry.notes,
        *fit_notes,
        *site_notes,
        *crystal.notes,
        *agreement_notes,
    ]
    return CifReading(crystal.structure, block.name, tuple(dict.fromkeys(structure_notes)))


def _choose(
    block: CifBlock, lattice: Lattice, statements: Statements, sites: list[CifSite]
) -> tuple[Symmetry, Crystal, tuple[str, ...]]:
    """Take the one reading of the symmetry that agrees with all that the file says."""
    symmetries = stated_symmetries(block, lattice)
    agreeing: list[tuple[Symmetry, Crystal, tuple[str, ...], bool]] = []
    refusals: list[StructureError] = []
    for symmetry in symmetries:
        try:
            crystal, notes, confirmed = _agreeing(block, lattice, statements, sites, symmetry)
        except StructureError as error:
            refusals.append(error)
        else:
            agreeing.append((symmetry, crystal, notes, confirmed))
    if len(agreeing) > 1 and any(confirmed for *_, confirmed in agreeing):
        agreeing = [found for found in agreeing if found[3]]
    if not agreeing:
        raise refusals[0]
    symmetry, crystal, notes, _ = agreeing[0]
    if len(agreeing) > 1 and not all(_same(crystal.structure, other.structure) for _, other, _, _ in agreeing[1:]):
        origins = " or ".join(other.origin for other, *_ in agreeing)
        raise StructureRejection(
            RejectionCode.NOT_A_CRYSTAL,
            f"its symmetry can be that of {origins}, and nothing in the file decides between them: give the symmetry "
            "operations",
        )
    return symmetry, crystal, notes


def _agreeing(
    block: CifBlock, lattice: Lattice, statements: Statements, sites: list[CifSite], symmetry: Symmetry
) -> tuple[Crystal, tuple[str, ...], bool]:
    crystal = build_crystal(block, sites, symmetry.operations, lattice)
    agreement = compare(crystal, statements)
    if agreement.refusals and statements.formula is not None and statements.units is not None:
        # SHELX counts an atom on a mirror as half: taken only where formula and Z say so
        with contextlib.suppress(StructureError):
            other = build_crystal(block, sites, symmetry.operations, lattice, reduced_occupancies=True)
            outcome = compare(other, statements)
            if outcome.confirmed and not outcome.refusals:
                validate_structure(other.structure)
                note = (
                    "Occupancies are taken as divided by the order of the site's symmetry, as SHELX counts: only so "
                    "they agree with formula and Z."
                )
                return other, (*outcome.notes, note), True
    validate_structure(crystal.structure)
    if agreement.refusals:
        raise agreement.refusals[0]
    return crystal, agreement.notes, agreement.confirmed


def _same(one: Structure, other: Structure) -> bool:
    from pymatgen.analysis.structure_matcher import StructureMatcher

    if len(one) != len(other):
        return False
    return bool(
        StructureMatcher(primitive_cell=False, scale=False, ltol=0.01, stol=0.02, angle_tol=0.5).fit(one, other)
    )


def _without_atoms(blocks: list[CifBlock]) -> str:
    if any(name.startswith("_atom_site_") for block in blocks for name in block.columns):
        return "its atoms have no coordinates: give a file that places them"
    if not blocks:
        return "it holds no data block: give a CIF with a crystal"
    names = ", ".join(block.name or "(no name)" for block in blocks[:4])
    return f"none of its data blocks ({names}) holds atoms: give the file of the structure itself"
