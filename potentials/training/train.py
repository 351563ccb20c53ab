"""Train a MACE potential by mace-torch's own trainer, in a process of its own that can be killed at any instant."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from ...errors import TrainingError
from ...files import write_bytes_atomically
from ..device import resolve_device
from ..mace_model import load_mace_model, model_header
from ..model_file import read_model_header, write_model_file
from ..model_header import ModelHeader
from ..quiet import quietly
from .architecture import load_architecture
from .checkpoints import EpochErrors, best_epoch, checkpoint_paths, prune, read_epochs, remove_torn
from .labelled_frames import ENERGY, FORCES, STRESS, check_labelled_frames, labels_of, write_labelled_frames
from .settings import TrainingSettings
from .split import DatasetSplit

if TYPE_CHECKING:
    import torch
    from ase import Atoms

STUDENT = "student.safetensors"
"""Name of the trained model in the folder of its training."""

_NAME = "student"
_LOG = "trainer.log"
_CHECKPOINTS = "checkpoints"
_POLL_S = 0.2
_MODEL_IS_WRITTEN = "Compiling model, saving metadata"
"""What the trainer logs once the model is on disk; what follows, a second format and tables, is of no use here."""


class TrainingStopped(Exception):
    """A signal or the end of the allocation stopped a training, which keeps its checkpoints."""


@dataclass(frozen=True)
class TrainingProgressReport:
    """How far a training is.

    Attributes
    ----------
    n_epochs : int
        Passes over the training set so far.
    max_epochs : int
        The most allowed.
    epochs : tuple of EpochErrors
        Errors on the validation frames after each.
    """

    n_epochs: int
    max_epochs: int
    epochs: tuple[EpochErrors, ...]


def train_potential(
    split: DatasetSplit,
    folder: str | Path,
    settings: TrainingSettings,
    *,
    seed: int,
    header: dict[str, Any] | None = None,
    initial_model: str | Path | None = None,
    replay_file: str | Path | None = None,
    on_progress: Callable[[TrainingProgressReport], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Path:
    """Train a potential, or continue the training that is in the folder.

    The trainer writes a checkpoint after every epoch. A training that was killed loses at most one epoch.

    Parameters
    ----------
    split : DatasetSplit
        Labelled frames in three parts.
    folder : str or Path
        Folder of this training and no other; made if missing.
    settings : TrainingSettings
        How to train.
    seed : int
        Seed of the initial weights and of the order of the frames.
    header : dict, optional
        Fields of `ModelHeader` to write: name, teacher, domain, digest of the training set, …
    initial_model : str or Path, optional
        A MACE model to train further, of superion's format or of mace's own; None trains from scratch.
    replay_file : str or Path, optional
        Labelled frames from what the initial model was trained on, which keep it from forgetting; None for none.
    on_progress : callable, optional
        Given a `TrainingProgressReport` after every epoch.
    should_stop : callable, optional
        Asked several times a second; when it says True the training stops and `TrainingStopped` is raised.

    Returns
    -------
    Path
        The model file of the epoch with the lowest validation loss.

    Raises
    ------
    TrainingError
        If the frames cannot be trained on, another process trains in the folder, or the trainer fails.
    TrainingStopped
        If it was asked to stop; the same call continues.
    """
    folder = Path(folder).absolute()
    student = folder / STUDENT
    if student.is_file():
        read_model_header(student)
        return student
    with _locked(folder):
        if student.is_file():
            return student
        run = _TrainerRun(folder, settings, seed, on_progress, should_stop)
        _write_inputs(folder, split, settings, seed, initial_model, replay_file)
        run.to_the_end()
        _write_student(folder, run, split, _preset_name(settings, initial_model), header or {})
        _remove_intermediate(folder)
    return student


class _TrainerRun:
    """Starts the trainer, watches it, and stops it when it no longer improves or must end."""

    def __init__(
        self,
        folder: Path,
        settings: TrainingSettings,
        seed: int,
        on_progress: Callable[[TrainingProgressReport], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.checkpoints = folder / _CHECKPOINTS
        self.metrics = folder / "results" / f"{_NAME}_run-{seed}_train.txt"
        self._on_progress = on_progress
        self._should_stop = should_stop or (lambda: False)
        self._n_told = -1

    @property
    def model_path(self) -> Path:
        """What the trainer writes at its end."""
        return self.folder / f"{_NAME}.model"

    def to_the_end(self) -> None:
        """Train until the trainer has ended, or the validation loss no longer falls."""
        max_epochs = self.settings.max_epochs
        remove_torn(self.checkpoints)
        while not self._is_model_written():
            epochs = read_epochs(self.metrics)
            if self._is_out_of_patience(epochs):
                # with no epoch left, the trainer only turns its last checkpoint into a model
                max_epochs = max(checkpoint_paths(self.checkpoints), default=0)
            self._run(max_epochs)

    def _run(self, max_epochs: int) -> None:
        log = self.folder / _LOG
        command = [sys.executable, "-m", f"{__package__}.trainer", str(os.getpid())]
        command += [str(self.settings.n_threads), "--config", "trainer.yaml", "--max_num_epochs", str(max_epochs)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, env=self._environment()
            )
        ended_itself = False
        try:
            ended_itself = self._watch(process, log, max_epochs)
        finally:
            if not ended_itself:
                process.kill()
            process.wait()
        if process.returncode and ended_itself and not self._is_model_written():
            raise TrainingError(
                f"mace-torch's trainer failed ({_last_error(log)}): see {log}, correct the settings of the training or "
                "its frames, and start it again."
            )

    def _watch(self, process: subprocess.Popen[bytes], log: Path, max_epochs: int) -> bool:
        """Watch the trainer; True if it ended by itself."""
        while process.poll() is None:
            time.sleep(_POLL_S)
            if self._should_stop():
                raise TrainingStopped
            epochs = read_epochs(self.metrics)
            self._tell(epochs)
            if self._is_model_written():
                return False
            if len(epochs) > self._n_told:
                self._n_told = len(epochs)
                prune(epochs, self.checkpoints)
            if max_epochs == self.settings.max_epochs and self._is_out_of_patience(epochs):
                return False
        self._tell(read_epochs(self.metrics))
        return True

    def _tell(self, epochs: Sequence[EpochErrors]) -> None:
        if self._on_progress is not None and len(epochs) != self._n_told:
            self._on_progress(TrainingProgressReport(len(epochs), self.settings.max_epochs, tuple(epochs)))

    def _is_model_written(self) -> bool:
        log = self.folder / _LOG
        return (
            self.model_path.is_file()
            and log.is_file()
            and _MODEL_IS_WRITTEN in log.read_text(encoding="utf-8", errors="replace")
        )

    def _is_out_of_patience(self, epochs: Sequence[EpochErrors]) -> bool:
        best = best_epoch(list(epochs), self.checkpoints)
        return best is not None and epochs[-1].epoch - best.epoch >= self.settings.patience_epochs

    def _environment(self) -> dict[str, str]:
        threads = str(self.settings.n_threads)
        own = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
        kind, _, index = resolve_device(self.settings.device).partition(":")
        if kind == "cuda" and index not in ("", "0"):
            own["CUDA_VISIBLE_DEVICES"] = index
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)
        return os.environ | own | {"PYTHONPATH": path}


def _write_inputs(
    folder: Path,
    split: DatasetSplit,
    settings: TrainingSettings,
    seed: int,
    initial_model: str | Path | None,
    replay_file: str | Path | None,
) -> None:
    """Write what the trainer reads; the same again after an interruption."""
    known = None
    options: dict[str, Any] = {}
    if initial_model is not None:
        options, known = _initial_model_options(folder, Path(initial_model), replay_file)
    else:
        options = load_architecture(settings.architecture).trainer_options()
    frames = [*split.training, *split.validation]
    check_labelled_frames(
        [*frames, *split.held_out],
        fewest_frames=settings.fewest_frames,
        known_elements=known,
        model="model to train further",
    )
    write_labelled_frames(folder / "training.extxyz", split.training)
    write_labelled_frames(folder / "validation.extxyz", split.validation)
    energies = {str(number): energy for number, energy in _atomic_energies_ev(frames).items()}
    write_bytes_atomically(folder / "atomic_energies.json", json.dumps(energies).encode())
    config = _trainer_config(split, settings, seed, replay_file is not None) | options
    write_bytes_atomically(folder / "trainer.yaml", yaml.safe_dump(config, sort_keys=True).encode())


def _trainer_config(
    split: DatasetSplit, settings: TrainingSettings, seed: int, has_replay: bool
) -> dict[str, str | int | float | bool]:
    """Give the trainer's options but for the architecture."""
    has_stress = STRESS in split.training[0].info
    loss = "universal" if has_replay else "stress" if has_stress else "weighted"
    return {
        "name": _NAME,
        "seed": seed,
        "work_dir": ".",
        "train_file": "training.extxyz",
        "valid_file": "validation.extxyz",
        "E0s": "atomic_energies.json",
        "energy_key": ENERGY,
        "forces_key": FORCES,
        "stress_key": STRESS,
        "device": resolve_device(settings.device).partition(":")[0],
        "default_dtype": "float32",
        "loss": loss,
        "energy_weight": settings.energy_weight,
        "forces_weight": settings.forces_weight,
        "stress_weight": settings.stress_weight,
        "batch_size": min(settings.batch_size, len(split.training)),
        "valid_batch_size": min(settings.batch_size, len(split.validation)),
        "lr": settings.learning_rate,
        "scheduler": "ExponentialLR",
        "lr_scheduler_gamma": settings.final_learning_rate_ratio ** (1.0 / max(1, settings.max_epochs - 1)),
        "ema": True,
        "ema_decay": settings.ema_decay,
        "error_table": "PerAtomRMSE",
        "plot": False,
        "num_workers": 0,
        "pin_memory": False,
        "save_cpu": True,
        "restart_latest": True,
        "keep_checkpoints": True,
        "save_all_checkpoints": True,
        # the trainer's own patience does not end a training in a single process: it is watched from outside
        "patience": 1_000_000,
    }


