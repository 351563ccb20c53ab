"""The composition that a CIF states, beside the one of its sites."""

from __future__ import annotations

import re

from pymatgen.core import Composition

_TERM = re.compile(r"([A-Z][a-z]?)\s*(\d+(?:\.\d*)?|\.\d+)?(?:\(\d+\))?")
_ISOTOPES = {"D": "H", "T": "H"}


def declared_composition(formula: str) -> Composition | None:
    """Read the chemical formula that a CIF states for its material.

    Databases keep the full formula where the refinement could not place all atoms: hydrogen and mobile ions, above
    all. Deuterium and tritium count as hydrogen.

    Parameters
    ----------
    formula : str
        Value of ``_chemical_formula_sum``.

    Returns
    -------
    Composition or None
        In the unit that the file uses; None when it cannot be understood.

    Examples
    --------
    >>> declared_composition("Li2 O1 H1 Br1").reduced_formula
    'Li2HBrO'
    """
    # a charge at the end says nothing of the atoms
    formula = re.sub(r"\s+\d*[+-]$", "", formula.strip())
    if not formula or _TERM.sub("", formula).strip(" \t\r\n,"):
        return None
    amounts: dict[str, float] = {}
    for symbol, amount in _TERM.findall(formula):
        element = _ISOTOPES.get(symbol, symbol)
        amounts[element] = amounts.get(element, 0.0) + (float(amount) if amount else 1.0)
    return _valid(amounts)


def declared_moieties(formula: str) -> Composition | None:
    """Read a formula of ions and molecules, or one with brackets.

    Parameters
    ----------
    formula : str
        Value of ``_chemical_formula_moiety`` or ``_chemical_formula_structural``.

    Returns
    -------
    Composition or None
        The sum; None when it cannot be understood.

    Examples
    --------
    >>> declared_moieties("Li 1+, 2(H2 O)").formula
    'Li1 H4 O2'
    >>> declared_moieties("Li2 (P O3)").formula
    'Li2 P1 O3'
    """
    total: dict[str, float] = {}
    for part in re.split(r"[,;]", formula):
        part = re.sub(r"\s*\d*[+-]\s*(?=\)|$)", "", part.strip())
        found = re.fullmatch(r"(\d+(?:\.\d+)?)?\s*(.+)", part)
        if found is None or re.search(r"[^A-Za-z0-9.()\[\]\s]", found[2]):
            return None
        compact = re.sub(r"\s+", "", found[2]).replace("[", "(").replace("]", ")")
        if not re.match(r"[(A-Z]", compact):
            return None
        try:
            composition = Composition(compact)
        except (ValueError, KeyError, TypeError):
            return None
        for symbol, amount in composition.get_el_amt_dict().items():
            element = _ISOTOPES.get(symbol, symbol)
            total[element] = total.get(element, 0.0) + float(found[1] or 1) * amount
    return _valid(total)


def _valid(amounts: dict[str, float]) -> Composition | None:
    try:
        composition = Composition(amounts)
    except (ValueError, KeyError):
        return None
    return composition if composition.valid and composition.num_atoms > 0 else None
