"""The stage that asks whether a material is stable against its competitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from jobflow import Flow, Job
from pydantic import Field, model_validator
from pymatgen.core import Structure

from ...errors import SuperionError
from ...makers.relax import RelaxMaker
from ...runtime.checkpoint_root import default_checkpoint_root
from ...runtime.competing_phases import (
    CompetingPhases,
    CompetitorSet,
    PhaseSources,
    SourceName,
    check_sources,
    competing_phases,
)
from ...runtime.job_names import sanitize_job_name
from ...structures.fingerprint import structure_fingerprint
from ...structures.reference_phases import ReferencePhase, folder_fingerprint, shipped_set_fingerprint
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of
from .shared_flow import SharedFlow, shared_key
from .stability_job import StabilityStageMaker
from .stage import Stage, StageContext, StageSettings
from .stage_document import stage_candidate

_KIND = "reference phase"
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
        identity = identity_of(self, structure, settings, context)
        candidate = candidate_of(structure, context)
        relaxation = self._relax_maker(settings, context).make(candidate)
        competitors = self._competitors(structure, settings, context)
        shared = self._shared(competitors, settings, context)
        last = StabilityStageMaker(
            potential=context.potential,
            tolerance_ev_per_atom=settings.window_tolerance_ev_per_atom,
            energy_error_ev_per_atom=settings.energy_error_ev_per_atom,
        ).make(
            identity,
            candidate,
            relaxation.output,
            CompetitorSet.of(competitors),
            {name: context.shared[flow.key] for name, flow in shared.items()},
        )
        return assemble(identity, [relaxation], last, context)

    def shared_flows(
        self, structure: Structure, settings: StabilitySettings, context: StageContext
    ) -> Sequence[SharedFlow]:
        """Declare the relaxations of the competitors: every material of their elements needs them.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : StabilitySettings
            Competitors and relaxation.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        sequence of SharedFlow
            One for each competitor; without one that fails, the others give bounds.

        Raises
        ------
        SettingsError
            If the Materials Project is asked for without a key or its client.
        StructureError
            If the folder of competing phases cannot be read.
        """
        return tuple(self._shared(self._competitors(structure, settings, context), settings, context).values())

    def _competitors(self, structure: Structure, settings: StabilitySettings, context: StageContext) -> CompetingPhases:
        """Collect the competitors of a material."""
        sources = settings.sources()
        check_sources(sources)
        elements = sorted({site.specie.symbol for site in structure})
        return competing_phases(elements, sources, _answers_folder(context))

    def _shared(
        self, competitors: CompetingPhases, settings: StabilitySettings, context: StageContext
    ) -> dict[str, SharedFlow]:
        """Describe the relaxation of each competitor, by its name."""
        found = {}
        for phase in competitors.phases:
            # the box of a molecule stays as it is
            relax = replace(
                self._relax_maker(settings, context),
                name=sanitize_job_name(f"reference {phase.name}"),
                relax_cell=not phase.is_molecule,
            )
            identity = {
                "structure": structure_fingerprint(phase.structure),
                "force_tolerance_ev_per_angstrom": relax.force_tolerance_ev_per_angstrom,
                "maximum_steps": relax.maximum_steps,
                "relax_cell": relax.relax_cell,
            }
            found[phase.name] = SharedFlow(
                key=shared_key(_KIND, identity, context),
                kind=_KIND,
                label=phase.name,
                make=partial(self._relaxation, relax, phase),
                is_required=False,
                estimated_steps=((_expected_steps(settings), len(phase.structure)),),
            )
        return found

    @staticmethod
    def _relaxation(relax: RelaxMaker, phase: ReferencePhase) -> Job:
        """Make the job that relaxes one competitor; no ion of it moves."""
        return relax.make(stage_candidate(phase.structure, min(phase.elements), 1.0, phase.name))

    @staticmethod
    def _relax_maker(settings: StabilitySettings, context: StageContext) -> RelaxMaker:
        """Set up the relaxation of the material; its competitors are relaxed alike."""
        return RelaxMaker(
            potential=context.potential,
            force_tolerance_ev_per_angstrom=settings.force_tolerance_ev_per_angstrom,
            maximum_steps=settings.maximum_steps,
            checkpoint_root=checkpoint_root_of(context),
        )

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
        """Guess the optimiser's steps for the material; its competitors are shared work.

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
        return [(_expected_steps(settings), len(structure))]


def _expected_steps(settings: StabilitySettings) -> int:
    """Guess the optimiser's steps of one relaxation."""
    return min(settings.maximum_steps, _USUAL_STEPS)


def _answers_folder(context: StageContext) -> Path:
    """Name the folder for answers of the Materials Project: beside the relaxations, where those lie on this host."""
    root = Path(checkpoint_root_of(context))
    return root if root.is_dir() else default_checkpoint_root()