def _initial_model_options(
    folder: Path, initial_model: Path, replay_file: str | Path | None
) -> tuple[dict[str, str | bool], tuple[str, ...]]:
    """Write the model to train further in mace's own format, and give its elements."""
    import torch
    from ase.data import chemical_symbols

    if not initial_model.is_file():
        raise TrainingError(f"There is no model file '{initial_model}' to train further: correct the path.")
    if (folder / "initial.model").is_file():
        with quietly():
            model = load_mace_model(folder / "initial.model")
    else:
        with quietly():
            model = load_mace_model(initial_model).float()
            partial = folder / ".initial.model.part"
            torch.save(model, partial)
            os.replace(partial, folder / "initial.model")
    known = tuple(chemical_symbols[int(number)] for number in model.atomic_numbers)
    options: dict[str, str | bool] = {
        "model": "ScaleShiftMACE",
        "foundation_model": "initial.model",
        "multiheads_finetuning": replay_file is not None,
    }
    if replay_file is not None:
        if not Path(replay_file).is_file():
            raise TrainingError(f"There is no file of frames to replay '{replay_file}': correct the path.")
        options["pt_train_file"] = str(Path(replay_file).absolute())
        options["force_mh_ft_lr"] = True
    return options, known


def _atomic_energies_ev(frames: Sequence[Atoms]) -> dict[int, float]:
    """Give the energy of each element by least squares, of the smallest norm where compositions do not tell."""
    elements = sorted({int(number) for frame in frames for number in frame.numbers})
    counts = np.array([[np.count_nonzero(frame.numbers == number) for number in elements] for frame in frames])
    energies = np.array([labels.energy_ev for frame in frames if (labels := labels_of(frame)) is not None])
    solution, *_ = np.linalg.lstsq(counts.astype(float), energies, rcond=None)
    return {number: float(energy) for number, energy in zip(elements, solution, strict=True)}


