"""A small potential for a family of materials, distilled from a teacher with an active loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from jobflow import Flow
from pymatgen.core import Structure

from ..errors import SettingsError
from ..makers.active_loop import ActiveLoopMaker
from ..makers.label import LabelMaker
from ..makers.prepare import PrepareMaker
from ..makers.relax import RelaxMaker
from ..makers.sample_configurations import SampleConfigurationsMaker
from ..makers.supercell import SupercellMaker
from ..potentials.registry import potential_class
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.architecture import load_architecture
from ..runtime.checkpoint_root import default_checkpoint_root
from ..runtime.maker import Maker
from ..structures.mobile_ion import resolve_mobile_ion
from ..structures.order import order_structure
from ..structures.supercell import expand_to_minimum_edge, minimum_edge_angstrom
from .declaration import FlowInput, FlowOption
from .options import ION_CHARGE, MOBILE_ION
from .plan import FlowPlan
from .structure_input import StructureInput, read_input

_M = TypeVar("_M", bound=Maker)


@dataclass
class DistilPotentialMaker(Maker):
    """Sample, label, train, explore and validate: the active loop ends when the student is stable, or rejects it.

    The teacher relaxes the crystals and runs short molecular dynamics; frames as different as possible are labelled
    and a committee of students is trained. The first student then runs at the highest temperature and beyond it. Where
    the committee disagrees, atoms come too close or the run breaks down, frames are labelled and added, and the
    students are trained on. A student that runs `loop.stable_ps` at every temperature is validated and registered.

    Parameters
    ----------
    name : str
        Name of the flow.
    teacher : PotentialSpecification, str or dict
        The potential that labels, also as "name", "name:model" or its fields.
    size : str
        Architecture of the students: tiny, small, medium, or a YAML file.
    temperatures_k : tuple of float
        Temperatures in K that the potential is for.
    device : str
        Device of teacher, training and students: auto, cpu, cuda, cuda:1.
    potential_name : str or None
        Name of the potential; None takes the label, or formulas and teacher.
    teacher_licence : str or None
        Licence of the teacher's weights, to be kept in the model file.
    mobile_ion : str or None
        Element, or ion such as Li+; None guesses it.
    ion_charge : float or None
        Its charge in elementary charges; None takes the usual one.
    relax : RelaxMaker or None
        Relaxation with the teacher; None takes the structures as they are.
    supercell : SupercellMaker
        Size of the cells that are sampled and simulated.
    sample : SampleConfigurationsMaker
        The first configurations.
    label : LabelMaker
        Labels, and frames that are labelled already.
    loop : ActiveLoopMaker
        Training, exploration, validation.
    checkpoint_root : str or None
        Folder of trajectories, labels and trainings; None for the superion project's, or one in the current folder.

    Examples
    --------
    >>> maker = DistilPotentialMaker(teacher="chgnet", temperatures_k=(700.0, 1000.0))
    >>> [job.name for job, _ in maker.make("Li6PS5Cl").iterflow()][:5]
    ['prepare', 'relax', 'supercell', 'sample configurations', 'label']
    """

    inputs: ClassVar[tuple[FlowInput, ...]] = (
        FlowInput("structures", "crystals of one family to train for", is_list=True),
    )
    options: ClassVar[tuple[FlowOption, ...]] = (
        FlowOption("teacher", "teacher", "potential that labels: chgnet, mace:MODEL or mace:FILE, ase:DOTTED.PATH, …"),
        FlowOption("size", "size", "architecture: tiny, small, medium, or a YAML file"),
        FlowOption("temperatures", "temperatures_k", "temperatures in K that the potential is for"),
        FlowOption("device", "device", "device: auto, cpu, cuda, cuda:1"),
        FlowOption("name", "potential_name", "name of the potential"),
        MOBILE_ION,
        ION_CHARGE,
    )
    document: ClassVar[str] = "potential"

    name: str = "distil potential"
    teacher: PotentialSpecification = field(default_factory=PotentialSpecification)
    size: str = "tiny"
    temperatures_k: tuple[float, ...] = (600.0, 800.0, 1000.0)
    device: str = "auto"
    potential_name: str | None = None
    teacher_licence: str | None = None
    mobile_ion: str | None = None
    ion_charge: float | None = None
    relax: RelaxMaker | None = field(default_factory=RelaxMaker)
    supercell: SupercellMaker = field(default_factory=lambda: SupercellMaker(minimum_edge_angstrom=9.0))
    sample: SampleConfigurationsMaker = field(default_factory=SampleConfigurationsMaker)
    label: LabelMaker = field(default_factory=LabelMaker)
    loop: ActiveLoopMaker = field(default_factory=ActiveLoopMaker)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the teacher by name, too."""
        self.teacher = potential_specification(self.teacher)

    def make(self, structures: StructureInput | Sequence[StructureInput], label: str | None = None) -> Flow:
        """Build the flow for the crystals of one family.

        Parameters
        ----------
        structures : crystal or sequence of crystals
            pymatgen's or ASE's objects, files, shipped examples, or other jobs' outputs.
        label : str or None
            Name of the potential; None takes `potential_name`, or formulas and teacher.

        Returns
        -------
        Flow
            Its output is a `PotentialDoc`.

        Raises
        ------
        StructureError
            If a structure cannot be read or simulated.
        SettingsError
            If a setting makes no sense.
        PotentialError
            If there is no potential of the teacher's name.
        """
        self._check()
        listed = list(structures) if isinstance(structures, list | tuple) else [structures]
        if not listed:
            raise SettingsError("There is no structure to train for: give at least one crystal.")
        root = str(self.checkpoint_root or default_checkpoint_root())
        teacher = self._on_device(self.teacher)
        shared: dict[str, Any] = {"potential": teacher, "teacher": teacher, "checkpoint_root": root}
        jobs = []
        candidates = []
        for one in listed:
            given = read_input(one)
            if isinstance(given.structure, Structure):
                resolve_mobile_ion(given.structure, self.mobile_ion, self.ion_charge)
            prepare = PrepareMaker(mobile_ion=self.mobile_ion, ion_charge=self.ion_charge).make(
                given.structure, given.label, given.origin, list(given.notes)
            )
            jobs.append(prepare)
            relaxed = None
            if self.relax is not None:
                relax = _completed(self.relax, **shared).make(prepare.output)
                jobs.append(relax)
                relaxed = relax.output.structure
            supercell = self.supercell.make(prepare.output, relaxed)
            jobs.append(supercell)
            candidates.append(supercell.output)
        sample = replace(
            _completed(self.sample, **shared), temperatures_k=self.sample.temperatures_k or self._sampled_temperatures()
        ).make(candidates)
        labelling = _completed(self.label, **shared).make([sample.output])
        loop = self._loop(shared, label)
        rounds = loop.begin(candidates, labelling.output)
        return Flow([*jobs, sample, labelling, *rounds], output=rounds[-1].output, name=self.name)

    def plan(
        self, structures: StructureInput | Sequence[StructureInput], *, seconds_per_step: float | None = None
    ) -> FlowPlan:
        """Describe the flow without loading the teacher.

        Parameters
        ----------
        structures : crystal or sequence of crystals
            As for `make`.
        seconds_per_step : float or None
            Not used: how much is run, the active loop finds out.

        Returns
        -------
        FlowPlan
            The first round: the first structure in its cell, teacher, temperatures and jobs.
        """
        listed = list(structures) if isinstance(structures, list | tuple) else [structures]
        flow = self.make(listed)
        given = read_input(listed[0])
        fields: dict[str, Any] = {}
        if isinstance(given.structure, Structure):
            ion = resolve_mobile_ion(given.structure, self.mobile_ion, self.ion_charge)
            ordered = order_structure(given.structure).structure
            cell = expand_to_minimum_edge(ordered, self.supercell.minimum_edge_angstrom, self.supercell.maximum_atoms)
            fields = {
                "formula": cell.composition.reduced_formula,
                "mobile_ion": ion.symbol,
                "n_atoms_input": len(ordered),
                "n_atoms": len(cell),
                "minimum_edge_angstrom": minimum_edge_angstrom(cell),
            }
        settings = self.loop.settings
        return FlowPlan(
            flow=self.name,
            label=given.label,
            potential=f"{self.size} student of {self.teacher.written}",
            temperatures_k=tuple(self.temperatures_k),
            jobs=tuple(job.name for job, _ in flow.iterflow()),
            checkpoint_root=str(self.checkpoint_root or default_checkpoint_root()),
            notes=(
                f"the active loop adds jobs: up to {settings.maximum_rounds} rounds, until the student runs "
                f"{settings.stable_ps:g} ps at each temperature",
                *([f"and {len(listed) - 1} more structures"] if len(listed) > 1 else []),
            ),
            **fields,
        )

    def _loop(self, shared: dict[str, Any], label: str | None) -> ActiveLoopMaker:
        """Hand teacher, folder, device and name down to the steps of the loop."""
        loop = self.loop
        train = _completed(loop.train, **shared)
        settings = train.settings.model_copy(update={"architecture": self.size, "device": self.device})
        register = replace(
            _completed(loop.register, **shared),
            potential_name=label or self.potential_name or loop.register.potential_name,
            teacher_licence=self.teacher_licence or loop.register.teacher_licence,
            temperatures_k=self.temperatures_k,
        )
        return replace(
            loop,
            temperatures_k=self.temperatures_k,
            train=replace(train, settings=settings),
            explore=replace(_completed(loop.explore, **shared), device=self.device),
            # frames that are labelled already come in once
            label=replace(_completed(loop.label, **shared), labelled_frames=None),
            validate=replace(_completed(loop.validate, **shared), device=self.device),
            register=register,
        )

    def _sampled_temperatures(self) -> tuple[float, ...]:
        """Take the lowest and the highest temperature, and the one beyond."""
        lowest, highest = min(self.temperatures_k), max(self.temperatures_k)
        return tuple(dict.fromkeys((lowest, highest, self.loop.settings.beyond_ratio * highest)))

    def _on_device(self, potential: PotentialSpecification) -> PotentialSpecification:
        if self.device == "auto" or potential.device != "auto":
            return potential
        return potential.model_copy(update={"device": self.device})

    def _check(self) -> None:
        """Refuse settings that no single field can refuse by itself."""
        potential_class(self.teacher.name)
        load_architecture(self.size)
        if not self.temperatures_k:
            raise SettingsError("temperatures_k is empty: give at least one temperature in K.")
        wrong = [value for value in self.temperatures_k if not (math.isfinite(value) and value > 0)]
        if wrong:
            raise SettingsError(f"temperatures_k holds {wrong[0]:g}: a temperature in K must be positive.")


def _completed(maker: _M, **values: Any) -> _M:
    """Fill in the fields that a sub-maker leaves to its flow."""
    names = {name for name in values if hasattr(maker, name) and getattr(maker, name) is None}
    return replace(maker, **{name: values[name] for name in names})
