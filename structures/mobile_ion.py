"""Which ion moves, and the charge it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pymatgen.core import Element, Structure

from ..errors import StructureError
from .oxidation import guess_oxidation_states

USUAL_CHARGES: dict[str, float] = {
    "Li": 1.0,
    "Na": 1.0,
    "Ag": 1.0,
    "K": 1.0,
    "Rb": 1.0,
    "Cs": 1.0,
    "F": -1.0,
    "Mg": 2.0,
    "Zn": 2.0,
    "Ca": 2.0,
    "Sr": 2.0,
    "Ba": 2.0,
    "Al": 3.0,
    "O": -2.0,
}
"""Elements that carry the same charge in nearly every solid."""

GUESS_ORDER = ("Li", "Na", "Ag", "K", "Cu", "F", "Mg", "Zn", "Ca", "H", "O", "Al", "Cl", "Br", "I", "S")
"""Order in which the elements of a structure are taken for its mobile ion, most likely first."""


@dataclass(frozen=True)
class MobileIon:
    """The ion whose motion carries the current.

    Attributes
    ----------
    symbol : str
        Chemical symbol.
    charge : float
        Charge in elementary charges.
    guessed : bool
        Whether superion chose the element.
    note : str
        What was guessed and why, for the user to check; empty when nothing was.
    """

    symbol: str
    charge: float
    guessed: bool
    note: str


def resolve_mobile_ion(structure: Structure, symbol: str | None = None, charge: float | None = None) -> MobileIon:
    """Say which ion moves and which charge it carries, guessing what is not given.

    Parameters
    ----------
    structure : Structure
        The crystal.
    symbol : str, optional
        The mobile element, with its charge if wished (``Li``, ``Li+``, ``Mg2+``, ``O2-``); guessed when None.
    charge : float, optional
        Its charge in elementary charges. When None it is taken from the symbol, else from the oxidation states in
        the structure, else it is the element's usual one, else it is guessed from the composition.

    Returns
    -------
    MobileIon
        With a note on what was guessed.

    Raises
    ------
    StructureError
        When the structure holds no such ion, or none that is known to move.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> resolve_mobile_ion(salt).symbol
    'Li'
    """
    present = sorted({species.symbol for site in structure for species in site.species})
    notes = []
    guessed = symbol is None
    if symbol is None:
        symbol = _guess_symbol(structure, present)
        notes.append(f"mobile ion guessed: {symbol}")
    else:
        symbol, written_charge = parse_ion(symbol)
        charge = written_charge if charge is None else charge
        if symbol not in present:
            raise StructureError(
                f"The structure {structure.composition.reduced_formula} holds no {symbol}: its elements are "
                f"{', '.join(present)}."
            )
    if charge is None:
        charge, reason = _guess_charge(structure, symbol)
        notes.append(f"charge {charge:+g} {reason}")
    if charge == 0:
        raise StructureError(f"The mobile ion {symbol} must carry a charge: give one other than zero.")
    return MobileIon(symbol=symbol, charge=float(charge), guessed=guessed, note="; ".join(notes))


def parse_ion(text: str) -> tuple[str, float | None]:
    """Split an ion into its element and its charge.

    Parameters
    ----------
    text : str
        Such as ``Li``, ``Na+``, ``Mg2+`` or ``O2-``.

    Returns
    -------
    tuple of str and float or None
        Chemical symbol, and charge in elementary charges where it was written.

    Raises
    ------
    StructureError
        When it is neither an element nor an ion.

    Examples
    --------
    >>> parse_ion("O2-")
    ('O', -2.0)
    """
    match = re.fullmatch(r"([A-Za-z]{1,2})(?:(\d*)([+-]))?", text.strip())
    symbol = match.group(1).capitalize() if match else ""
    if match is None or not Element.is_valid_symbol(symbol):
        raise StructureError(f"'{text}' is not a chemical element or ion: give one such as Li, Na+ or O2-.")
    if match.group(3) is None:
        return symbol, None
    return symbol, float(match.group(2) or 1) * (1.0 if match.group(3) == "+" else -1.0)


def _guess_symbol(structure: Structure, present: list[str]) -> str:
    for candidate in GUESS_ORDER:
        if candidate not in present:
            continue
        # copper moves as Cu+; Cu2+ and Cu3+ belong to the framework of an oxide or halide
        if candidate == "Cu" and len(present) > 1 and abs(_guess_charge(structure, "Cu")[0] - 1.0) > 0.01:
            continue
        return candidate
    raise StructureError(
        f"None of the elements of {structure.composition.reduced_formula} ({', '.join(present)}) is known to move as "
        "an ion: name the mobile ion and its charge."
    )


def _guess_charge(structure: Structure, symbol: str) -> tuple[float, str]:
    written = {
        float(species.oxi_state)
        for site in structure
        for species in site.species
        if species.symbol == symbol and getattr(species, "oxi_state", None)
    }
    if len(written) == 1:
        return written.pop(), "from the structure's oxidation states"
    if symbol in USUAL_CHARGES:
        return USUAL_CHARGES[symbol], f"is usual for {symbol}"
    states, balanced = guess_oxidation_states(structure.composition)
    if balanced and states.get(symbol):
        return states[symbol], "guessed from the composition"
    common = Element(symbol).common_oxidation_states
    if not common:
        raise StructureError(f"The charge of {symbol} cannot be guessed: give it.")
    return float(common[0]), f"is the commonest for {symbol}, the composition does not tell"
