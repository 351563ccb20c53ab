"""What a CIF says of its crystal beside cell, symmetry and atoms."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Composition

from ..declared_composition import declared_composition, declared_moieties
from .block import CifBlock
from .numbers import CifNumber, parse_number


@dataclass(frozen=True)
class Statements:
    """Further statements of a file, to compare with what was read.

    Attributes
    ----------
    formula : Composition or None
        Chemical formula.
    formula_text : str
        As written.
    units : float or None
        Number of formula units in the cell, Z.
    weight : float or None
        Mass of the formula in daltons.
    density : float or None
        Calculated density in g/cm³.
    measured_density : float or None
        Measured density in g/cm³.
    volume : CifNumber or None
        Volume of the cell in Å³.
    """

    formula: Composition | None
    formula_text: str
    units: float | None
    weight: float | None
    density: float | None
    measured_density: float | None
    volume: CifNumber | None


def read_statements(block: CifBlock) -> Statements:
    """Take the statements out of a block.

    Parameters
    ----------
    block : CifBlock
        A block with atoms.

    Returns
    -------
    Statements
        Those that can be understood.
    """
    formula, text = None, block.value("_chemical_formula_sum") or ""
    if text:
        formula = declared_composition(text)
    if formula is None:
        for name in ("_chemical_formula_moiety", "_chemical_formula_structural"):
            other = block.value(name) or ""
            formula = declared_moieties(other) if other else None
            if formula is not None:
                text = other
                break
    return Statements(
        formula,
        " ".join(text.split()),
        _positive(block, "_cell_formula_units_z"),
        _positive(block, "_chemical_formula_weight"),
        _density(block, "_exptl_crystal_density_diffrn"),
        _density(block, "_exptl_crystal_density_meas"),
        parse_number(block.value("_cell_volume") or ""),
    )


def _positive(block: CifBlock, name: str) -> float | None:
    number = parse_number(block.value(name) or "")
    return number.value if number is not None and number.value > 0.0 else None


def _density(block: CifBlock, name: str) -> float | None:
    value = _positive(block, name)
    # some programs write kg/m³
    return value / 1000.0 if value is not None and value > 100.0 else value
