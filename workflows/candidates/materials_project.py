"""Candidates from the Materials Project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ...database.documents.candidate_summary import CandidateOrigin
from ...errors import SettingsError, StructureError
from .source import CandidateSource, CandidateSourceSettings, RawCandidate, UnreadableCandidate

KEY_VARIABLE = "MP_API_KEY"
"""Environment variable that holds the user's key."""

_INSTALL = "pip install 'superion[databases]'"
_FIELDS = ["material_id", "formula_pretty", "structure"]


class MaterialsProjectSettings(CandidateSourceSettings):
    """A query to the Materials Project; the key comes from the environment variable MP_API_KEY."""

    kind: Literal["materials_project"] = "materials_project"
    material_ids: tuple[str, ...] = Field(default=(), description="entries by number, such as mp-985592")
    chemical_systems: tuple[str, ...] = Field(
        default=(), description="systems such as Li-P-S; exactly these elements; * stands for any element"
    )
    elements: tuple[str, ...] = Field(default=(), description="elements that must all be there")
    exclude_elements: tuple[str, ...] = Field(default=(), description="elements that must not be there")
    maximum_energy_above_hull_ev_per_atom: float | None = Field(
        default=None, ge=0, description="greatest energy above hull in eV/atom, by the database's own DFT; null for any"
    )
    maximum_sites: int | None = Field(default=None, ge=1, description="most sites of the primitive cell; null for any")
    maximum_structures: int = Field(default=1000, ge=1, le=100_000, description="most structures, in order of number")

    @model_validator(mode="after")
    def _asks_for_something(self) -> MaterialsProjectSettings:
        if not (self.material_ids or self.chemical_systems or self.elements):
            raise ValueError("name material_ids, chemical_systems or elements: the whole database is no campaign")
        return self


class MaterialsProjectSource(CandidateSource):
    """Asks the Materials Project by its own client.

    References
    ----------
    A. Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323.
    """

    kind: ClassVar[str] = "materials_project"
    description: ClassVar[str] = "the Materials Project; needs a key in the environment variable MP_API_KEY"
    settings_model: ClassVar[type[CandidateSourceSettings]] = MaterialsProjectSettings

    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Ask the database.

        Parameters
        ----------
        settings : MaterialsProjectSettings
            The query.
        base_folder : Path
            Not used.

        Yields
        ------
        RawCandidate or UnreadableCandidate
            One for each entry, in order of their numbers.

        Raises
        ------
        SettingsError
            If the client is not installed, there is no key, or the database does not answer.
        """
        from ...structures.validate import validate_structure

        for entry in _entries(settings):
            number = str(entry["material_id"])
            origin = CandidateOrigin(source=self.kind, identifier=number)
            label = f"{entry.get('formula_pretty') or ''} {number}".strip()
            try:
                structure = _as_structure(entry.get("structure"))
                validate_structure(structure)
            except StructureError as error:
                yield UnreadableCandidate(label, origin, f"{number}: {error}")
                continue
            yield RawCandidate(structure, label, origin)


def _as_structure(value: Any) -> Any:
    """Take the structure of an entry, which the client gives as an object or as plain data."""
    from pymatgen.core import Structure

    from ...structures.plain_structure import structure_from_plain

    if isinstance(value, Structure):
        return value.copy(site_properties={}) if value.site_properties else value
    if not isinstance(value, dict):
        raise StructureError("The entry has no structure: leave it out.")
    return structure_from_plain(value)


def _entries(settings: MaterialsProjectSettings) -> list[dict[str, Any]]:
    """Ask for entries, sorted by number."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise SettingsError(
            f"The Materials Project needs a key: put yours into the environment variable {KEY_VARIABLE}, "
            "see https://materialsproject.org/api."
        )
    try:
        from mp_api.client import MPRester
    except ImportError:
        raise SettingsError(f"The client of the Materials Project is not installed: {_INSTALL}") from None
    criteria = _criteria(settings)
    try:
        with MPRester(key, use_document_model=False, mute_progress_bars=True) as client:
            found = client.materials.summary.search(**criteria, fields=_FIELDS)
    except Exception as error:
        # the client raises its own errors, those of requests and those of its data models; none may show the key
        reason = " ".join(str(error).replace(key, "…").split())[:200]
        raise SettingsError(
            f"The Materials Project did not answer as it should ({type(error).__name__}: {reason}): check the key in "
            f"{KEY_VARIABLE}, the query and the network."
        ) from None
    entries = [dict(entry) for entry in found]
    return sorted(entries, key=lambda entry: _number(str(entry["material_id"])))[: settings.maximum_structures]


def _criteria(settings: MaterialsProjectSettings) -> dict[str, Any]:
    """Translate the settings into the client's words."""
    criteria: dict[str, Any] = {
        "material_ids": list(settings.material_ids),
        "chemsys": list(settings.chemical_systems),
        "elements": list(settings.elements),
        "exclude_elements": list(settings.exclude_elements),
    }
    criteria = {name: value for name, value in criteria.items() if value}
    if settings.maximum_energy_above_hull_ev_per_atom is not None:
        criteria["energy_above_hull"] = (0.0, settings.maximum_energy_above_hull_ev_per_atom)
    if settings.maximum_sites is not None:
        criteria["num_sites"] = (1, settings.maximum_sites)
    return criteria


def _number(material_id: str) -> tuple[int, str]:
    """Sort mp-2 before mp-10."""
    digits = re.search(r"\d+", material_id)
    return (int(digits[0]) if digits else 0, material_id)
