"""Whether all atoms of a material are in its structure."""

from __future__ import annotations

from pymatgen.core import Composition, Structure

from .charge_range import charge_range
from .mobile_ion import GUESS_ORDER, parse_ion
from .oxygen_bonds import free_oxygen_valences
from .rejection import RejectionCode, StructureRejection

_LEAST_PART = 0.8
"""An element of which less than this part of the expected amount is there is missing."""

_LARGEST_CHANGE = 0.1
"""Part of all atoms by which a composition may differ from the expected one."""

_WORTH_SAYING = 0.02

_CHARGE_PER_ATOM = 0.05
"""Formal charge per atom that no rounding and no uncompensated dopant explains."""

_WATER_VALENCE = 0.5
"""Sum of bond valences of an oxygen below which it can only be water: 2 in an oxide, 1 in a hydroxide without its H."""

_HYDROXIDE_VALENCE = 1.0


def check_completeness(
    structure: Structure,
    mobile_ion: str | None = None,
    expected_composition: Composition | None = None,
    *,
    must_be_neutral: bool = True,
) -> list[str]:
    """Refuse a structure that lacks hydrogen, mobile ions or other atoms.

    With a known composition the amounts are compared, in units of the elements that neither move nor are hydrogen.
    Without one, oxygen that is bonded to next to nothing gives missing water away, and a formal charge that no common
    oxidation states balance gives other missing atoms away.

    Parameters
    ----------
    structure : Structure
        A crystal, perhaps with partial occupancies.
    mobile_ion : str, optional
        Element or ion that must be there, such as ``Li``.
    expected_composition : Composition, optional
        What the material is known to hold, in any unit.
    must_be_neutral : bool
        Whether a formal charge that no common oxidation states balance is refused.

    Returns
    -------
    list of str
        Remarks on differences that are allowed.

    Raises
    ------
    StructureRejection
        With the code ``missing_hydrogen``, ``missing_mobile_ion``, ``missing_element``, ``wrong_composition`` or
        ``not_neutral``.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.1), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> check_completeness(salt, "Li", Composition("LiCl"))
    []
    """
    notes = []
    mobile = None if mobile_ion is None else parse_ion(mobile_ion)[0]
    if expected_composition is not None:
        check_elements(structure, expected_composition, mobile)
        notes = check_amounts(structure.composition, expected_composition, mobile)
    if mobile is not None and mobile not in structure.composition.get_el_amt_dict():
        raise StructureRejection(
            RejectionCode.MISSING_MOBILE_ION,
            f"The structure {structure.composition.reduced_formula} holds no {mobile}: add the sites of the mobile "
            "ions, or name another mobile ion.",
        )
    check_hydrogen(structure)
    if must_be_neutral:
        _check_charge(structure)
    return notes


def check_elements(structure: Structure, expected_composition: Composition, mobile_ion: str | None = None) -> None:
    """Refuse a structure in which an expected element has no sites at all.

    Parameters
    ----------
    structure : Structure
        A crystal, perhaps with partial occupancies.
    expected_composition : Composition
        What the material is known to hold, in any unit.
    mobile_ion : str, optional
        Symbol of the element that moves; the likeliest one when None.

    Raises
    ------
    StructureRejection
        With the code ``missing_hydrogen``, ``missing_mobile_ion`` or ``missing_element``.
    """
    there = structure.composition.get_el_amt_dict()
    missing = sorted(symbol for symbol in expected_composition.get_el_amt_dict() if symbol not in there)
    if not missing:
        return
    if mobile_ion is None:
        mobile_ion = next((symbol for symbol in GUESS_ORDER if symbol in expected_composition), None)
    if "H" in missing and mobile_ion != "H":
        code = RejectionCode.MISSING_HYDROGEN
    elif mobile_ion in missing:
        code = RejectionCode.MISSING_MOBILE_ION
    else:
        code = RejectionCode.MISSING_ELEMENT
    raise StructureRejection(
        code,
        f"The material is {expected_composition.reduced_formula}, but its structure {structure.composition.formula} "
        f"has no sites of {', '.join(missing)}: add them, or give a structure that holds them.",
    )


