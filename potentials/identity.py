"""What makes a potential the one it is, before it is loaded: names as they are, files by their bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..errors import PotentialError
from .checksum import file_sha256
from .mace_model import model_header
from .specification import PotentialSpecification


def potential_identity(specification: PotentialSpecification) -> dict[str, Any]:
    """Say which potential is asked for, as plain data for a key.

    A model file that is trained anew is another potential, and one that is moved stays the same. A path that is not on
    this machine, but on that of the jobs, can only be told by its name.

    Parameters
    ----------
    specification : PotentialSpecification
        What a user asks for.

    Returns
    -------
    dict
        The fields but for the device, since where it runs does not change what it is; each absolute path of a file, or
        of a model's folder, is replaced by the sha256 of its bytes.

    Examples
    --------
    >>> potential_identity(PotentialSpecification(name="mace", model="medium-mpa-0"))["model"]
    'medium-mpa-0'
    """
    plain = specification.model_dump(mode="json", exclude={"device"})
    plain["model"] = _by_content(plain["model"], with_folders=True)
    plain["options"] = _by_content(plain["options"])
    return plain


def absolute_paths(settings: Any) -> list[str]:
    """List the absolute paths among settings, whether or not something is there.

    Parameters
    ----------
    settings : dict or list
        Plain data.

    Returns
    -------
    list of str
        The paths.

    Examples
    --------
    >>> absolute_paths({"model": "/models/mine.model", "options": {"head": "pbe"}})
    ['/models/mine.model']
    """
    found: list[str] = []
    left: list[Any] = [settings]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str) and Path(value).is_absolute():
            found.append(value)
    return found


def _by_content(value: Any, *, with_folders: bool = False) -> Any:
    """Replace absolute paths of files by the digest of their bytes."""
    if isinstance(value, dict):
        return {key: _by_content(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_by_content(part) for part in value]
    if not isinstance(value, str):
        return value
    try:
        path = Path(value)
        if path.is_absolute() and path.is_file():
            return f"sha256:{_content_sha256(path)}"
        if with_folders and path.is_absolute() and path.is_dir():
            return f"sha256:{_folder_sha256(path)}"
    except (OSError, ValueError):
        # What cannot be read here is told by its name.
        pass
    return value


def _content_sha256(path: Path) -> str:
    """Digest of a file; of the weights alone where a header names them, since a verdict makes no other potential."""
    try:
        header = model_header(path)
    except PotentialError:
        header = None
    return file_sha256(path) if header is None else header.weights_sha256


def _folder_sha256(folder: Path) -> str:
    """Digest of the files of a folder, of their names and bytes."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    text = "".join(f"{path.name}\0{file_sha256(path)}\0" for path in files)
    return hashlib.sha256(text.encode()).hexdigest()
