"""Where the competitors of a material come from: the shipped set, a user's folder, the Materials Project."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from ..errors import SettingsError
from ..files import write_text_atomically
from ..structures.reference_phases import ReferencePhase, folder_phases, phases_within, shipped_phases

SourceName = Literal["shipped", "folder", "materials_project"]
KEY_VARIABLE = "MP_API_KEY"
_ABOVE_HULL_EV_PER_ATOM = 0.03
"""Phases of the Materials Project that are higher than this compete with nothing, whichever potential is asked."""


class PhaseSources(BaseModel):
    """Where competing phases come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[SourceName, ...] = Field(default=("shipped",), min_length=1, description="sources, all of them used")
    folder: str | None = Field(default=None, description="folder of the source 'folder'")
    folder_is_complete: bool = Field(default=False, description="whether that folder holds all phases that compete")

    @property
    def may_be_complete(self) -> bool:
        """Whether one of the sources counts as holding all phases that compete."""
        return "materials_project" in self.names or ("folder" in self.names and self.folder_is_complete)


@dataclass(frozen=True)
class CompetingPhases:
    """The competitors of a material.

    Parameters
    ----------
    phases : tuple of ReferencePhase
        Each name once.
    is_complete : bool
        Whether they are all that there are, as far as their source knows.
    """

    phases: tuple[ReferencePhase, ...]
    is_complete: bool


class Competitor(BaseModel):
    """What a comparison needs to know of a competitor, but its energy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the phase")
    formula: str = Field(description="reduced formula")
    is_verified: bool = Field(description="whether its crystal was compared with an open collection")


class CompetitorSet(BaseModel):
    """The competitors of a material, as they are handed to the job that compares it with them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phases: tuple[Competitor, ...] = Field(description="each name once")
    are_complete: bool = Field(description="whether they are all that there are, as far as their source knows")

    @classmethod
    def of(cls, found: CompetingPhases) -> CompetitorSet:
        """Leave the structures out.

        Parameters
        ----------
        found : CompetingPhases
            The competitors.

        Returns
        -------
        CompetitorSet
            The same, small.
        """
        phases = [
            Competitor(name=phase.name, formula=phase.formula, is_verified=phase.verified is not None)
            for phase in found.phases
        ]
        return cls(phases=tuple(phases), are_complete=found.is_complete)


def competing_phases(elements: Sequence[str], sources: PhaseSources, checkpoint_root: Path) -> CompetingPhases:
    """Collect the competitors of a chemical system.

    Parameters
    ----------
    elements : sequence of str
        Element symbols.
    sources : PhaseSources
        Where to look.
    checkpoint_root : Path
        Folder in which answers of the Materials Project are kept, so that a campaign sees the same ones throughout.

    Returns
    -------
    CompetingPhases
        The phases, and whether more are to be expected.

    Raises
    ------
    SettingsError
        If the Materials Project is asked for without a key or its client.
    StructureError
        If the folder cannot be read.

    Examples
    --------
    >>> found = competing_phases(["Li", "Cl"], PhaseSources(), Path("unused"))
    >>> [phase.name for phase in found.phases], found.is_complete
    (['Cl2', 'Li', 'LiCl'], False)
    """
    found: dict[str, ReferencePhase] = {}
    for name in sources.names:
        if name == "shipped":
            phases = shipped_phases(elements)
        elif name == "folder":
            phases = tuple(phases_within(folder_phases(Path(sources.folder or ".")), elements))
        else:
            phases = materials_project_phases(elements, checkpoint_root)
        for phase in phases:
            label = phase.name if phase.name not in found else f"{phase.name} ({name})"
            found[label] = phase.model_copy(update={"name": label})
    return CompetingPhases(tuple(found.values()), sources.may_be_complete)


def check_sources(sources: PhaseSources) -> None:
    """Refuse sources that cannot be read here.

    Parameters
    ----------
    sources : PhaseSources
        Where competing phases are to come from.

    Raises
    ------
    SettingsError
        Naming what is missing.
    StructureError
        If the folder cannot be read.
    """
    if "folder" in sources.names:
        if sources.folder is None:
            raise SettingsError("The references name 'folder', but no folder is given: set folder to its path.")
        folder_phases(Path(sources.folder))
    if "materials_project" in sources.names:
        _materials_project_key()


def materials_project_phases(elements: Sequence[str], checkpoint_root: Path) -> tuple[ReferencePhase, ...]:
    """Ask the Materials Project for the phases on or near its hull; an answer is kept and not asked for again.

    Parameters
    ----------
    elements : sequence of str
        Element symbols.
    checkpoint_root : Path
        Folder in which answers are kept.

    Returns
    -------
    tuple of ReferencePhase
        Up to 30 meV per atom above its hull.

    Raises
    ------
    SettingsError
        If there is no key, or no client.
    """
    system = "-".join(sorted(elements))
    kept = checkpoint_root / "reference_phases" / f"materials_project_{system}.json"
    if not kept.exists():
        write_text_atomically(kept, json.dumps(_ask_materials_project(system)))
    return tuple(
        ReferencePhase(
            name=f"{entry['formula']} ({entry['identifier']})",
            formula=entry["formula"],
            structure=Structure.from_dict(entry["structure"]),
            source=f"Materials Project {entry['identifier']} (CC BY 4.0)",
        )
        for entry in json.loads(kept.read_text(encoding="utf-8"))
    )


def _materials_project_key() -> str:
    """Find the key, and make sure of the client."""
    import importlib.util

    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise SettingsError(
            f"Competing phases from the Materials Project need a key: set {KEY_VARIABLE}, or use the shipped ones."
        )
    if importlib.util.find_spec("mp_api") is None:
        raise SettingsError(
            "Competing phases from the Materials Project need the package mp-api, which is not installed: "
            "run pip install 'superion[databases]'."
        )
    return key


def _ask_materials_project(system: str) -> list[dict]:
    """Download structures of a chemical system and of all systems inside it."""
    import itertools

    from mp_api.client import MPRester

    symbols = system.split("-")
    systems = ["-".join(part) for size in range(1, len(symbols) + 1) for part in itertools.combinations(symbols, size)]
    with MPRester(_materials_project_key(), mute_progress_bars=True) as client:
        documents = client.materials.summary.search(
            chemsys=systems,
            energy_above_hull=(0.0, _ABOVE_HULL_EV_PER_ATOM),
            fields=["material_id", "formula_pretty", "structure"],
        )
    return [
        {
            "identifier": str(document.material_id),
            "formula": document.formula_pretty,
            "structure": document.structure.as_dict(),
        }
        for document in sorted(documents, key=lambda document: str(document.material_id))
    ]
