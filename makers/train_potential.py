"""One member of a committee: a potential trained on labelled frames."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from jobflow import Response

from ..dynamics.stop_request import StopRequest
from ..errors import TrainingError
from ..potentials.checksum import file_sha256
from ..potentials.device import resolve_device
from ..potentials.mace_model import model_header
from ..potentials.model_file import read_model_header
from ..potentials.training.architecture import load_architecture
from ..potentials.training.labelled_frames import check_labelled_frames
from ..potentials.training.records import FrameSet, Student
from ..potentials.training.settings import TrainingSettings
from ..potentials.training.split import split_frames
from ..potentials.training.train import TrainingProgressReport, TrainingStopped, train_potential
from ..runtime.checkpoint_root import checkpoint_root_of
from ..runtime.frame_files import read_frame_set
from ..runtime.heartbeat import TrainingProgress, heartbeat_writer
from ..runtime.maker import Maker
from ..runtime.stop_request import leave_if_stop_was_requested, remember_stop_request
from ..runtime.timed_job import job, note_device
from ..runtime.walltime import time_left_s

_RECIPE_VERSION = 1
"""Changes when the same request would give another potential than before."""


@dataclass
class TrainPotentialMaker(Maker):
    """Train a MACE potential by mace-torch's own trainer, from scratch or from a model that is there.

    A training is kept under a key of frames, settings, seed and initial model; the same request finds it again. A job
    stopped by a signal or by its wall time replaces itself with its continuation; one that is killed loses an epoch.

    Parameters
    ----------
    name : str
        First part of the job's name.
    settings : TrainingSettings
        How it is trained.
    initial_model : str or None
        A MACE model file to train further, of superion's format or mace's own; it keeps its architecture. None trains
        from scratch.
    replay_frames : str or None
        Extended XYZ file with labelled frames of what the initial model was trained on, which keep it from forgetting.
    checkpoint_root : str or None
        Folder of trainings; None for the flow's.
    """

    resource_kind: ClassVar[str] = "train"

    name: str = "train"
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    initial_model: str | None = None
    replay_frames: str | None = None
    checkpoint_root: str | None = None

    @job(output_schema=Student)
    def make(self, dataset: FrameSet, seed: int, earlier: Student | None = None) -> Student | Response:
        """Train one potential.

        Parameters
        ----------
        dataset : FrameSet
            Labelled frames.
        seed : int
            Seed of initial weights and of the order of frames.
        earlier : Student or None
            A student whose weights to start from; None for the Maker's initial model.

        Returns
        -------
        Student or Response
            The trained potential; the continuation that replaces this job where it was interrupted.

        Raises
        ------
        TrainingError
            If the frames cannot be trained on, or the trainer fails.
        """
        began = time.monotonic()
        leave_if_stop_was_requested()
        frames = read_frame_set(dataset)
        check_labelled_frames(frames, dataset.path, fewest_frames=self.settings.fewest_frames)
        split = split_frames(
            frames,
            validation_fraction=self.settings.validation_fraction,
            held_out_fraction=self.settings.held_out_fraction,
        )
        start = self.initial_model if earlier is None else earlier.path
        folder = self.folder(dataset, seed, start)
        note_device(resolve_device(self.settings.device))
        with StopRequest(time_left_s()) as stop:
            try:
                path = train_potential(
                    split,
                    folder,
                    self.settings,
                    seed=seed,
                    header={"training_set_sha256": dataset.dataset_sha256},
                    initial_model=start,
                    replay_file=self.replay_frames,
                    on_progress=_teller(),
                    should_stop=lambda: stop.reason() is not None,
                )
            except TrainingStopped:
                remember_stop_request()
                return Response(output=None, replace=self.make(dataset, seed, earlier))
        return self._student(path, seed, time.monotonic() - began)

    def folder(self, dataset: FrameSet, seed: int, start: str | None) -> Path:
        """Name the folder of a training.

        Parameters
        ----------
        dataset : FrameSet
            Labelled frames.
        seed : int
            Seed.
        start : str or None
            Initial model.

        Returns
        -------
        Path
            The folder, there or not.
        """
        settings = self.settings.model_dump(exclude={"n_threads", "device"})
        if start is None:
            settings["architecture"] = load_architecture(self.settings.architecture).model_dump(exclude={"description"})
        identity = {
            "recipe": _RECIPE_VERSION,
            "dataset": dataset.dataset_sha256,
            "settings": settings,
            "seed": seed,
            "initial_model": None if start is None else _model_digest(start),
            "replay": None if self.replay_frames is None else _file_digest(self.replay_frames),
        }
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        entry = f"trainings/{key}"
        return checkpoint_root_of(entry, self.checkpoint_root) / entry

    def _student(self, path: Path, seed: int, wall_time_s: float) -> Student:
        """Say what was trained."""
        header = read_model_header(path)
        training: dict[str, Any] = header.metrics.get("training", {})
        energy = training.get("validation_energy_rmse_ev_per_atom")
        return Student(
            path=str(path),
            weights_sha256=header.weights_sha256,
            seed=seed,
            validation_fraction=self.settings.validation_fraction,
            held_out_fraction=self.settings.held_out_fraction,
            n_epochs=int(training.get("n_epochs", 0)),
            validation_energy_rmse_mev_per_atom=None if energy is None else 1000.0 * energy,
            validation_force_rmse_ev_per_angstrom=training.get("validation_force_rmse_ev_per_angstrom"),
            wall_time_s=round(wall_time_s, 3),
        )


def _model_digest(path: str) -> str:
    _expect(path, "model")
    header = model_header(path)
    return file_sha256(path) if header is None else header.weights_sha256


def _file_digest(path: str) -> str:
    _expect(path, "file of frames to replay")
    return file_sha256(path)


def _expect(path: str, what: str) -> None:
    if not Path(path).is_file():
        raise TrainingError(f"There is no {what} '{path}': correct the path.")


def _teller() -> Any:
    """Make what writes the heartbeat of a training; None where no launcher listens."""
    write = heartbeat_writer()
    if write is None:
        return None

    def tell(report: TrainingProgressReport) -> None:
        last = report.epochs[-1] if report.epochs else None
        write(
            TrainingProgress(
                epoch=report.n_epochs,
                maximum_epochs=report.max_epochs,
                force_rmse_ev_per_angstrom=None if last is None else last.force_rmse_ev_per_angstrom,
            )
        )

    return tell
