"""How a potential is trained."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TrainingSettings(BaseModel):
    """Settings of one training; the seed is given apart, because the members of a committee differ in it.

    Examples
    --------
    >>> TrainingSettings(max_epochs=100).learning_rate
    0.01
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str = Field(
        default="tiny", description="tiny, small, medium, or a YAML file; a model that is trained further keeps its own"
    )
    max_epochs: int = Field(default=40, ge=1, description="passes over the training set, at most")
    patience_epochs: int = Field(
        default=20, ge=1, description="passes without a better validation loss after which the training stops"
    )
    batch_size: int = Field(default=4, ge=1, description="frames behind one step of the optimiser")
    learning_rate: float = Field(default=0.01, gt=0, description="learning rate at the beginning")
    final_learning_rate_ratio: float = Field(
        default=0.05, gt=0, le=1, description="learning rate of the last epoch over that of the first"
    )
    ema_decay: float = Field(default=0.99, gt=0, lt=1, description="decay of the moving average of the weights")
    energy_weight: float = Field(default=40.0, ge=0, description="weight of the energy per atom in the loss")
    forces_weight: float = Field(default=100.0, ge=0, description="weight of the forces in the loss")
    stress_weight: float = Field(default=100.0, ge=0, description="weight of the stress in the loss")
    validation_fraction: float = Field(
        default=0.1, gt=0, lt=0.5, description="part of the frames by which the best epoch is chosen"
    )
    held_out_fraction: float = Field(
        default=0.1, gt=0, lt=0.5, description="part of the frames that only the validation of the potential sees"
    )
    fewest_frames: int = Field(default=10, ge=3, description="smallest training set that is accepted")
    n_threads: int = Field(default=1, ge=1, description="processor threads of the trainer")
    device: str = Field(default="auto", description="auto (CUDA when there), cpu, cuda, cuda:1")
