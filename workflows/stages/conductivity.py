"""The stage that finds σ(300 K) from molecular dynamics at several temperatures."""

from __future__ import annotations

from typing import Any

from jobflow import Flow
from pydantic import Field, field_validator
from pymatgen.core import Structure

from ...dynamics.plan import plan_steps
from ...dynamics.protocol import RunLimits
from ...errors import StructureError
from ...flows.conductivity import ConductivityMaker
from ...makers.diffusion import DiffusionMaker
from ...makers.md import MdMaker
from ...makers.stage_conductivity import ConductivityStageMaker
from ...makers.volume import VolumeMaker
from ...runtime.atoms import ase_atoms
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of, rejected, spot_check_of
from .md_settings import MdStageSettings
from .stage import Stage, StageContext


class ConductivitySettings(MdStageSettings):
    """Molecular dynamics at several temperatures, each as long as it must be."""

    temperatures_k: tuple[float, ...] = Field(
        default=(700.0, 800.0, 900.0, 1000.0),
        min_length=1,
        description="temperatures in K, better four or more: then the straightness of the Arrhenius plot is tested",
    )
    n_replicas: int = Field(default=1, gt=0, description="independent trajectories per temperature")
    duration_ps: float = Field(default=100.0, gt=0, description="greatest length of each trajectory in ps")
    pack_trajectories: bool = Field(
        default=False,
        description="whether one job advances the trajectories of all temperatures and replicas, as many at once as "
        "the MD engine can",
    )
    npt_ps: float | None = Field(
        default=None,
        gt=0,
        description="length in ps of a constant-pressure run that finds the cell at each temperature; null: the "
        "relaxed cell",
    )

    def identity(self) -> dict[str, Any]:
        """Say what of the settings is part of a result's key.

        Returns
        -------
        dict
            All of them but whether trajectories share a job, which changes none of them.
        """
        parts = super().identity()
        del parts["pack_trajectories"]
        return parts

    @field_validator("temperatures_k")
    @classmethod
    def _are_temperatures(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0.0 < value < float("inf") for value in values):
            raise ValueError("temperatures in K must be positive")
        if len(set(values)) < len(values):
            raise ValueError("a temperature is named twice: use n_replicas for independent runs")
        return values

    def temperatures_of_dynamics(self) -> tuple[float, ...]:
        """Give the temperatures.

        Returns
        -------
        tuple of float
            In K.
        """
        return self.temperatures_k


class ConductivityStage(Stage):
    """The adaptive flow of the main job: relaxation apart, it is what `superion run conductivity` does."""

    name = "conductivity"
    description = "molecular dynamics at several temperatures, Arrhenius extrapolation to 300 K"
    settings_model = ConductivitySettings
    properties = ("sigma_300k_ms_cm", "activation_energy_ev")
    runs_dynamics = True
    version = 2

    def make(self, structure: Structure, settings: ConductivitySettings, context: StageContext) -> Flow:
        """Build the flow for one ordered structure.

        Parameters
        ----------
        structure : Structure
            Ordered structure, best a relaxed one.
        settings : ConductivitySettings
            Temperatures, lengths and when to stop.
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
            flow = self._maker(settings, context).make(structure, label=candidate.label)
        except StructureError as error:
            return rejected(identity, candidate, str(error), context)
        judge = ConductivityStageMaker(potential=context.potential).make(identity, candidate, flow.output)
        return assemble(identity, [flow], judge, context)

    def _maker(self, settings: ConductivitySettings, context: StageContext) -> ConductivityMaker:
        """Set up the flow of the main job."""
        volume = None
        if settings.npt_ps is not None:
            volume = VolumeMaker(
                protocol=settings.md.model_copy(update={"ensemble": "npt"}),
                limits=RunLimits(duration_ps=settings.npt_ps, segment_ps=settings.segment_ps),
            )
        return ConductivityMaker(
            potential=context.potential,
            temperatures_k=settings.temperatures_k,
            n_replicas=settings.n_replicas,
            mobile_ion=context.mobile_ion,
            ion_charge=context.ion_charge,
            relax=None,
            supercell=settings.supercell_maker(),
            volume=volume,
            md=MdMaker(
                protocol=settings.md,
                limits=settings.run_limits(),
                stop=settings.stop_criteria(),
            ),
            diffusion=DiffusionMaker(settings=settings.analysis),
            spot_check=spot_check_of(context),
            pack_trajectories=settings.pack_trajectories,
            checkpoint_root=checkpoint_root_of(context),
        )

    def estimated_steps(
        self, structure: Structure, settings: ConductivitySettings, context: StageContext
    ) -> list[tuple[int, int]]:
        """Count the steps of trajectories of full length.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : ConductivitySettings
            Temperatures and lengths.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        list of tuple of int
            Every trajectory; empty where the cell would be refused.
        """
        try:
            cell = settings.simulated_cell(structure)
        except StructureError:
            return []
        maker = self._maker(settings, context)
        runs = [(maker.md.protocol, maker.md.limits)] * settings.n_replicas
        if maker.volume is not None:
            runs.append((maker.volume.protocol, maker.volume.limits))
        atoms = ase_atoms(cell)
        return [
            (plan_steps(atoms, protocol.at(temperature), limits).total_steps, len(cell))
            for temperature in settings.temperatures_k
            for protocol, limits in runs
        ]