def check_amounts(
    found: Composition,
    expected: Composition,
    mobile: str | None,
    *,
    largest_change: float = _LARGEST_CHANGE,
    owner: str = "the material",
) -> list[str]:
    """Compare the amounts of two compositions in units of the elements that neither move nor are hydrogen.

    Parameters
    ----------
    found : Composition
        What the cell holds; every element of the expected one is in it.
    expected : Composition
        What it should hold, in any unit.
    mobile : str or None
        Symbol of the element that moves.
    largest_change : float
        Part of all atoms by which they may differ.
    owner : str
        Who has the expected composition, for the messages.

    Returns
    -------
    list of str
        Remarks on differences that are allowed.

    Raises
    ------
    StructureRejection
        With the code ``missing_mobile_ion``, ``missing_hydrogen`` or ``wrong_composition``.
    """
    there, wanted = found.get_el_amt_dict(), expected.get_el_amt_dict()
    framework = [symbol for symbol in wanted if symbol not in (mobile, "H")] or list(wanted)
    scale = sum(there[symbol] for symbol in framework) / sum(wanted[symbol] for symbol in framework)
    wanted = {symbol: amount * scale for symbol, amount in wanted.items()}
    asked = Composition({symbol: round(amount, 3) for symbol, amount in wanted.items()}).formula
    changes = {symbol: there.get(symbol, 0.0) - wanted.get(symbol, 0.0) for symbol in sorted({*there, *wanted})}
    limit = largest_change * sum(wanted.values())
    if sum(abs(change) for symbol, change in changes.items() if symbol not in (mobile, "H")) <= limit:
        for symbol, code in ((mobile, RejectionCode.MISSING_MOBILE_ION), ("H", RejectionCode.MISSING_HYDROGEN)):
            if symbol in wanted and there[symbol] < _LEAST_PART * wanted[symbol]:
                raise StructureRejection(
                    code,
                    f"The cell {found.formula} holds {there[symbol]:.4g} {symbol} where {owner} has "
                    f"{wanted[symbol]:.4g}: add what is missing, or give another structure.",
                )
    change = sum(abs(change) for change in changes.values())
    # in units of the formula as written, so that rounding of small indices is not reported
    by_element = any(
        abs(changes[symbol]) > _WORTH_SAYING * max(amount, scale) for symbol, amount in wanted.items() if amount
    )
    if change > limit:
        raise StructureRejection(
            RejectionCode.WRONG_COMPOSITION,
            f"The cell holds {found.formula} where {owner} has {asked}: correct the occupancies, or give another "
            "structure.",
        )
    if by_element or change > _WORTH_SAYING * sum(wanted.values()):
        return [f"The structure's composition {found.formula} differs from that of {owner}, {asked}."]
    return []


def check_hydrogen(structure: Structure) -> None:
    """Refuse a structure whose water or hydroxide has no hydrogen.

    Water is judged oxygen by oxygen, so one molecule may not have its hydrogen beside another without.

    Parameters
    ----------
    structure : Structure
        A crystal, perhaps with partial occupancies.

    Raises
    ------
    StructureRejection
        With the code ``missing_hydrogen``.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> check_hydrogen(Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5] * 3]))
    """
    amounts = structure.composition.get_el_amt_dict()
    if "O" not in amounts or set(amounts) == {"O"}:
        # oxygen by itself is the element, a competing phase of oxides, and binds to nothing either
        return
    valences = free_oxygen_valences(structure)
    n_water = int((valences < _WATER_VALENCE).sum())
    formula = structure.composition.formula
    if n_water:
        there = "their hydrogen is not there" if "H" in amounts else "there is no hydrogen"
        raise StructureRejection(
            RejectionCode.MISSING_HYDROGEN,
            f"{n_water} oxygen atoms of {formula} are bonded as in water, but {there}: add its sites.",
        )
    n_hydroxide = int((valences < _HYDROXIDE_VALENCE).sum())
    if "H" in amounts or not n_hydroxide:
        return
    charge = _missing_charge(structure)
    if charge < 0.0 and n_hydroxide >= -charge - 0.5:
        raise StructureRejection(
            RejectionCode.MISSING_HYDROGEN,
            f"The cell {formula} lacks {-charge:.3g} positive charges and has oxygen that is bonded as in a hydroxide: "
            "add the sites of hydrogen.",
        )


def _check_charge(structure: Structure) -> None:
    charge = _missing_charge(structure)
    if not charge:
        return
    lacks = "positive charges: cations, such as mobile ions," if charge < 0.0 else "negative charges: anions"
    raise StructureRejection(
        RejectionCode.NOT_NEUTRAL,
        f"The cell {structure.composition.formula} lacks {abs(charge):.3g} {lacks} are missing or occupancies are "
        "wrong; correct them.",
    )


def _missing_charge(structure: Structure) -> float:
    """Charge nearest to zero that the oxidation states allow; zero where rounding explains it or nothing is known."""
    limits = charge_range(structure)
    if limits is None:
        return 0.0
    charge = max(limits[0], 0.0) + min(limits[1], 0.0)
    return 0.0 if abs(charge) <= _CHARGE_PER_ATOM * structure.composition.num_atoms else charge
