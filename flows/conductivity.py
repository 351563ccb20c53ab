"""One crystal in, one ionic conductivity out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from jobflow import Flow
from pymatgen.core import Structure

from ..dynamics.engines.registry import md_engine_class
from ..dynamics.plan import plan_steps
from ..dynamics.protocol import MdSettings, RunLimits
from ..errors import SettingsError
from ..makers.conductivity import ConductivitySummaryMaker
from ..makers.diffusion import DiffusionMaker
from ..makers.md import MdMaker
from ..makers.prepare import PrepareMaker
from ..makers.relax import RelaxMaker
from ..makers.spot_check import SpotCheckMaker
from ..makers.supercell import SupercellMaker
from ..makers.volume import VolumeMaker
from ..potentials.registry import potential_class
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.atoms import ase_atoms
from ..runtime.checkpoint_root import default_checkpoint_root
from ..runtime.maker import Maker
from ..structures.mobile_ion import resolve_mobile_ion
from ..structures.order import order_structure
from ..structures.supercell import expand_to_minimum_edge, minimum_edge_angstrom
from .declaration import CRYSTAL, FlowInput, FlowOption
from .md_pack import trajectory_jobs
from .options import DURATION, ION_CHARGE, MOBILE_ION, POTENTIAL_OPTIONS, REPLICAS, TEMPERATURES
from .plan import FlowPlan, PlannedTrajectory
from .structure_input import StructureInput, read_input

_MakerType = TypeVar("_MakerType", bound=Maker)
_BYTES_PER_ATOM_AND_FRAME = 12


@dataclass
class ConductivityMaker(Maker):
    """Relax, expand, run molecular dynamics at each temperature, and derive the ionic conductivity.

    Trajectories are independent jobs, so they run in parallel; one that fails leaves the others alive.

    Parameters
    ----------
    name : str
        Name of the flow.
    potential : PotentialSpecification, str or dict
        The potential of all jobs that name none of their own, also as "name", "name:model" or its fields.
    temperatures_k : tuple of float
        Temperatures of the molecular dynamics in K. Four or more let the straightness of the Arrhenius plot be tested.
        The default ends at 1000 K, because soft frameworks melt above it within picoseconds.
    n_replicas : int
        Independent trajectories per temperature.
    mobile_ion : str or None
        Element, or ion such as Li+ or O2-; None guesses it and says so.
    ion_charge : float or None
        Its charge in elementary charges; None takes the usual one.
    relax : RelaxMaker or None
        Relaxation of cell and positions; None takes the structure as it is.
    supercell : SupercellMaker
        Size of the simulated cell.
    volume : VolumeMaker or None
        Constant-pressure run that finds the cell at each temperature; None keeps the relaxed cell.
    md : MdMaker
        Production runs.
    diffusion : DiffusionMaker
        Analysis per temperature.
    summary : ConductivitySummaryMaker
        Arrhenius fit and verdict.
    spot_check : SpotCheckMaker or None
        Comparison of the forces with those of a teacher on frames of the production runs, for a potential that learnt
        from one; None makes none.
    pack_trajectories : bool
        Whether one job advances the trajectories of all temperatures and replicas, as many at once as the MD engine
        (`md.engine`) can; false gives each a job of its own, to run in parallel.
    checkpoint_root : str or None
        Folder of trajectories and relaxations; None for the superion project's, or one in the current folder.

    Examples
    --------
    >>> maker = ConductivityMaker(temperatures_k=(700.0, 1000.0))
    >>> [job.name for job, _ in maker.make("Li6PS5Cl").iterflow()][:3]
    ['prepare', 'relax', 'supercell']
    """

    inputs: ClassVar[tuple[FlowInput, ...]] = (CRYSTAL,)
    options: ClassVar[tuple[FlowOption, ...]] = (
        *POTENTIAL_OPTIONS,
        TEMPERATURES,
        REPLICAS,
        DURATION,
        MOBILE_ION,
        ION_CHARGE,
    )
    document: ClassVar[str] = "conductivity"

    name: str = "conductivity"
    potential: PotentialSpecification = field(default_factory=PotentialSpecification)
    temperatures_k: tuple[float, ...] = (600.0, 700.0, 850.0, 1000.0)
    n_replicas: int = 1
    mobile_ion: str | None = None
    ion_charge: float | None = None
    relax: RelaxMaker | None = field(default_factory=RelaxMaker)
    supercell: SupercellMaker = field(default_factory=SupercellMaker)
    volume: VolumeMaker | None = None
    md: MdMaker = field(default_factory=MdMaker)
    diffusion: DiffusionMaker = field(default_factory=DiffusionMaker)
    summary: ConductivitySummaryMaker = field(default_factory=ConductivitySummaryMaker)
    spot_check: SpotCheckMaker | None = None
    pack_trajectories: bool = False
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the potential by name, too."""
        self.potential = potential_specification(self.potential)

    def make(self, structure: StructureInput, label: str | None = None) -> Flow:
        """Build the flow for one crystal.

        Parameters
        ----------
        structure : Structure, Atoms, str, Path or OutputReference
            The crystal: pymatgen's or ASE's object, a file, a shipped example, or another job's output.
        label : str or None
            Name of the material; None takes the file's name or the formula.

        Returns
        -------
        Flow
            Its output is a `ConductivityDoc`.

        Raises
        ------
        StructureError
            If the structure cannot be read or simulated, or holds no such ion.
        SettingsError
            If the temperatures or replicas make no sense.
        PotentialError
            If there is no potential of that name.
        ProtocolError
            If there is no MD engine of that name.
        """
        self._check()
        given = read_input(structure)
        if isinstance(given.structure, Structure):
            # Refused now rather than in a job.
            resolve_mobile_ion(given.structure, self.mobile_ion, self.ion_charge)
        root = self._checkpoint_root()
        shared = {"potential": self.potential, "checkpoint_root": root}

        prepare = PrepareMaker(mobile_ion=self.mobile_ion, ion_charge=self.ion_charge).make(
            given.structure, label or given.label, given.origin, list(given.notes)
        )
        jobs = [prepare]
        relaxed = None
        if self.relax is not None:
            relax = _completed(self.relax, **shared).make(prepare.output)
            jobs.append(relax)
            relaxed = relax.output.structure
        supercell = self.supercell.make(prepare.output, relaxed)
        jobs.append(supercell)

        md = _completed(self.md, analysis=self.diffusion.settings, **shared)
        cells = dict.fromkeys(self.temperatures_k, supercell)
        if self.volume is not None:
            for temperature in self.temperatures_k:
                cells[temperature] = _completed(self.volume, **shared).make(supercell.output, temperature)
                cells[temperature].name = f"{self.volume.name} {temperature:g} K"
        production = trajectory_jobs(
            md,
            [(cell.output, temperature) for temperature, cell in cells.items()],
            self.n_replicas,
            packed=self.pack_trajectories,
        )
        jobs += production.ahead
        diffusions = []
        for (temperature, cell), runs in zip(cells.items(), production.runs, strict=True):
            if cell is not supercell:
                jobs.append(cell)
            diffusion = self.diffusion.make(cell.output, [run.output for run in runs], temperature)
            diffusion.name = f"{self.diffusion.name} {temperature:g} K"
            jobs += [*runs, diffusion]
            diffusions.append(diffusion)
        checked = None
        if self.spot_check is not None:
            runs = [run.output for replicas in production.runs for run in replicas]
            checked = _completed(self.spot_check, **shared).make(runs)
            jobs.append(checked)
        summary = self.summary.make(
            supercell.output,
            [diffusion.output for diffusion in diffusions],
            list(self.temperatures_k),
            self.md.stop.minimum_barrier_ev,
            None if checked is None else checked.output,
        )
        return Flow([*jobs, summary], output=summary.output, name=self.name)

    def plan(self, structure: StructureInput, *, seconds_per_step: float | None = None) -> FlowPlan:
        """Describe the flow for one crystal without loading the potential.

        Parameters
        ----------
        structure : Structure, Atoms, str or Path
            The crystal.
        seconds_per_step : float or None
            Measured time of one MD step of this cell in s, for the cost.

        Returns
        -------
        FlowPlan
            Jobs, cell, trajectories and cost.

        Raises
        ------
        SuperionError
            If the structure or the settings would be refused.
        """
        self._check()
        given = read_input(structure)
        if not isinstance(given.structure, Structure):
            raise SettingsError("A structure that another job will make cannot be planned: give the structure itself.")
        ion = resolve_mobile_ion(given.structure, self.mobile_ion, self.ion_charge)
        ordering = order_structure(given.structure)
        cell = expand_to_minimum_edge(
            ordering.structure, self.supercell.minimum_edge_angstrom, self.supercell.maximum_atoms
        )
        trajectories = [
            _planned(cell, settings, limits, temperature, replica)
            for temperature in self.temperatures_k
            for settings, limits, replica in self._runs()
        ]
        n_steps = sum(trajectory.n_steps for trajectory in trajectories)
        model = f" ({self.potential.model})" if self.potential.model else ""
        return FlowPlan(
            flow=self.name,
            label=given.label or cell.composition.reduced_formula,
            formula=cell.composition.reduced_formula,
            mobile_ion=_ion_name(ion.symbol, ion.charge),
            n_atoms_input=len(ordering.structure),
            n_atoms=len(cell),
            minimum_edge_angstrom=minimum_edge_angstrom(cell),
            potential=f"{self.potential.name}{model}",
            temperatures_k=tuple(self.temperatures_k),
            n_replicas=self.n_replicas,
            jobs=tuple(job.name for job, _ in self.make(given.structure).iterflow()),
            trajectories=tuple(trajectories),
            checkpoint_root=self._checkpoint_root(),
            cost_core_hours=None if seconds_per_step is None else n_steps * seconds_per_step / 3600.0,
            notes=(*given.notes, *([ion.note] if ion.note else []), *ordering.notes),
        )

    def _runs(self) -> list[tuple[MdSettings, RunLimits, int]]:
        """Give what runs at each temperature."""
        runs = [] if self.volume is None else [(self.volume.protocol, self.volume.limits, 0)]
        return [*runs, *((self.md.protocol, self.md.limits, replica) for replica in range(self.n_replicas))]

    def _checkpoint_root(self) -> str:
        """Fix the folder now: jobs may run in folders of their own."""
        return str(self.checkpoint_root or default_checkpoint_root())

    def _check(self) -> None:
        """Refuse settings that no single field can refuse by itself."""
        # The names only: what is installed where the jobs run may differ from here.
        potential_class(self.potential.name)
        for protocol, _, _ in self._runs():
            md_engine_class(protocol.engine)
        if self.spot_check is not None:
            self.spot_check.check()
        if not self.temperatures_k:
            raise SettingsError("temperatures_k is empty: give at least one temperature in K, better four.")
        wrong = [value for value in self.temperatures_k if not (math.isfinite(value) and value > 0)]
        if wrong:
            raise SettingsError(f"temperatures_k holds {wrong[0]:g}: a temperature in K must be positive.")
        if len(set(self.temperatures_k)) < len(self.temperatures_k):
            raise SettingsError("temperatures_k names a temperature twice: use n_replicas for independent runs.")
        if self.n_replicas < 1:
            raise SettingsError(f"n_replicas is {self.n_replicas}: at least one trajectory per temperature is needed.")


