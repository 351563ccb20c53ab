"""The stage that asks whether a material is stable against its competitors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from jobflow import Flow
from pydantic import Field, model_validator
from pymatgen.core import Structure

from ...errors import SuperionError
from ...makers.competing_phases import PhaseSources, SourceName, check_sources
from ...makers.relax import RelaxMaker
from ...makers.stage_stability import CompetingPhasesMaker, ReferencePhaseMaker, StabilityStageMaker
from ...structures.reference_phases import folder_fingerprint, shipped_set_fingerprint
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of
from .stage import Stage, StageContext, StageSettings

_USUAL_STEPS = 40
"""Optimiser steps of a structure that the stage before has relaxed; for plans only."""


class StabilitySettings(StageSettings):
    """Where competitors come from, and how all are relaxed."""

    references: tuple[SourceName, ...] = Field(
        default=("shipped",),
        min_length=1,
        description="where competing phases come from: shipped, folder, materials_project (key in MP_API_KEY)",
    )
    folder: str | None = Field(
        default=None,
        description="folder with structure files of competing phases, for the source 'folder'",
        json_schema_extra={"format": "path"},
    )
    folder_is_complete: bool = Field(
        default=False, description="whether that folder holds every phase that competes; else results are bounds"
    )
    window_tolerance_ev_per_atom: float = Field(
        default=0.05,
        ge=0,
        description="energy in eV per atom that decomposition may gain before a voltage counts as outside the window",
    )
    energy_error_ev_per_atom: float | None = Field(
        default=None, gt=0, description="standard error to assume for the energy above hull; null: none"
    )
    force_tolerance_ev_per_angstrom: float = Field(
        default=0.03, gt=0, description="largest force allowed after each relaxation in eV/Å"
    )
    maximum_steps: int = Field(default=500, gt=0, description="most steps of each relaxation")
    reference_fingerprint: str = Field(
        default="", description="digest of the shipped set and of the folder; superion fills it in"
    )

    @model_validator(mode="before")
    @classmethod
    def _know_the_references(cls, data: Any) -> Any:
        """Make another set of references another result: their digest is part of the settings."""
        if not isinstance(data, dict):
            return data
        names = data.get("references", ("shipped",))
        parts = []
        if "shipped" in names:
            parts.append(shipped_set_fingerprint())
        if "folder" in names and isinstance(folder := data.get("folder"), str) and Path(folder).is_dir():
            parts.append(folder_fingerprint(Path(folder)))
        return {**data, "reference_fingerprint": "-".join(parts)}

    @model_validator(mode="after")
    def _has_its_folder(self) -> StabilitySettings:
        if "folder" in self.references:
            if self.folder is None:
                raise ValueError("references name 'folder': give folder too")
            if not Path(self.folder).is_dir():
                raise ValueError(f"there is no folder '{self.folder}'")
        elif self.folder is not None:
            raise ValueError("folder is given, but references do not name 'folder'")
        return self

    def identity(self) -> dict[str, Any]:
        """Say what of the settings is part of a result's key.

        Returns
        -------
        dict
            The folder of competing phases by the digest of what is in it, wherever it lies.
        """
        plain = super().identity()
        return plain if self.folder is None else {**plain, "folder": self.reference_fingerprint}

    def sources(self) -> PhaseSources:
        """Say where competing phases come from.

        Returns
        -------
        PhaseSources
            As the Maker takes it; the folder's path is absolute, since jobs run elsewhere.
        """
        folder = None if self.folder is None else str(Path(self.folder).resolve())
        return PhaseSources(names=self.references, folder=folder, folder_is_complete=self.folder_is_complete)


class StabilityStage(Stage):
    """Energy above hull, decomposition products and electrochemical window, all by the campaign's potential."""

    name = "stability"
    description = "energy above hull and electrochemical window, against competing phases by the same potential"
    settings_model = StabilitySettings
    properties = (
        "energy_above_hull_ev_per_atom",
        "electrochemical_window_v",
        "reduction_limit_v",
        "oxidation_limit_v",
    )

    def make(self, structure: Structure, settings: StabilitySettings, context: StageContext) -> Flow:
        """Build the flow for one ordered structure.

        Parameters
        ----------
        structure : Structure
            Ordered structure, best a relaxed one.
        settings : StabilitySettings
            Competitors and relaxation.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.

        Raises
        ------
        SettingsError
            If the Materials Project is asked for without a key or its client.
        StructureError
            If the folder of competing phases cannot be read.
        """
        sources = settings.sources()
        check_sources(sources)
        identity = identity_of(self, structure, settings, context)
        candidate = candidate_of(structure, context)
        relax = RelaxMaker(
            potential=context.potential,
            force_tolerance_ev_per_angstrom=settings.force_tolerance_ev_per_angstrom,
            maximum_steps=settings.maximum_steps,
            checkpoint_root=checkpoint_root_of(context),
        )
        relaxation = relax.make(candidate)
        reference = ReferencePhaseMaker(relax=relax)
        competitors = CompetingPhasesMaker(reference=reference, sources=sources).make(candidate, relaxation.output)
        last = StabilityStageMaker(
            reference=reference,
            sources=sources,
            tolerance_ev_per_atom=settings.window_tolerance_ev_per_atom,
            energy_error_ev_per_atom=settings.energy_error_ev_per_atom,
        ).make(identity, candidate, relaxation.output, competitors.output)
        return assemble(identity, [relaxation, competitors], last, context)

    def bounds_only(self, settings: StabilitySettings) -> Mapping[str, Literal["upper", "lower"]]:
        """Name all that a further competing phase may change, where the references are known to lack some.

        Parameters
        ----------
        settings : StabilitySettings
            Competitors.

        Returns
        -------
        mapping of str to str
            Empty where the references may be complete. A phase that decomposes at every voltage has a window of
            zero, which is a value; of a width, that is the least there is, so it surpasses no upper bound.
        """
        if settings.sources().may_be_complete:
            return {}
        return {
            "energy_above_hull_ev_per_atom": "lower",
            "electrochemical_window_v": "upper",
            "reduction_limit_v": "lower",
            "oxidation_limit_v": "upper",
        }

    def problems_here(self, settings: StabilitySettings) -> list[str]:
        """Say whether a source of competing phases cannot be used: no key or client, a folder that cannot be read.

        Parameters
        ----------
        settings : StabilitySettings
            Competitors.

        Returns
        -------
        list of str
            One sentence, or none.
        """
        try:
            check_sources(settings.sources())
        except SuperionError as error:
            return [str(error)]
        return []

    def estimated_steps(
        self, structure: Structure, settings: StabilitySettings, context: StageContext
    ) -> list[tuple[int, int]]:
        """Guess the optimiser's steps for the material; its competitors are relaxed once for a whole campaign.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : StabilitySettings
            Relaxation.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        list of tuple of int
            One relaxation.
        """
        return [(min(settings.maximum_steps, _USUAL_STEPS), len(structure))]
