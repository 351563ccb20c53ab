"""A MACE model, trained further on labelled frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from jobflow import Flow

from ..errors import SettingsError
from ..makers.label import LabelMaker
from ..makers.register_model_file import RegisterModelFileMaker
from ..makers.train_potential import TrainPotentialMaker
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.checkpoint_root import default_checkpoint_root
from ..runtime.maker import Maker
from .declaration import FlowInput, FlowOption
from .plan import FlowPlan


@dataclass
class FinetunePotentialMaker(Maker):
    """Train a MACE model further on labelled frames, and register it as unvalidated.

    It keeps its architecture. Frames of what the model was trained on before, as replay, keep it from forgetting.

    Parameters
    ----------
    name : str
        Name of the flow.
    model : PotentialSpecification, str, dict or None
        The model to start from, as "mace:FILE", or the name of one that was trained here; it must be given.
    replay_frames : str or None
        Extended XYZ file with labelled frames of the model's own training.
    potential_name : str or None
        Name of the potential; None takes the label, or composition of the frames.
    seed : int
        Seed of the order of frames.
    device : str
        Where it is trained: auto, cpu, cuda, cuda:1.
    label : LabelMaker
        Reads and checks the frames.
    train : TrainPotentialMaker
        How it is trained.
    register : RegisterModelFileMaker
        Writes the model file and its document.
    checkpoint_root : str or None
        Folder of trainings; None for the superion project's, or one in the current folder.
    """

    inputs: ClassVar[tuple[FlowInput, ...]] = (
        FlowInput("frames", "extended XYZ file of labelled frames (energies, forces and stresses)"),
    )
    options: ClassVar[tuple[FlowOption, ...]] = (
        FlowOption("model", "model", "model to start from: mace:FILE, or the name of one that was trained here"),
        FlowOption("replay", "replay_frames", "labelled frames of the model's own training"),
        FlowOption("name", "potential_name", "name of the potential"),
        FlowOption("device", "device", "device: auto, cpu, cuda, cuda:1"),
    )
    document: ClassVar[str] = "potential"

    name: str = "finetune potential"
    model: PotentialSpecification | None = None
    replay_frames: str | None = None
    potential_name: str | None = None
    seed: int = 1
    device: str = "auto"
    label: LabelMaker = field(default_factory=LabelMaker)
    train: TrainPotentialMaker = field(default_factory=TrainPotentialMaker)
    register: RegisterModelFileMaker = field(default_factory=RegisterModelFileMaker)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the model by name, too."""
        if self.model is not None:
            self.model = potential_specification(self.model)

    def make(self, frames: str | Path, label: str | None = None) -> Flow:
        """Build the flow.

        Parameters
        ----------
        frames : str or Path
            File of labelled frames.
        label : str or None
            Name of the potential; None takes `potential_name`, or the composition of the frames.

        Returns
        -------
        Flow
            Its output is a `PotentialDoc`.

        Raises
        ------
        SettingsError
            If a file is not there, or no model is given.
        """
        root = str(self.checkpoint_root or default_checkpoint_root())
        file, model = _file(frames, "file of labelled frames"), self._model_file()
        replay = None if self.replay_frames is None else str(_file(self.replay_frames, "file of frames to replay"))
        dataset = replace(self.label, labelled_frames=str(file), checkpoint_root=root).make([])
        settings = self.train.settings.model_copy(update={"device": self.device})
        training = replace(
            self.train, settings=settings, initial_model=str(model), replay_frames=replay, checkpoint_root=root
        ).make(dataset.output, self.seed)
        register = replace(self.register, potential_name=label or self.potential_name, checkpoint_root=root).make(
            training.output, dataset.output
        )
        return Flow([dataset, training, register], output=register.output, name=self.name)

    def plan(self, frames: str | Path, *, seconds_per_step: float | None = None) -> FlowPlan:
        """Describe the flow without reading the frames.

        Parameters
        ----------
        frames : str or Path
            File of labelled frames.
        seconds_per_step : float or None
            Not used.

        Returns
        -------
        FlowPlan
            Jobs and name.
        """
        flow = self.make(frames)
        label = self.potential_name or f"{Path(frames).stem}-finetuned"
        return FlowPlan(
            flow=self.name,
            label=label,
            potential=f"{self._model_file().name}, trained further",
            jobs=tuple(job.name for job, _ in flow.iterflow()),
            checkpoint_root=str(self.checkpoint_root or default_checkpoint_root()),
        )

    def _model_file(self) -> Path:
        """Give the model file to start from."""
        if self.model is None or self.model.model is None:
            raise SettingsError("There is no model to start from: give one, such as --model mine.model.")
        if self.model.name != "mace":
            raise SettingsError(f"Only MACE models can be trained further, and '{self.model.name}' is none.")
        return _file(self.model.model, "model file")


def _file(path: str | Path, what: str) -> Path:
    """Refuse a file that is not there; jobs run in folders of their own."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise SettingsError(f"There is no {what} '{path}': correct the path.")
    return file.resolve()
