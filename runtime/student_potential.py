"""A trained potential inside a job: from its document to the model file on this host."""

from __future__ import annotations

from pathlib import Path

from ..database.documents import PotentialDoc
from ..database.student_potentials import decoded_content, model_file_in, student_specification
from ..errors import PotentialError
from ..potentials.checksum import file_sha256
from ..potentials.specification import PotentialSpecification
from .checkpoint_root import default_checkpoint_root

FOLDER = "potentials"
"""Folder of model files, beside that of trajectories."""


def student_potential(
    document: PotentialDoc, *, checkpoint_root: str | None = None, device: str = "auto", force: bool = False
) -> PotentialSpecification:
    """Give the potential that a document describes, as this host can load it.

    Parameters
    ----------
    document : PotentialDoc
        The potential, with the bytes of its model file where the store has them.
    checkpoint_root : str or None
        Folder of trajectories, beside which model files are kept; None for the project's.
    device : str
        Where it computes.
    force : bool
        Whether to use it though it was rejected.

    Returns
    -------
    PotentialSpecification
        MACE with the model file.

    Raises
    ------
    PotentialError
        If it was rejected and is not forced, or its model file cannot be had on this host.
    """
    path = _model_file(document, model_folder(checkpoint_root))
    return student_specification(document, path, force=force).model_copy(update={"device": device})


def model_folder(checkpoint_root: str | None = None) -> Path:
    """Give the folder in which a host keeps the model files of trained potentials.

    Parameters
    ----------
    checkpoint_root : str or None
        Folder of trajectories; None for the project's.

    Returns
    -------
    Path
        The folder beside it.

    Examples
    --------
    >>> model_folder("trajectories").name
    'potentials'
    """
    return Path(checkpoint_root or default_checkpoint_root()).absolute().parent / FOLDER


def _model_file(document: PotentialDoc, folder: Path) -> Path:
    """Find the model file where it was trained, else write it here from the bytes in the document."""
    trained = Path(document.file.path)
    if trained.is_file() and file_sha256(trained) == document.file.sha256:
        return trained
    text = document.content_base64
    content = decoded_content(text) if isinstance(text, str) else None
    path = model_file_in(folder, document.file.sha256, content)
    if path is None:
        raise PotentialError(
            f"The model file of the potential {document.name} is neither in {trained} on this host nor in the store: "
            "copy the file there, or train the potential again."
        )
    return path
