"""Digests that say which weights computed a number."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=64)
def _digest(path: str, modified_ns: int, size: int) -> str:
    # modification time and size are part of the cache key, so a file that is replaced is read again
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_sha256(path: str | Path) -> str:
    """Sha256 of a file's bytes, cached per path, modification time and size.

    Parameters
    ----------
    path : str or Path
        An existing file.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    path = Path(path).resolve()
    status = path.stat()
    return _digest(str(path), status.st_mtime_ns, status.st_size)


def parameters_sha256(class_path: str, parameters: dict[str, Any]) -> str:
    """Sha256 of a classical calculator: its class and its parameters.

    A parameter that names an existing file (a tabulated potential, say) enters by that file's bytes and not by its
    path, so the digest is the same on another machine and changes when the file does.

    Parameters
    ----------
    class_path : str
        Dotted path of the calculator class.
    parameters : dict
        Its keyword arguments.

    Returns
    -------
    str
        Hexadecimal digest.
    """

    def canonical(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
        if isinstance(value, list | tuple):
            return [canonical(item) for item in value]
        if isinstance(value, str | Path) and value and Path(value).is_file():
            return {"file_sha256": file_sha256(value)}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if hasattr(value, "tolist"):
            return value.tolist()
        return repr(value)

    text = json.dumps([class_path, canonical(parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
