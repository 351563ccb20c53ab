"""Where text goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console


_PIPE_WIDTH = 160
"""Columns where the output is no terminal: rich's own 80 would break tables and sentences in log files."""


def results_console() -> Console:
    """Console for results.

    Returns
    -------
    rich.console.Console
        Writes to standard output.
    """
    from rich.console import Console

    return Console(highlight=False, width=None if _has_width(sys.stdout) else _PIPE_WIDTH)


def messages_console() -> Console:
    """Console for everything that is not a result.

    Returns
    -------
    rich.console.Console
        Writes to standard error.
    """
    from rich.console import Console

    return Console(stderr=True, highlight=False, width=None if _has_width(sys.stderr) else _PIPE_WIDTH)


def _has_width(stream: TextIO) -> bool:
    """Whether the stream's width is known: a terminal's, or what COLUMNS says."""
    return stream.isatty() or "COLUMNS" in os.environ


def say(text: str) -> None:
    """Write one line to standard error, exactly as it is.

    Parameters
    ----------
    text : str
        The line.
    """
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def write_json(data: Any) -> None:
    """Write strict JSON to standard output.

    Parameters
    ----------
    data : object
        Plain data, pydantic models, paths, dates and numpy numbers; numbers that JSON does not know become null.
    """
    sys.stdout.write(json.dumps(plain_data(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def plain_data(data: Any) -> Any:
    """Turn data into what JSON can hold.

    Parameters
    ----------
    data : object
        Plain data, pydantic models, paths, dates and numpy numbers.

    Returns
    -------
    object
        Dicts, lists, strings, numbers, booleans and None.

    Examples
    --------
    >>> plain_data({"a": float("nan"), "b": (1, 2)})
    {'a': None, 'b': [1, 2]}
    """
    if data is None or isinstance(data, str | bool | int):
        return data
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if hasattr(data, "model_dump"):
        return plain_data(data.model_dump())
    if isinstance(data, Enum):
        return plain_data(data.value)
    if isinstance(data, Mapping):
        return {str(key): plain_data(value) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [plain_data(item) for item in data]
    if isinstance(data, date):
        return data.isoformat()
    if isinstance(data, Path):
        return str(data)
    if hasattr(data, "tolist"):
        return plain_data(data.tolist())
    return str(data)
