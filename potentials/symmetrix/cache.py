"""Converted models, kept by what they were converted from and by what converted them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from uuid import uuid4

from ...errors import RuntimeUnavailableError
from ...user_cache import VARIABLE, cache_folder

MODEL_FILE = "model.json"
REFUSAL_FILE = "not_convertible.txt"


def converted_folder(key: str, make: Callable[[Path], None]) -> Path:
    """Find a converted model, or convert it.

    Two processes may both convert: the first to finish is kept. A process that is killed leaves a folder that nobody
    takes for a converted model.

    Parameters
    ----------
    key : str
        What makes it the one it is.
    make : callable
        Fills an empty folder.

    Returns
    -------
    Path
        The folder, complete.
    """
    root = models_folder()
    folder = root / key
    if folder.is_dir():
        return folder
    partial = root / f".{key}.{uuid4().hex[:8]}.part"
    partial.mkdir(parents=True)
    try:
        make(partial)
        try:
            os.rename(partial, folder)
        except OSError:
            # another process was faster: what it made is the same
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def models_folder() -> Path:
    """Say where converted models are: in superion's cache, or for this process alone.

    Returns
    -------
    Path
        The folder, which may not be there yet.
    """
    kept = cache_folder()
    return (_folder_of_this_process() if kept is None else kept) / "symmetrix"


def require_cache() -> None:
    """Refuse where superion's cache is switched off, so that every process would convert and compile anew.

    Raises
    ------
    RuntimeUnavailableError
        With what to do.
    """
    if cache_folder() is None:
        raise RuntimeUnavailableError(
            f"superion's cache is switched off ({VARIABLE}=off), so that each process would convert the model anew: "
            "name a folder by that variable, or ask for the runtime symmetrix by its name."
        )


@cache
def _folder_of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="superion-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
