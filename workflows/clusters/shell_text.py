"""Paths and values that a worker's shell expands, and how they are written into scripts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_ADDRESS = re.compile(r"://[^\s/@]*:[^\s/@]*@")
_COMMAND = re.compile(r"[`\"\\\n\r\0]|\$\(|\$\$")


def _expandable(text: str) -> str:
    """Refuse what would be more than a path or a value with variables in it."""
    if _COMMAND.search(text):
        raise ValueError('it may hold ~ and $VARIABLES, but no command, quote, backslash, line break or "$$"')
    return text


def _rooted(text: str) -> str:
    if not text.startswith(("/", "~/", "$")) and text != "~":
        raise ValueError(
            "write it from the root, or beginning with ~ or a $VARIABLE: jobs start in folders of their own"
        )
    if " " in text:
        raise ValueError("write it without blanks: FireWorks' scripts do not quote their folders")
    return text.rstrip("/") or "/"


def _one_line(text: str) -> str:
    if _ADDRESS.search(text):
        raise ValueError(
            "it holds an address with a password, and would be written into scripts that others can read: put it into "
            "a file that only you can read"
        )
    if "$$" in text or "\n" in text:
        raise ValueError(
            "give one line of shell to an item, without '$$', which templates of queues take for their own"
        )
    return text


ExpandableText = Annotated[str, AfterValidator(_expandable)]
"""A value in which a worker's shell expands variables."""

WorkerPath = Annotated[str, AfterValidator(_expandable), AfterValidator(_rooted)]
"""A path on the workers."""

ShellLine = Annotated[str, AfterValidator(_one_line)]
"""One line of shell."""


def for_shell(text: str) -> str:
    """Write a path or value for a script: variables are expanded there, blanks stay in one word.

    Parameters
    ----------
    text : str
        What a profile holds.

    Returns
    -------
    str
        In double quotes; a leading ``~`` becomes ``$HOME``.

    Examples
    --------
    >>> for_shell("~/my runs/$USER")
    '"$HOME/my runs/$USER"'
    """
    if text == "~" or text.startswith("~/"):
        text = f"$HOME{text[1:]}"
    return f'"{text}"'


def expanded_here(text: str) -> Path:
    """Expand a worker's path as this machine would.

    Parameters
    ----------
    text : str
        What a profile holds.

    Returns
    -------
    Path
        The path; variables that are not set here stay as they are.

    Examples
    --------
    >>> expanded_here("/scratch/superion").name
    'superion'
    """
    return Path(os.path.expandvars(os.path.expanduser(text)))
