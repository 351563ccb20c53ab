"""The document of a trained potential, and the model file that carries its verdict."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymatgen.core import Composition

from ..database.documents import CandidateDoc
from ..database.documents.potential import CONTENT_FIELD, PotentialDoc
from ..database.documents.potential_parts import (
    DiffusivityComparison,
    LabelErrors,
    ModelFile,
    ParityData,
    ValidationMetrics,
)
from ..database.documents.potential_parts import TrainingRound as RoundSummary
from ..potentials.checksum import file_sha256
from ..potentials.model_file import SUFFIX, change_model_header
from ..potentials.model_header import ModelDomain, TeacherRecord
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.frame_errors import FrameErrors
from ..potentials.training.records import FrameSet, Student, TrainingRound
from ..potentials.training.validation_record import PotentialValidation
from ..runtime.atoms import ase_atoms
from ..runtime.frame_files import read_frame_set
from ..runtime.job_names import sanitize_job_name
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.student_potential import model_folder
from ..runtime.timed_job import job

if TYPE_CHECKING:
    from ase import Atoms


@dataclass
class RegisterPotentialMaker(Maker):
    """Write the model file of a student with its verdict, and the document by which it is asked for.

    Parameters
    ----------
    name : str
        Name of the job.
    potential_name : str or None
        Name by which the potential is asked for; None takes formulas, teacher and architecture.
    teacher : PotentialSpecification, str, dict or None
        The teacher; None for the flow's.
    teacher_licence : str or None
        Licence of the teacher's weights, where the potential itself does not say.
    temperatures_k : tuple of float
        Temperatures in K that the potential was trained for.
    checkpoint_root : str or None
        Folder of trajectories, beside which model files are kept; None for the flow's.
    """

    name: str = "register potential"
    potential_name: str | None = None
    teacher: PotentialSpecification | None = None
    teacher_licence: str | None = None
    temperatures_k: tuple[float, ...] = ()
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the teacher by name, too."""
        if self.teacher is not None:
            self.teacher = potential_specification(self.teacher)

    @job(output_schema=PotentialDoc, data=CONTENT_FIELD)
    def make(
        self,
        candidates: Sequence[CandidateDoc],
        student: Student,
        dataset: FrameSet,
        rounds: Sequence[TrainingRound],
        validation: PotentialValidation,
    ) -> PotentialDoc:
        """Register one student.

        Parameters
        ----------
        candidates : sequence of CandidateDoc
            The materials that it was trained for.
        student : Student
            The student.
        dataset : FrameSet
            The labelled frames.
        rounds : sequence of TrainingRound
            What the active loop did.
        validation : PotentialValidation
            What was measured, and the verdict.

        Returns
        -------
        PotentialDoc
            With the bytes of the model file.
        """
        teacher = TeacherRecord()
        if self.teacher is not None:
            provenance = load_potential(self.teacher).provenance
            label = provenance.name if provenance.model is None else f"{provenance.name} {provenance.model}"
            teacher = TeacherRecord(provenance=provenance, label=label, licence=self.teacher_licence)
        metrics = validation_metrics(validation)
        name = self.potential_name or self._generated_name(candidates)
        domain = self._domain(candidates, dataset)
        path = (
            model_folder(self.checkpoint_root)
            / f"{sanitize_job_name(name).replace(' ', '-')}-{student.weights_sha256[:12]}{SUFFIX}"
        )
        header = change_model_header(
            student.path,
            path,
            name=name,
            teacher=teacher,
            domain=domain,
            training_set_sha256=dataset.dataset_sha256,
            n_training_frames=dataset.n_frames,
            verdict=validation.verdict.verdict,
            reasons=validation.verdict.reasons,
            metrics=metrics.model_dump(mode="json"),
        )
        content = Path(path).read_bytes()
        first = candidates[0]
        return PotentialDoc(
            formula=first.formula,
            label=name,
            provenance=job_provenance(None, teacher.provenance, [one.seed for one in rounds[-1].students]),
            notes=[f"not judged: {note}" for note in validation.verdict.notes],
            name=name,
            weights_sha256=header.weights_sha256,
            file=ModelFile(path=str(path), size_bytes=len(content), sha256=file_sha256(path)),
            content_base64=base64.b64encode(content).decode("ascii"),
            architecture=header.architecture_preset or "",
            teacher=teacher,
            training_set_sha256=dataset.dataset_sha256,
            n_training_frames=dataset.n_frames,
            elements=sorted(header.elements),
            domain=domain,
            metrics=metrics,
            parity=parity_data(validation.held_out),
            rounds=[_summary(one) for one in rounds],
            verdict=validation.verdict.verdict,
            reasons=list(validation.verdict.reasons),
            extra={"minutes": _minutes(dataset, rounds, validation)},
        )

    def _generated_name(self, candidates: Sequence[CandidateDoc]) -> str:
        formulas = "-".join(dict.fromkeys(candidate.formula for candidate in candidates))
        return f"{formulas}-{'student' if self.teacher is None else self.teacher.name}"

    def _domain(self, candidates: Sequence[CandidateDoc], dataset: FrameSet) -> ModelDomain:
        """Say what it was trained for: temperatures of its runs, volumes and compositions of its frames."""
        volumes = {candidate.formula: _volume_per_atom(ase_atoms(candidate.structure)) for candidate in candidates}
        strains = [
            _volume_per_atom(frame) / volumes[formula] - 1.0
            for frame in read_frame_set(dataset)
            if (formula := Composition(frame.get_chemical_formula()).reduced_formula) in volumes
        ]
        temperatures = self.temperatures_k
        return ModelDomain(
            temperature_k=(min(temperatures), max(temperatures)) if temperatures else None,
            volume_strain=(round(min(strains), 4), round(max(strains), 4)) if strains else None,
            volume_per_atom_angstrom3={formula: round(volume, 4) for formula, volume in volumes.items()},
            compositions=dataset.compositions,
            elements=dataset.elements,
        )


