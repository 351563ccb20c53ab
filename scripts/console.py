"""Where text goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from ..workflows.presenters.plain_data import plain_data

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
