"""A trained potential, judged against its teacher on a crystal."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from jobflow import Flow
from pymatgen.core import Structure

from ..errors import SettingsError
from ..makers.explore import ExploreMaker
from ..makers.label import LabelMaker
from ..makers.prepare import PrepareMaker
from ..makers.register_model_file import RegisterModelFileMaker
from ..makers.relax import RelaxMaker
from ..makers.sample_configurations import SampleConfigurationsMaker
from ..makers.supercell import SupercellMaker
from ..makers.validate_potential import ValidatePotentialMaker
from ..potentials.mace_model import model_header
from ..potentials.model_header import ModelHeader
from ..potentials.registry import potential_class
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.records import Student
from ..runtime.checkpoint_root import default_checkpoint_root
from ..runtime.maker import Maker
from ..runtime.sampling_settings import SamplingSettings
from ..structures.mobile_ion import resolve_mobile_ion
from .declaration import CRYSTAL, FlowInput, FlowOption
from .plan import FlowPlan
from .structure_input import StructureInput, read_input

_MakerType = TypeVar("_MakerType", bound=Maker)


@dataclass
class ValidatePotentialFlowMaker(Maker):
    """Judge a trained potential on a crystal: errors on new frames of its teacher, and its own molecular dynamics.

    The teacher relaxes the crystal and gives frames that no training saw; the potential runs at each temperature; both
    are compared as at the end of a distillation. The weights stay what they are, the verdict becomes the new one.

    Parameters
    ----------
    name : str
        Name of the flow.
    potential : PotentialSpecification, str, dict or None
        The potential to judge, as "mace:FILE", or the name of one that was trained here; it must be given.
    teacher : PotentialSpecification, str or dict
        The potential that it is compared with.
    temperatures_k : tuple of float
        Temperatures in K of its runs.
    device : str
        Device of both: auto, cpu, cuda, cuda:1.
    mobile_ion : str or None
        Element, or ion such as Li+; None guesses it.
    relax : RelaxMaker or None
        Relaxation with the teacher; None takes the crystal as it is.
    supercell : SupercellMaker
        Size of the cell.
    sample : SampleConfigurationsMaker
        Configurations for the teacher to label.
    label : LabelMaker
        Labels.
    explore : ExploreMaker
        Runs of the potential.
    validate : ValidatePotentialMaker
        What is compared, and the thresholds.
    register : RegisterModelFileMaker
        Writes the model file with its verdict, and the document.
    checkpoint_root : str or None
        Folder of trajectories and labels; None for the superion project's, or one in the current folder.
    """

    inputs: ClassVar[tuple[FlowInput, ...]] = (CRYSTAL,)
    options: ClassVar[tuple[FlowOption, ...]] = (
        FlowOption("potential", "potential", "potential to judge: mace:FILE, or the name of one trained here"),
        FlowOption("teacher", "teacher", "potential that it is compared with: chgnet, mace:MODEL, …"),
        FlowOption("temperatures", "temperatures_k", "temperatures in K of its runs"),
        FlowOption("device", "device", "device: auto, cpu, cuda, cuda:1"),
        FlowOption("mobile-ion", "mobile_ion", "mobile ion, such as Li; guessed by default"),
    )
    document: ClassVar[str] = "potential"

    name: str = "validate potential"
    potential: PotentialSpecification | None = None
    teacher: PotentialSpecification = field(default_factory=PotentialSpecification)
    temperatures_k: tuple[float, ...] = (600.0, 1000.0)
    device: str = "auto"
    mobile_ion: str | None = None
    relax: RelaxMaker | None = field(default_factory=RelaxMaker)
    supercell: SupercellMaker = field(default_factory=lambda: SupercellMaker(minimum_edge_angstrom=9.0))
    sample: SampleConfigurationsMaker = field(
        default_factory=lambda: SampleConfigurationsMaker(settings=SamplingSettings(n_frames=100))
    )
    label: LabelMaker = field(default_factory=LabelMaker)
    explore: ExploreMaker = field(default_factory=ExploreMaker)
    validate: ValidatePotentialMaker = field(default_factory=ValidatePotentialMaker)
    register: RegisterModelFileMaker = field(default_factory=RegisterModelFileMaker)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take potentials by name, too."""
        self.teacher = potential_specification(self.teacher)
        if self.potential is not None:
            self.potential = potential_specification(self.potential)

    def make(self, structure: StructureInput, label: str | None = None) -> Flow:
        """Build the flow.

        Parameters
        ----------
        structure : Structure, Atoms, str, Path or OutputReference
            The crystal.
        label : str or None
            Name of the material; None takes the file's name or the formula.

        Returns
        -------
        Flow
            Its output is a `PotentialDoc` with the new verdict.

        Raises
        ------
        StructureError
            If the structure cannot be read or simulated.
        SettingsError
            If no potential is given, or a setting makes no sense.
        PotentialError
            If it is no model file of superion, or there is no such teacher.
        """
        self._check()
        header = self._header()
        assert self.potential is not None
        # No frame of this flow was seen in its training, so nearly all of them count.
        student = Student(
            path=str(self.potential.model),
            weights_sha256=header.weights_sha256,
            seed=0,
            validation_fraction=0.1,
            held_out_fraction=0.8,
        )
        given = read_input(structure)
        if isinstance(given.structure, Structure):
            resolve_mobile_ion(given.structure, self.mobile_ion, None)
        root = str(self.checkpoint_root or default_checkpoint_root())
        teacher = self.teacher
        if self.device != "auto" and teacher.device == "auto":
            teacher = teacher.model_copy(update={"device": self.device})
        shared: dict[str, Any] = {"potential": teacher, "teacher": teacher, "checkpoint_root": root}

        prepare = PrepareMaker(mobile_ion=self.mobile_ion).make(
            given.structure, label or given.label, given.origin, list(given.notes)
        )
        jobs, relaxed = [prepare], None
        if self.relax is not None:
            relax = _completed(self.relax, **shared).make(prepare.output)
            jobs.append(relax)
            relaxed = relax.output.structure
        cell = self.supercell.make(prepare.output, relaxed)
        sample = replace(
            _completed(self.sample, **shared), temperatures_k=self.sample.temperatures_k or self.temperatures_k
        ).make([cell.output])
        labels = _completed(self.label, **shared).make([sample.output])
        explore = replace(_completed(self.explore, **shared), device=self.device)
        runs = []
        for temperature in self.temperatures_k:
            run = explore.make(cell.output, [student], labels.output, temperature)
            run.name = f"{self.explore.name} {temperature:g} K"
            runs.append(run)
        judged = replace(_completed(self.validate, **shared), device=self.device).make(
            cell.output, student, labels.output, [run.output for run in runs]
        )
        register = replace(self.register, checkpoint_root=root).make(student, None, judged.output)
        return Flow([*jobs, cell, sample, labels, *runs, judged, register], output=register.output, name=self.name)

    def plan(self, structure: StructureInput, *, seconds_per_step: float | None = None) -> FlowPlan:
        """Describe the flow without loading a potential.

        Parameters
        ----------
        structure : Structure, Atoms, str or Path
            The crystal.
        seconds_per_step : float or None
            Not used.

        Returns
        -------
        FlowPlan
            Jobs, name and temperatures.
        """
        flow, header = self.make(structure), self._header()
        return FlowPlan(
            flow=self.name,
            label=read_input(structure).label,
            potential=f"{header.name}, compared with {self.teacher.written}",
            temperatures_k=tuple(self.temperatures_k),
            jobs=tuple(job.name for job, _ in flow.iterflow()),
            checkpoint_root=str(self.checkpoint_root or default_checkpoint_root()),
        )

    def _header(self) -> ModelHeader:
        """Read what the potential says of itself."""
        if self.potential is None:
            raise SettingsError("There is no potential to judge: give one, such as --potential mace:mine.safetensors.")
        model = self.potential.model
        is_file = self.potential.name == "mace" and model is not None and Path(model).is_file()
        header = model_header(str(model)) if is_file else None
        if header is None:
            raise SettingsError(
                f"The potential {self.potential.written} is no model file of superion, whose verdict could be changed: "
                "give one that was trained or fine-tuned here."
            )
        return header

    def _check(self) -> None:
        """Refuse settings that no single field can refuse by itself."""
        potential_class(self.teacher.name)
        if not self.temperatures_k:
            raise SettingsError("temperatures_k is empty: give at least one temperature in K.")
        wrong = [value for value in self.temperatures_k if not (math.isfinite(value) and value > 0)]
        if wrong:
            raise SettingsError(f"temperatures_k holds {wrong[0]:g}: a temperature in K must be positive.")


def _completed(maker: _MakerType, **values: Any) -> _MakerType:
    """Fill in the fields that a sub-maker leaves to its flow."""
    names = {name for name in values if hasattr(maker, name) and getattr(maker, name) is None}
    return replace(maker, **{name: values[name] for name in names})
