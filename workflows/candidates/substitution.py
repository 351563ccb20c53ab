"""Candidates made from parent structures by substituting elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ...database.documents.candidate_summary import CandidateOrigin
from ...errors import StructureError
from .files import find_files
from .one_file import read_candidates_of_file
from .source import CandidateSource, CandidateSourceSettings, RawCandidate, UnreadableCandidate

Part = Annotated[float, Field(gt=0, le=1)]
"""Part of the host's atoms that is replaced."""

SpeciesMap = dict[str, str | dict[str, Part]]
"""What replaces each host: an element, or elements with their parts."""


class SubstitutionSettings(CandidateSourceSettings):
    """Substitutions on parent structures."""

    kind: Literal["substitution"] = "substitution"
    parents: tuple[str, ...] = Field(
        min_length=1, description="files, folders, globs or names of shipped examples, as in a source of kind files"
    )
    maps: tuple[SpeciesMap, ...] = Field(
        min_length=1,
        description="substitutions, each tried on every parent: {S: Se} replaces all, {P5+: {Ge4+: 0.2}} a part",
    )
    compensate_with: tuple[str, ...] | None = Field(
        default=None,
        description="elements that are added or removed to keep the charge, each giving a candidate; null takes the "
        "mobile ion",
    )

    @field_validator("maps")
    @classmethod
    def _name_elements(cls, value: tuple[SpeciesMap, ...]) -> tuple[SpeciesMap, ...]:
        for species_map in value:
            if not species_map:
                raise ValueError("a substitution is empty: name a host and what replaces it, or take it out")
            for host, guests in species_map.items():
                for text in (host, *([guests] if isinstance(guests, str) else guests)):
                    _check_species(text)
                if not guests:
                    raise ValueError(f"nothing replaces {host}: name an element")
                if not isinstance(guests, str) and sum(guests.values()) > 1.0 + 1e-9:
                    raise ValueError(f"the parts of {host} that are replaced add up to more than 1: lower them")
        return value

    @field_validator("compensate_with")
    @classmethod
    def _are_elements(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for text in value or ():
            _check_species(text)
        return value


class SubstitutionSource(CandidateSource):
    """Tries every substitution on every parent; one that cannot keep the charge is a rejection with its reason."""

    kind: ClassVar[str] = "substitution"
    description: ClassVar[str] = "substitution of elements in parent structures, whole or in part, with charge balance"
    settings_model: ClassVar[type[CandidateSourceSettings]] = SubstitutionSettings

    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Substitute in the order of parents, and of maps for each.

        Parameters
        ----------
        settings : SubstitutionSettings
            Parents and maps.
        base_folder : Path
            Folder of the campaign file.

        Yields
        ------
        RawCandidate or UnreadableCandidate
            One for each compensation of each substitution.

        Raises
        ------
        SettingsError
            If the path of a parent leads to nothing.
        """
        for file, identifier in find_files(settings.parents, base_folder):
            origin = CandidateOrigin(source=self.kind, identifier=identifier)
            for parent in read_candidates_of_file(file, Path(identifier).name, origin):
                if isinstance(parent, UnreadableCandidate):
                    yield parent
                    continue
                for species_map in settings.maps:
                    yield from self._substitute(parent, species_map, settings.compensate_with)

    def _substitute(
        self, parent: RawCandidate, species_map: SpeciesMap, compensate_with: tuple[str, ...] | None
    ) -> Iterator[RawCandidate | UnreadableCandidate]:
        from ...structures.substitute import substitute
        from ...structures.validate import validate_structure

        written = describe(species_map)
        label = f"{parent.label} {written}"
        origin = parent.origin.model_copy(update={"identifier": f"{parent.origin.identifier} with {written}"})
        try:
            made = substitute(parent.structure, species_map, compensate_with=compensate_with)
            for structure in made:
                validate_structure(structure)
        except StructureError as error:
            yield UnreadableCandidate(label, origin, f"{label}: {error}")
            return
        for number, structure in enumerate(made, start=1):
            several = len(made) > 1
            where = origin.model_copy(update={"identifier": f"{origin.identifier} #{number}"}) if several else origin
            yield RawCandidate(structure, f"{label} #{number}" if several else label, where, notes=parent.notes)


def describe(species_map: Mapping[str, str | Mapping[str, float]]) -> str:
    """Write a substitution as a reader does.

    Parameters
    ----------
    species_map : mapping
        What replaces each host.

    Returns
    -------
    str
        Such as ``P5+→0.2 Ge4+, S→Se``.

    Examples
    --------
    >>> describe({"P5+": {"Ge4+": 0.2}, "S": "Se"})
    'P5+→0.2 Ge4+, S→Se'
    """
    parts = []
    for host, guests in species_map.items():
        if isinstance(guests, str):
            parts.append(f"{host}→{guests}")
        else:
            parts.append(f"{host}→{' + '.join(f'{part:g} {guest}' for guest, part in guests.items())}")
    return ", ".join(parts)


def _check_species(text: str) -> None:
    """Refuse what is neither an element nor an ion."""
    from ...structures.mobile_ion import parse_ion

    try:
        parse_ion(text)
    except StructureError:
        raise ValueError(f"'{text}' is neither an element nor an ion: write it such as Ge or Ge4+") from None
