"""The stage that tells non-conductors by one short run at a high temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure

from ...constants import ROOM_TEMPERATURE_K
from ...dynamics.plan import plan_steps
from ...errors import StructureError
from ...makers.diffusion import DiffusionMaker
from ...makers.md import MdMaker
from ...makers.stage_probe import ProbeStageMaker
from ...runtime.atoms import ase_atoms
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of, rejected, spot_check_of
from .md_settings import MdStageSettings
from .stage import Stage, StageContext


class ProbeSettings(MdStageSettings):
    """One short run at one temperature, with sequential stopping."""

    temperature_k: float = Field(default=1000.0, ge=ROOM_TEMPERATURE_K, description="temperature of the run in K")
    duration_ps: float = Field(default=30.0, gt=0, description="greatest length of the run in ps")
    minimum_ps: float = Field(default=2.0, ge=0, description="length before which nothing ends the run, in ps")
    target_relative_error: float | None = Field(
        default=0.4,
        gt=0,
        description="relative error of D at which the run ends as converged, which none of less than 42 ps does with "
        "the other defaults; null: never",
    )
    if_melted: Literal["keep", "reject"] = Field(
        default="keep",
        description="what becomes of a material whose framework melts: keep it without numbers, since it may conduct "
        "below, or reject it",
    )

    def temperatures_of_dynamics(self) -> tuple[float, ...]:
        """Give the one temperature.

        Returns
        -------
        tuple of float
            In K.
        """
        return (self.temperature_k,)


class ProbeStage(Stage):
    """Short molecular dynamics at one high temperature; non-conductors leave early with their upper bound."""

    name = "probe"
    description = "short molecular dynamics at one high temperature, ended early for non-conductors"
    settings_model = ProbeSettings
    properties = ("probe_diffusivity_cm2_s", "greatest_sigma_300k_ms_cm")
    runs_dynamics = True

    def make(self, structure: Structure, settings: ProbeSettings, context: StageContext) -> Flow:
        """Build the flow for one ordered structure.

        Parameters
        ----------
        structure : Structure
            Ordered structure, best a relaxed one.
        settings : ProbeSettings
            Temperature, length and when to stop.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.
        """
        identity = identity_of(self, structure, settings, context)
        candidate = candidate_of(structure, context)
        try:
            settings.simulated_cell(structure)
        except StructureError as error:
            return rejected(identity, candidate, str(error), context)
        supercell = settings.supercell_maker().make(candidate)
        run = MdMaker(
            name="probe",
            potential=context.potential,
            protocol=settings.md,
            limits=settings.run_limits(),
            stop=settings.stop_criteria(),
            analysis=settings.analysis,
            checkpoint_root=checkpoint_root_of(context),
        ).make(supercell.output, settings.temperature_k)
        run.name = f"probe {settings.temperature_k:g} K"
        diffusion = DiffusionMaker(settings=settings.analysis).make(
            supercell.output, [run.output], settings.temperature_k
        )
        spot_check = spot_check_of(context)
        checked = None if spot_check is None else spot_check.make([run.output])
        judge = ProbeStageMaker(
            potential=context.potential,
            minimum_barrier_ev=settings.minimum_barrier_ev,
            if_melted=settings.if_melted,
        ).make(identity, candidate, run.output, diffusion.output, None if checked is None else checked.output)
        jobs = [supercell, run, diffusion] if checked is None else [supercell, run, diffusion, checked]
        return assemble(identity, jobs, judge, context)

    def bounds_only(self, settings: ProbeSettings) -> Mapping[str, Literal["upper", "lower"]]:
        """Name the greatest σ(300 K): one run at one temperature bounds it, whatever it shows.

        Parameters
        ----------
        settings : ProbeSettings
            Do not matter here.

        Returns
        -------
        mapping of str to str
            The property, bounded from above.
        """
        return {"greatest_sigma_300k_ms_cm": "upper"}

    def estimated_steps(
        self, structure: Structure, settings: ProbeSettings, context: StageContext
    ) -> list[tuple[int, int]]:
        """Count the steps of a run of full length.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : ProbeSettings
            Temperature and length.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        list of tuple of int
            One run; empty where the cell would be refused.
        """
        try:
            cell = settings.simulated_cell(structure)
        except StructureError:
            return []
        steps = plan_steps(ase_atoms(cell), settings.md.at(settings.temperature_k), settings.run_limits())
        return [(steps.total_steps, len(cell))]
