"""What a source of candidates is: settings, and a stream of crystals or of reasons why there is none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from ...database.documents.candidate_summary import CandidateOrigin
from ...database.properties import PropertyEstimate

if TYPE_CHECKING:
    from pymatgen.core import Structure


class CandidateSourceSettings(BaseModel):
    """Base of the settings of a source: strict, every field described, and `kind` a literal with its own default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: str


@dataclass(frozen=True)
class RawCandidate:
    """A crystal as a source gave it.

    Parameters
    ----------
    structure : Structure
        The crystal, perhaps with partial occupancies.
    label : str
        Name of the material for readers.
    origin : CandidateOrigin
        Where it came from.
    measured : dict of str to PropertyEstimate
        Measured properties that the source carries along, by name.
    notes : tuple of str
        What was noticed while reading.
    expected_composition : str or None
        Formula of what the material is known to hold, in any amount; a structure that lacks part of it is rejected.
    """

    structure: Structure
    label: str
    origin: CandidateOrigin
    measured: dict[str, PropertyEstimate] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    expected_composition: str | None = None


@dataclass(frozen=True)
class UnreadableCandidate:
    """An entry of a source that gave no crystal; it stays in the campaign as a rejected row.

    Parameters
    ----------
    label : str
        Name of the material for readers.
    origin : CandidateOrigin
        Where it came from.
    reason : str
        Why it cannot be used, one sentence.
    """

    label: str
    origin: CandidateOrigin
    reason: str


class CandidateSource(ABC):
    """One kind of source.

    A subclass is found by its entry point in the group `superion.candidate_sources`. It imports its library inside
    `read`, so that the list of sources works where the library is missing.
    """

    kind: ClassVar[str]
    """Name in the campaign file."""
    description: ClassVar[str]
    """One sentence for listings."""
    settings_model: ClassVar[type[CandidateSourceSettings]]
    """Settings that the campaign file may give."""

    @abstractmethod
    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Give the candidates one after the other.

        Parameters
        ----------
        settings : CandidateSourceSettings
            An instance of `settings_model`.
        base_folder : Path
            Folder of the campaign file; relative paths start there.

        Yields
        ------
        RawCandidate or UnreadableCandidate
            One for each entry; an entry that cannot be read never ends the stream.

        Raises
        ------
        SuperionError
            If the source as a whole cannot be read: no such folder, no key, no network.
        """
