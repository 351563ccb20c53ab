"""Candidates for campaigns: one host at several states of charge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field
from superion.database.documents.candidate_summary import CandidateOrigin
from superion.structures.read import read_structure
from superion.workflows.candidates.source import CandidateSource, CandidateSourceSettings, RawCandidate


class ChargeStatesSettings(CandidateSourceSettings):
    """A host and what leaves it."""

    kind: Literal["charge_states"] = "charge_states"
    host: str = Field(description="structure file, from the folder of the campaign file")
    ion: str = Field(default="Li", description="element that leaves")
    removed: tuple[int, ...] = Field(description="ions that have left, one number for each candidate")
    shrinkage_percent: float = Field(description="loss of volume for each ion that leaves, in percent")


class ChargeStatesSource(CandidateSource):
    """Gives the host at each state of charge."""

    kind: ClassVar = "charge_states"
    description: ClassVar = "a host at several states of charge"
    settings_model: ClassVar = ChargeStatesSettings

    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate]:
        """Take ions off the host, once for each state."""
        host = read_structure(str(base_folder / settings.host))
        ions = [index for index, site in enumerate(host) if site.specie.symbol == settings.ion]
        for removed in settings.removed:
            structure = host.copy()
            structure.remove_sites(ions[:removed])
            structure.scale_lattice(host.volume * (1.0 - settings.shrinkage_percent / 100.0) ** removed)
            origin = CandidateOrigin(source=self.kind, identifier=f"{settings.host} without {removed} {settings.ion}")
            yield RawCandidate(structure, f"{Path(settings.host).stem} - {removed} {settings.ion}", origin)
