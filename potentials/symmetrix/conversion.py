"""Converting a MACE model once, in a process of its own with a time limit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import RuntimeUnavailableError
from . import export
from .backends import symmetrix_version
from .cache import MODEL_FILE, REFUSAL_FILE, converted_folder

TIME_LIMIT_S = 600.0
"""Longest conversion in s; the scalar models that symmetrix is made for take seconds."""


@dataclass(frozen=True)
class MaceModelFile:
    """A MACE model to convert.

    Attributes
    ----------
    path : Path
        Its file.
    sha256 : str
        Digest of its weights.
    head : str or None
        Head of a model that has several.
    """

    path: Path
    sha256: str
    head: str | None = None


def convert(model: MaceModelFile, time_limit_s: float | None = None) -> Path:
    """Give the folder of a converted model, converting it if no process has done so yet.

    That a model cannot be converted, or not in time, is kept too, so that it is tried once.

    Parameters
    ----------
    model : MaceModelFile
        The model.
    time_limit_s : float, optional
        Longest conversion in s, `TIME_LIMIT_S` by default.

    Returns
    -------
    Path
        Folder with the converted model.

    Raises
    ------
    RuntimeUnavailableError
        If it cannot be converted, with the reason.
    """
    head = f"-{model.head}" if model.head else ""
    key = f"{model.sha256}{head}-{symmetrix_version()}"
    limit_s = TIME_LIMIT_S if time_limit_s is None else time_limit_s
    folder = converted_folder(key, partial(_convert_into, model, limit_s))
    refusal = folder / REFUSAL_FILE
    if refusal.is_file():
        reason = refusal.read_text(encoding="utf-8")
        raise RuntimeUnavailableError(
            f"symmetrix cannot evaluate the MACE model {model.path.name}: {reason}; set the runtime to torch for it."
        )
    return folder


def _convert_into(model: MaceModelFile, time_limit_s: float, folder: Path) -> None:
    """Fill a folder with the converted model, or with the reason why there is none."""
    words = [sys.executable, "-m", export.__name__, str(model.path.absolute()), str(folder / MODEL_FILE)]
    words += [model.head] if model.head else []
    try:
        # away from the current folder, where a file may have the name of a library
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=time_limit_s, check=False)
    except subprocess.TimeoutExpired:
        reason = (
            f"its conversion did not end within {time_limit_s:g} s, as happens to models whose channels are not scalar"
        )
    else:
        if done.returncode == 0:
            return
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        if done.returncode != export.NOT_CONVERTIBLE:
            # nothing of the model: it may work next time
            raise RuntimeUnavailableError(
                f"The conversion of the MACE model {model.path.name} for symmetrix failed ({reason}): try again, or "
                "set the runtime to torch."
            )
    (folder / MODEL_FILE).unlink(missing_ok=True)
    (folder / REFUSAL_FILE).write_text(reason, encoding="utf-8")
