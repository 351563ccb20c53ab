"""Whether a crystal is the one that its file's formula, Z, density and volume speak of."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Composition

from ..completeness import check_amounts, check_elements
from ..mobile_ion import GUESS_ORDER
from ..rejection import RejectionCode, StructureRejection
from .crystal import Crystal
from .statements import Statements

_LARGEST_CHANGE = 0.05
"""Part of all atoms by which a file's own formula may differ from its atoms: nominal and refined compositions do."""

_UNITS_TOLERANCE = 0.06

_LARGEST_DENSITY_CHANGE = 0.05

_DENSITY_WORTH_SAYING = 0.02

_LARGEST_MEASURED_CHANGE = 0.2
"""Powders and grown crystals have pores and inclusions."""

_LARGEST_VOLUME_CHANGE = 0.01

_VOLUME_WORTH_SAYING = 0.002


@dataclass(frozen=True)
class Agreement:
    """The outcome of the comparison.

    Attributes
    ----------
    refusals : tuple of StructureRejection
        Contradictions.
    notes : tuple of str
        Small differences.
    confirmed : bool
        Whether formula and number of units, or formula and density, agree with the crystal.
    """

    refusals: tuple[StructureRejection, ...]
    notes: tuple[str, ...]
    confirmed: bool


def compare(crystal: Crystal, statements: Statements) -> Agreement:
    """Compare a crystal with the other statements of its file.

    Parameters
    ----------
    crystal : Crystal
        As built under one reading of the symmetry.
    statements : Statements
        Formula, Z, weight, densities, volume.

    Returns
    -------
    Agreement
        Contradictions, and whether the crystal is confirmed.
    """
    refusals: list[StructureRejection] = []
    notes: list[str] = []
    structure = crystal.structure
    composition = structure.composition.element_composition
    density = float(structure.density)
    same_density = statements.density is not None and abs(density / statements.density - 1) < _DENSITY_WORTH_SAYING
    formula_agrees = units_agree = False
    if statements.formula is not None:
        try:
            notes += _compare_formula(crystal, statements.formula, statements.formula_text)
            formula_agrees = True
        except StructureRejection as rejection:
            refusals.append(rejection)
    if formula_agrees or statements.formula is None:
        outcome = _compare_units(composition, statements)
        units_agree = outcome == ""
        if outcome and same_density:
            notes.append(f"{outcome[0].upper()}{outcome[1:]}; the density of the file confirms what is read.")
        elif outcome:
            refusals.append(StructureRejection(RejectionCode.WRONG_COMPOSITION, f"{outcome}: correct one of them"))
    confirmed = formula_agrees and (units_agree or same_density) and not refusals
    if statements.density is not None and not refusals:
        _compare_density(density, statements.density, confirmed, refusals, notes)
    if statements.measured_density is not None and not refusals:
        change = density / statements.measured_density - 1.0
        if abs(change) > _LARGEST_MEASURED_CHANGE and not confirmed and not same_density:
            refusals.append(
                StructureRejection(
                    RejectionCode.WRONG_COMPOSITION,
                    f"the crystal as read has a density of {density:.3f} g/cm³, and the file states a measured one of "
                    f"{statements.measured_density:g} g/cm³: correct the atoms, the symmetry or the density",
                )
            )
        elif abs(change) > _LARGEST_DENSITY_CHANGE:
            notes.append(
                f"The density as read, {density:.3f} g/cm³, differs from the measured one, "
                f"{statements.measured_density:g} g/cm³."
            )
    _compare_volume(float(structure.volume), statements, refusals, notes)
    if not confirmed:
        refusals += [
            StructureRejection(RejectionCode.WRONG_COMPOSITION, f"{text}: correct one of them")
            for text in crystal.other_multiplicities[:1]
        ]
        refusals += [StructureRejection(RejectionCode.IMPOSSIBLE_OCCUPANCY, text) for text in crystal.doubtful[:1]]
    else:
        notes += [f"{text[0].upper()}{text[1:]}; formula and Z agree." for text in crystal.other_multiplicities[:3]]
    return Agreement(tuple(refusals), tuple(notes), confirmed)


def _compare_formula(crystal: Crystal, formula: Composition, text: str) -> list[str]:
    structure = crystal.structure
    check_elements(structure, formula)
    extra = sorted(set(structure.composition.get_el_amt_dict()) - set(formula.get_el_amt_dict()))
    amounts = structure.composition.get_el_amt_dict()
    if extra and sum(amounts[symbol] for symbol in extra) > 0.01 * sum(amounts.values()):
        raise StructureRejection(
            RejectionCode.WRONG_COMPOSITION,
            f"the cell holds {structure.composition.formula}, and the file's formula '{text}' has no "
            f"{', '.join(extra)}: correct one of them",
        )
    mobile = next((symbol for symbol in GUESS_ORDER if symbol in formula and symbol != "H"), None)
    return check_amounts(
        structure.composition,
        formula,
        mobile,
        largest_change=_LARGEST_CHANGE,
        owner=f"the file's formula '{text}'",
    )


def _compare_units(composition: Composition, statements: Statements) -> str | None:
    """Compare the number of formula units; empty when it agrees, None when nothing is stated."""
    if statements.units is None:
        return None
    if statements.formula is not None:
        units = composition.num_atoms / statements.formula.num_atoms
        what = f"the file's formula '{statements.formula_text}'"
    elif statements.weight is not None:
        units = float(composition.weight) / statements.weight
        what = f"the file's formula weight {statements.weight:g}"
    else:
        return None
    if abs(units / statements.units - 1.0) < _UNITS_TOLERANCE:
        return ""
    if abs(units - 1.0) < _UNITS_TOLERANCE and statements.formula is not None:
        # pymatgen writes the content of the cell as the formula: all its amounts are multiples of Z
        shares = [amount / statements.units for amount in statements.formula.get_el_amt_dict().values()]
        if all(abs(share - round(share)) < 1e-3 for share in shares):
            return ""
    return (
        f"the cell as read holds {composition.formula}, {units:.4g} units of {what}, and the file states "
        f"Z = {statements.units:g}"
    )


def _compare_density(
    density: float, stated: float, confirmed: bool, refusals: list[StructureRejection], notes: list[str]
) -> None:
    change = abs(density / stated - 1.0)
    if change > _LARGEST_DENSITY_CHANGE and not confirmed:
        refusals.append(
            StructureRejection(
                RejectionCode.WRONG_COMPOSITION,
                f"the crystal as read has a density of {density:.3f} g/cm³, and the file states {stated:g} g/cm³: "
                "correct the atoms, the symmetry or the density",
            )
        )
    elif change > _DENSITY_WORTH_SAYING:
        notes.append(f"The density as read, {density:.3f} g/cm³, differs from that of the file, {stated:g} g/cm³.")


def _compare_volume(
    volume: float, statements: Statements, refusals: list[StructureRejection], notes: list[str]
) -> None:
    if statements.volume is None or statements.volume.value <= 0.0:
        return
    stated = statements.volume.value
    change = abs(volume / stated - 1.0)
    slack = (statements.volume.last_digit + 3.0 * statements.volume.uncertainty) / stated
    if change > _LARGEST_VOLUME_CHANGE + slack:
        refusals.append(
            StructureRejection(
                RejectionCode.NOT_A_CRYSTAL,
                f"the cell lengths and angles give a volume of {volume:.2f} Å³, and the file states "
                f"{statements.volume.text} Å³: correct one of them",
            )
        )
    elif change > _VOLUME_WORTH_SAYING + slack:
        notes.append(f"The cell's volume, {volume:.2f} Å³, differs from that of the file, {statements.volume.text} Å³.")