def _volume_per_atom(atoms: Atoms) -> float:
    return float(atoms.get_volume()) / len(atoms)


def validation_metrics(validation: PotentialValidation) -> ValidationMetrics:
    """Sum up what a validation measured, for a document.

    Parameters
    ----------
    validation : PotentialValidation
        What was measured.

    Returns
    -------
    ValidationMetrics
        Errors, drift, differences and diffusivities.
    """
    return ValidationMetrics(
        held_out=_label_errors(validation.held_out),
        own_dynamics=None if validation.own_frames is None else _label_errors(validation.own_frames),
        energy_drift_mev_per_atom_ps=validation.energy_drift_mev_per_atom_ps,
        radial_distribution_distance=max((one.difference for one in validation.radial), default=None),
        vibrational_distance=None if validation.spectrum is None else validation.spectrum.difference,
        diffusivities=[
            DiffusivityComparison(
                temperature_k=pair.temperature_k,
                student_cm2_s=pair.student_cm2_s,
                student_whole_run_cm2_s=pair.student_whole_run_cm2_s,
                student_interval_95_cm2_s=pair.student_interval_95_cm2_s,
                teacher_cm2_s=pair.teacher_cm2_s,
                teacher_interval_95_cm2_s=pair.teacher_interval_95_cm2_s,
                student_ps=pair.student_ps,
                teacher_ps=pair.teacher_ps,
            )
            for pair in validation.diffusivities
        ],
        stable_ps=validation.stable_ps,
    )


def _label_errors(errors: FrameErrors) -> LabelErrors:
    return LabelErrors(
        n_frames=errors.n_frames,
        energy_rmse_mev_per_atom=errors.energy_rmse_mev_per_atom,
        force_rmse_mev_per_angstrom=1000.0 * errors.force_rmse_ev_per_angstrom,
        stress_rmse_gpa=errors.stress_rmse_gpa,
    )


def parity_data(errors: FrameErrors) -> list[ParityData]:
    """Give the points of parity figures.

    Parameters
    ----------
    errors : FrameErrors
        Errors on frames, with a sample of the values.

    Returns
    -------
    list of ParityData
        Energies and forces.
    """
    parts: list[tuple[Any, str, Any]] = [
        ("energy", "eV/atom", errors.energies_ev_per_atom),
        ("force", "eV/Å", errors.forces_ev_per_angstrom),
    ]
    return [
        ParityData(
            quantity=quantity,
            unit=unit,
            teacher=list(sample.teacher),
            student=list(sample.student),
            n_total=len(sample.teacher),
        )
        for quantity, unit, sample in parts
    ]


def _summary(one: TrainingRound) -> RoundSummary:
    error = one.students[0].validation_force_rmse_ev_per_angstrom
    return RoundSummary(
        number=one.number,
        n_training_frames=one.n_frames,
        n_frames_added=one.n_frames_added,
        force_rmse_mev_per_angstrom=None if error is None else 1000.0 * error,
        events=list(one.events),
    )


def _minutes(dataset: FrameSet, rounds: Sequence[TrainingRound], validation: PotentialValidation) -> dict[str, float]:
    """Wall time in minutes of what took long."""
    training = sum(student.wall_time_s for one in rounds for student in one.students)
    return {
        "last_labelling": round(dataset.wall_time_s / 60.0, 2),
        "training": round(training / 60.0, 2),
        "validation": round(validation.wall_time_s / 60.0, 2),
    }
