"""Load a MACE model from a file, mace's own or a model file of superion, by what the file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PotentialError
from .model_file import is_model_file, load_model, read_model_header
from .model_header import ModelHeader
from .quiet import quietly

if TYPE_CHECKING:
    import torch


def model_header(path: str | Path) -> ModelHeader | None:
    """Read the header of a model file of superion.

    Parameters
    ----------
    path : str or Path
        Any MACE model.

    Returns
    -------
    ModelHeader or None
        None for mace's own files, which say nothing before their weights are read.

    Raises
    ------
    PotentialError
        If a model file is damaged or of another version.
    """
    return read_model_header(path) if is_model_file(path) else None


def load_mace_model(path: str | Path, device: str = "cpu") -> torch.nn.Module:
    """Load a MACE model, of superion's format or saved by mace itself.

    Parameters
    ----------
    path : str or Path
        The file.
    device : str
        Device as torch names it.

    Returns
    -------
    torch.nn.Module
        The model.

    Raises
    ------
    PotentialError
        If it cannot be read.

    Notes
    -----
    mace's own files hold pickled code, which runs when they are loaded: load only those you trust.
    """
    path = Path(path)
    with quietly():
        # mace before torch.load: the file names mace's classes, and e3nn must not be imported first
        import mace.calculators  # noqa: F401
        import torch

        if is_model_file(path):
            return load_model(path, device)
        try:
            model = torch.load(path, map_location=device, weights_only=False)
            model.atomic_numbers, model.r_max  # noqa: B018
        except Exception as error:
            raise PotentialError(
                f"The file {path.name} cannot be read as a MACE model ({type(error).__name__}): "
                "give a model file saved by mace, complete and of a version that this mace can read."
            ) from error
        return model
