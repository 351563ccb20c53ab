"""The composition that a CIF states, beside the one of its sites."""

from __future__ import annotations

import re

from pymatgen.core import Composition

_FORMULA = re.compile(
    r"""^_chemical_formula_sum\s+(?:'([^'\n]*)'|"([^"\n]*)"|;([^;]*);|([^\s'";]+)\s*$)""", re.MULTILINE | re.IGNORECASE
)
_TERM = re.compile(r"([A-Z][a-z]?)\s*(\d+(?:\.\d*)?|\.\d+)?(?:\(\d+\))?")
_ISOTOPES = {"D": "H", "T": "H"}


def declared_composition(cif: str) -> Composition | None:
    r"""Read the chemical formula that a CIF states for its material.

    Databases keep the full formula where the refinement could not place all atoms: hydrogen and mobile ions, above
    all. Deuterium and tritium count as hydrogen.

    Parameters
    ----------
    cif : str
        Text of a CIF.

    Returns
    -------
    Composition or None
        In the unit that the file uses; None when the file states no formula, states several, or cannot be understood.

    Examples
    --------
    >>> declared_composition("data_x\n_chemical_formula_sum 'Li2 O1 H1 Br1'").reduced_formula
    'Li2HBrO'
    """
    found = _FORMULA.findall(cif)
    if len(found) != 1:
        return None
    return _composition("".join(found[0]).strip())


def _composition(formula: str) -> Composition | None:
    if not formula or _TERM.sub("", formula).strip(" \t\r\n,"):
        return None
    amounts: dict[str, float] = {}
    for symbol, amount in _TERM.findall(formula):
        element = _ISOTOPES.get(symbol, symbol)
        amounts[element] = amounts.get(element, 0.0) + (float(amount) if amount else 1.0)
    try:
        composition = Composition(amounts)
    except (ValueError, KeyError):
        return None
    return composition if composition.valid and composition.num_atoms > 0 else None
