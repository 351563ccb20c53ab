"""What a CIF says of its crystal beside cell, symmetry and atoms."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Composition

from ..declared_composition import declared_composition, declared_moieties
from .block import CifBlock
from .numbers import CifNumber, parse_number

_LARGEST_DENSITY = 100.0
"""In g/cm³; some programs write kg/m³."""

_WEIGHT_WORTH_SAYING = 0.02


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
    notes : tuple of str
        What could not be understood, or was converted.
    """

    formula: Composition | None
    formula_text: str
    units: float | None
    weight: float | None
    density: float | None
    measured_density: float | None
    volume: CifNumber | None
    notes: tuple[str, ...] = ()


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
    weight = _positive(block, "_chemical_formula_weight")
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
    notes: list[str] = []
    if text and formula is None:
        notes.append(f"The formula '{' '.join(text.split())}' cannot be read and is not compared with the atoms.")
    elif formula is not None and weight is not None and abs(weight / formula.weight - 1.0) > _WEIGHT_WORTH_SAYING:
        notes.append(
            f"The formula weight of the file, {weight:g}, is not that of its formula '{' '.join(text.split())}', "
            f"{formula.weight:.2f}: the formula is used."
        )
    return Statements(
        formula,
        " ".join(text.split()),
        _positive(block, "_cell_formula_units_z"),
        weight,
        _density(block, "_exptl_crystal_density_diffrn", notes),
        _density(block, "_exptl_crystal_density_meas", notes),
        parse_number(block.value("_cell_volume") or ""),
        tuple(notes),
    )


def _positive(block: CifBlock, name: str) -> float | None:
    number = parse_number(block.value(name) or "")
    return number.value if number is not None and number.value > 0.0 else None


def _density(block: CifBlock, name: str, notes: list[str]) -> float | None:
    value = _positive(block, name)
    if value is None or value <= _LARGEST_DENSITY:
        return value
    notes.append(f"The density {value:g} is taken to be in kg/m³.")
    return value / 1000.0