def _write_student(folder: Path, run: _TrainerRun, split: DatasetSplit, preset: str, header: dict[str, Any]) -> None:
    """Write the model of the best epoch."""
    from importlib import metadata

    epochs = read_epochs(run.metrics)
    best = best_epoch(epochs, run.checkpoints)
    if best is None:
        raise TrainingError(
            f"The training in {folder} reached no loss that is a number: lower its learning rate, or look for frames "
            "with extreme forces."
        )
    with quietly():
        model = _single_head(_model_of_epoch(run, best.epoch))
    training = {
        "best_epoch": best.epoch,
        "n_epochs": len(epochs),
        "validation_energy_rmse_ev_per_atom": best.energy_rmse_ev_per_atom,
        "validation_force_rmse_ev_per_angstrom": best.force_rmse_ev_per_angstrom,
    }
    fields = {
        "architecture_preset": preset,
        "n_training_frames": len(split.training),
        "superion_version": metadata.version("superion"),
        "package_version": metadata.version("mace-torch"),
    }
    given = fields | header
    given["metrics"] = {**dict(header.get("metrics", {})), "training": training}
    ModelHeader.model_validate({"architecture": {}, "elements": [], "weights_sha256": ""} | given)
    write_model_file(folder / STUDENT, model, given)


def _preset_name(settings: TrainingSettings, initial_model: str | Path | None) -> str:
    """Name the architecture: its preset, or the model that it comes from."""
    if initial_model is None:
        return Path(settings.architecture).stem
    header = model_header(initial_model)
    return Path(initial_model).stem if header is None else header.architecture_preset or Path(initial_model).stem


def _model_of_epoch(run: _TrainerRun, epoch: int) -> torch.nn.Module:
    """Load the trainer's model with the weights of one epoch."""
    import mace.calculators  # noqa: F401
    import torch

    model: torch.nn.Module = torch.load(run.model_path, map_location="cpu", weights_only=False)
    path = checkpoint_paths(run.checkpoints)[epoch]
    checkpoint = torch.load(path, map_location="cpu", weights_only=False)
    model.load_state_dict(checkpoint["model"], strict=True)
    return model


def _single_head(model: torch.nn.Module) -> torch.nn.Module:
    """Leave the replayed head out."""
    heads = list(getattr(model, "heads", None) or ["Default"])
    if len(heads) == 1:
        return model
    from mace.tools.scripts_utils import remove_pt_head

    return remove_pt_head(model, next(head for head in heads if head != "pt_head"))


def _remove_intermediate(folder: Path) -> None:
    """Leave the student, its log and the record of its epochs."""
    shutil.rmtree(folder / _CHECKPOINTS, ignore_errors=True)
    for name in (f"{_NAME}.model", f"{_NAME}_compiled.model", "initial.model"):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingError(
                f"Another process trains in {folder}: wait for it, or end it before you start this training again."
            ) from None
        yield


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it wrote nothing"
