"""A real student potential: a tiny MACE with random weights in a model file, registered by a job as training does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobflow import Job, JobStore, run_locally
from superion.database.documents.potential import CONTENT_FIELD, PotentialDoc
from superion.database.documents.potential_parts import (
    DiffusivityComparison,
    LabelErrors,
    ParityData,
    TrainingRound,
    ValidationMetrics,
)
from superion.database.potential_document import potential_document
from superion.potentials.model_file import write_model_file
from superion.potentials.model_header import ModelDomain, TeacherRecord
from superion.potentials.specification import PotentialProvenance
from superion.runtime.maker import Maker
from superion.runtime.provenance import job_provenance
from superion.runtime.timed_job import job

CHGNET = PotentialProvenance(
    name="chgnet",
    model="0.3.0",
    weights_sha256="0" * 64,
    package="chgnet",
    package_version="0.4.2",
    dtype="float32",
    device="cpu",
)

METRICS = ValidationMetrics(
    held_out=LabelErrors(n_frames=20, energy_rmse_mev_per_atom=3.8, force_rmse_mev_per_angstrom=67.0),
    energy_drift_mev_per_atom_ps=0.002,
    diffusivities=[
        DiffusivityComparison(
            temperature_k=1000.0,
            student_cm2_s=1.243e-4,
            student_interval_95_cm2_s=(1.14e-4, 1.35e-4),
            teacher_cm2_s=1.27e-4,
            teacher_interval_95_cm2_s=(0.94e-4, 1.6e-4),
        )
    ],
)


def write_student(
    path: Path, *, seed: int = 7, elements: tuple[str, ...] = ("Li", "P", "S", "Cl"), **header: Any
) -> Path:
    """Write the model file of a tiny student; give its path."""
    import torch
    from support.tiny_mace import build_tiny_mace

    path.parent.mkdir(parents=True, exist_ok=True)
    saved = build_tiny_mace(path.with_suffix(".model"), seed=seed, dtype="float32", elements=elements)
    model = torch.load(saved, weights_only=False)
    saved.unlink()
    known = {
        "name": path.stem,
        "architecture_preset": "tiny",
        "teacher": TeacherRecord(provenance=CHGNET, label="chgnet", licence="BSD-3-Clause").model_dump(),
        "training_set_sha256": "1" * 64,
        "n_training_frames": 360,
        "domain": ModelDomain(temperature_k=(600.0, 1000.0), compositions=("Li6PS5Cl",)).model_dump(),
        "verdict": "accepted",
        "reasons": ["all thresholds are met"],
    }
    write_model_file(path, model, known | header)
    return path


@dataclass
class RegisterFileMaker(Maker):
    """Register a model file as the flow of training does."""

    name: str = "register"

    @job(output_schema=PotentialDoc, data=CONTENT_FIELD)
    def make(self, path: str) -> PotentialDoc:
        """Register it."""
        return potential_document(
            path,
            job_provenance(),
            metrics=METRICS,
            parity=[ParityData(quantity="force", unit="eV/Å", teacher=[0.0, 1.0], student=[0.1, 0.9], n_total=2)],
            rounds=[
                TrainingRound(number=0, n_training_frames=160, n_frames_added=200, events=["exploded after 12 ps"])
            ],
        )


def register_student(path: Path, store: JobStore) -> str:
    """Register a model file in a store; give the uuid of its document."""
    registered: Job = RegisterFileMaker().make(str(path))
    run_locally(registered, store=store, create_folders=False, ensure_success=True, log=False)
    return registered.uuid
