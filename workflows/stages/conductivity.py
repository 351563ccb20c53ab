"""The stage that finds σ(300 K) from molecular dynamics at several temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Flow, JobConfig, OnMissing
from pydantic import Field, field_validator
from pymatgen.core import Structure

from ...database.documents import CandidateDoc, ConductivityDoc, StageDoc
from ...database.properties import PropertyEstimate
from ...dynamics.plan import plan_steps
from ...dynamics.protocol import RunLimits
from ...dynamics.verdicts import BREAKDOWNS
from ...errors import AnalysisError, StructureError
from ...flows.conductivity import ConductivityMaker
from ...makers.diffusion import DiffusionMaker
from ...makers.md import MdMaker
from ...makers.volume import VolumeMaker
from ...potentials.specification import PotentialSpecification
from ...runtime.atoms import as_structure, ase_atoms
from ...runtime.maker import Maker
from ...runtime.timed_job import job
from .assembly import assemble, candidate_of, checkpoint_root_of, identity_of, rejected, spot_check_of
from .md_settings import MdStageSettings
from .stage import Stage, StageContext
from .stage_document import StageIdentity, bounded, estimate, stage_document, unknown_elements


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


_DEVIATES_95 = 1.959963984540054
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass
class ConductivityStageMaker(Maker):
    """Turn the result of the conductivity flow into properties with intervals.

    Parameters
    ----------
    name : str
        Name of the job.
    potential : PotentialSpecification or None
        The potential of the runs; None for the default one.
    """

    name: str = "judge conductivity"
    potential: PotentialSpecification | None = None

    @job(output_schema=StageDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(self, identity: StageIdentity, candidate: CandidateDoc, conductivity: ConductivityDoc | None) -> StageDoc:
        """Sum up one material.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure that the stage started from.
        conductivity : ConductivityDoc or None
            Result of the flow; None where it failed altogether.

        Returns
        -------
        StageDoc
            σ(300 K) and activation energy, or why the structure is unfit.

        Raises
        ------
        AnalysisError
            If no temperature gave a result, for a reason that is not the structure's.
        """
        if conductivity is None or not conductivity.temperatures:
            reason = unknown_elements(as_structure(candidate.structure), self.potential or PotentialSpecification())
            reason = reason or _deaths(conductivity)
            if reason is None:
                raise AnalysisError(_why_nothing(conductivity))
            return stage_document(identity, candidate, rejected=reason)
        notes = [*conductivity.notes, conductivity.verdict]
        notes += [
            f"no result at {temperature} K: {why}" for temperature, why in conductivity.temperature_failures.items()
        ]
        for result in conductivity.temperatures:
            notes += [f"{result.temperature_k:g} K: {flag}" for flag in result.flags]
        if conductivity.arrhenius is not None:
            notes += conductivity.arrhenius.flags
        return stage_document(
            identity,
            candidate,
            properties=_properties(conductivity),
            details=_details(conductivity),
            source_uuids=[conductivity.provenance.job_uuid],
            notes=notes,
            potential=conductivity.provenance.potential,
            seeds=conductivity.provenance.seeds,
        )


def _properties(conductivity: ConductivityDoc) -> dict[str, PropertyEstimate]:
    """Give σ(300 K), or its bound, and the activation energy where it can be one."""
    found = {}
    energy, error = conductivity.activation_energy_ev, conductivity.activation_energy_error_ev
    # Such a value would be the best of all: it must not be ranked by, nor anything that rests on it.
    is_impossible = energy is not None and energy <= 0.0
    if conductivity.sigma_300k_ms_cm is not None:
        found["sigma_300k_ms_cm"] = estimate(
            conductivity.sigma_300k_ms_cm,
            conductivity.sigma_300k_interval_68_ms_cm,
            conductivity.sigma_300k_interval_95_ms_cm,
            note="statistical interval only; potential, cell size and ordering add to it",
        )
    elif conductivity.sigma_300k_upper_bound_ms_cm is not None:
        why = "too few hops at too many temperatures for a value"
        if is_impossible:
            shown = f"{energy:.2g}" if error is None else f"{energy:.2g} ± {error:.2g}"
            why = (
                f"the activation energy comes out as {shown} eV, and no ion moves faster in the cold, so nothing is "
                "extrapolated by it; longer runs may give a value"
            )
        found["sigma_300k_ms_cm"] = bounded("upper", conductivity.sigma_300k_upper_bound_ms_cm, why)
    if energy is not None and not is_impossible:
        inner = None if error is None else (energy - error, energy + error)
        outer = None if error is None else (energy - _DEVIATES_95 * error, energy + _DEVIATES_95 * error)
        found["activation_energy_ev"] = estimate(energy, inner, outer)
    return found


def _details(conductivity: ConductivityDoc) -> dict[str, Any]:
    """Give what the report shows: numbers per temperature and the uuid under which the rest is found."""
    return {
        "conductivity_uuid": conductivity.provenance.job_uuid,
        "n_atoms": conductivity.n_atoms,
        "minimum_edge_angstrom": conductivity.minimum_edge_angstrom,
        "state": conductivity.state,
        "temperatures": [
            {
                "temperature_k": result.temperature_k,
                "duration_ps": result.duration_ps,
                "diffusivity_cm2_s": result.tracer.value_cm2_s,
                "sigma_ms_cm": result.nernst_einstein.value_ms_cm,
                "sigma_interval_68_ms_cm": result.nernst_einstein.interval_68_ms_cm,
                "sigma_upper_bound_95_ms_cm": result.nernst_einstein.upper_bound_95_ms_cm,
                "effective_hops": result.effective_hops,
                "haven_ratio": result.haven_ratio.value,
                "usable": result.usable,
                "exclusion_reason": result.exclusion_reason,
            }
            for result in conductivity.temperatures
        ],
        "temperature_failures": conductivity.temperature_failures,
        "activation_energy_ev": conductivity.activation_energy_ev,
        "activation_energy_error_ev": conductivity.activation_energy_error_ev,
        "curvature": None if conductivity.arrhenius is None else conductivity.arrhenius.curvature.verdict,
        "force_errors": [series.model_dump(mode="json") for series in conductivity.force_errors],
        "systematic_errors": [error.statement for error in conductivity.systematic_errors],
    }


def _deaths(conductivity: ConductivityDoc | None) -> str | None:
    """Say that the crystal survived at no temperature; None where any run ended for another reason."""
    failures = {} if conductivity is None else conductivity.temperature_failures
    if not failures or not all(any(word in why for word in BREAKDOWNS) for why in failures.values()):
        return None
    first = next(iter(failures))
    return f"it survived molecular dynamics at no temperature; at {first} K: {failures[first]}"


def _why_nothing(conductivity: ConductivityDoc | None) -> str:
    """Say why there is nothing to sum up."""
    if conductivity is None:
        return "There is nothing to sum up, because a job before failed."
    listed = "; ".join(f"{temperature} K: {why}" for temperature, why in conductivity.temperature_failures.items())
    return f"No temperature gave a result ({listed})."
