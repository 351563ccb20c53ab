"""The document of a potential that was trained further, or judged anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..database.documents.potential import CONTENT_FIELD, PotentialDoc
from ..database.potential_document import potential_document
from ..potentials.model_file import SUFFIX, change_model_header, read_model_header
from ..potentials.model_header import ModelDomain, TeacherRecord
from ..potentials.training.records import FrameSet, Student
from ..potentials.training.validation_record import PotentialValidation
from ..runtime.job_names import sanitize_job_name
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.student_potential import model_folder
from ..runtime.timed_job import job
from .register_potential import parity_data, validation_metrics


@dataclass
class RegisterModelFileMaker(Maker):
    """Write the model file of a potential with a new header, and the document by which it is asked for.

    A potential that was trained further is unvalidated, and its domain is that of its frames. One that was judged anew
    keeps everything but its verdict.

    Parameters
    ----------
    name : str
        Name of the job.
    potential_name : str or None
        Name by which the potential is asked for; None keeps that of the file, or takes the composition of the frames.
    checkpoint_root : str or None
        Folder of trajectories, beside which model files are kept; None for the project's.
    """

    name: str = "register model file"
    potential_name: str | None = None
    checkpoint_root: str | None = None

    @job(output_schema=PotentialDoc, data=CONTENT_FIELD)
    def make(
        self, student: Student, trained_on: FrameSet | None = None, validation: PotentialValidation | None = None
    ) -> PotentialDoc:
        """Register one potential.

        Parameters
        ----------
        student : Student
            The model file.
        trained_on : FrameSet or None
            Frames that it was trained on by this flow; None for a potential that is only judged.
        validation : PotentialValidation or None
            What was measured; None leaves it unvalidated.

        Returns
        -------
        PotentialDoc
            With the bytes of the model file.
        """
        header = read_model_header(student.path)
        changes: dict[str, Any] = {"verdict": "unvalidated", "reasons": ("it has not been validated",)}
        if trained_on is not None:
            changes |= {
                "teacher": TeacherRecord(label=trained_on.teacher),
                "domain": ModelDomain(compositions=trained_on.compositions, elements=trained_on.elements),
                "training_set_sha256": trained_on.dataset_sha256,
                "n_training_frames": trained_on.n_frames,
            }
        further: dict[str, Any] = {}
        notes: list[str] = []
        if validation is not None:
            metrics = validation_metrics(validation)
            further = {"metrics": metrics, "parity": parity_data(validation.held_out)}
            changes |= {
                "verdict": validation.verdict.verdict,
                "reasons": validation.verdict.reasons,
                "metrics": metrics.model_dump(mode="json"),
            }
            notes = [f"not judged: {note}" for note in validation.verdict.notes]
        compositions = trained_on.compositions if trained_on is not None else header.domain.compositions
        name = self.potential_name or header.name or f"{'-'.join(compositions) or 'mace'}-finetuned"
        file_name = f"{sanitize_job_name(name).replace(' ', '-')}-{student.weights_sha256[:12]}{SUFFIX}"
        path = model_folder(self.checkpoint_root) / file_name
        change_model_header(student.path, path, name=name, **changes)
        return potential_document(path, job_provenance(seeds=[student.seed]), notes=notes, **further)