def _completed(maker: _MakerType, **values: Any) -> _MakerType:
    """Fill in the fields that a sub-maker leaves to its flow."""
    names = {name for name in values if hasattr(maker, name) and getattr(maker, name) is None}
    return replace(maker, **{name: values[name] for name in names})


def _planned(
    cell: Structure, settings: MdSettings, limits: RunLimits, temperature_k: float, replica: int
) -> PlannedTrajectory:
    """Describe one trajectory."""
    steps = plan_steps(ase_atoms(cell), settings.at(temperature_k, replica), limits)
    n_frames = steps.total_steps // steps.frame_steps + 1
    arrays = 2 if limits.store_velocities else 1
    return PlannedTrajectory(
        temperature_k=temperature_k,
        replica=replica,
        ensemble=settings.ensemble,
        time_step_fs=steps.time_step_fs,
        duration_ps=steps.picoseconds(steps.total_steps),
        n_steps=steps.total_steps,
        n_frames=n_frames,
        size_mb=arrays * _BYTES_PER_ATOM_AND_FRAME * n_frames * len(cell) / 1e6,
    )


def _ion_name(symbol: str, charge: float) -> str:
    """Write an ion as Li+, Mg2+ or O2-."""
    size = "" if abs(charge) == 1 else f"{abs(charge):g}"
    return f"{symbol}{size}{'+' if charge > 0 else '-'}"
