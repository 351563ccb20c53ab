"""A crystal structure as text to copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .html_parts import Markup, escape


def poscar_details(structure: Mapping[str, Any], summary: str) -> Markup:
    """Fold a structure, as POSCAR text, behind a line to click on.

    Parameters
    ----------
    structure : mapping
        As `Structure.as_dict` gives it; no other object that it may name is built.
    summary : str
        The line.

    Returns
    -------
    Markup
        HTML; empty where there is no full structure.

    Raises
    ------
    StructureError
        If it has sites but describes no crystal.
    """
    if not structure.get("sites"):
        return Markup("")
    from pymatgen.io.vasp import Poscar

    from ...structures.plain_structure import structure_from_plain

    text = str(Poscar(structure_from_plain(structure)).get_str(significant_figures=12))
    return Markup(f'<details class="raw"><summary>{escape(summary)}</summary><pre>{escape(text)}</pre></details>')
