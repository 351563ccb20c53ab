"""Whether a structure is fit for a screening: composition, charge, mobile ion, distances, size."""

from __future__ import annotations

from pymatgen.core import Structure

from ..errors import StructureError
from .oxidation import guess_oxidation_states
from .validate import validate_structure


def unfit_reason(
    structure: Structure,
    mobile_ion: str,
    ion_charge: float,
    *,
    maximum_atoms: int = 400,
    must_be_neutral: bool = True,
) -> str | None:
    """Say why a structure cannot take part in a screening.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    mobile_ion : str
        Element symbol of the ion that should move.
    ion_charge : float
        Its formal charge in elementary charges.
    maximum_atoms : int
        The most atoms of one cell.
    must_be_neutral : bool
        Whether a composition that no usual oxidation states balance is unfit.

    Returns
    -------
    str or None
        One clause without a full stop; None where nothing speaks against it.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> unfit_reason(salt, "Li", 1.0) is None
    True
    >>> unfit_reason(salt, "Na", 1.0)
    'it holds no Na'
    """
    try:
        validate_structure(structure)
    except StructureError as error:
        return str(error).rstrip(".")
    if not structure.is_ordered:
        return "it has partial occupancies: order it first"
    if mobile_ion not in structure.symbol_set:
        return f"it holds no {mobile_ion}"
    if len(structure) > maximum_atoms:
        return f"its cell holds {len(structure)} atoms, more than the {maximum_atoms} allowed"
    if must_be_neutral:
        return _charge_problem(structure, mobile_ion, ion_charge)
    return None


def _charge_problem(structure: Structure, mobile_ion: str, ion_charge: float) -> str | None:
    """Say why the charges of a composition do not fit together."""
    composition = structure.composition
    states, is_balanced = guess_oxidation_states(composition)
    if len(states) == 1:
        return f"it is elemental {mobile_ion}, in which no ion carries charge"
    if not is_balanced:
        charge = sum(state * composition[symbol] for symbol, state in states.items())
        listed = ", ".join(f"{symbol} {state:+g}" for symbol, state in sorted(states.items()))
        return f"{composition.reduced_formula} is not charge-balanced: with {listed} the cell carries {charge:+.3g}"
    if states[mobile_ion] * ion_charge <= 0:
        return f"its charges balance only with {mobile_ion} {states[mobile_ion]:+g}, not {ion_charge:+g}"
    return None
