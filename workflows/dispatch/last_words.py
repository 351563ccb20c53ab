"""The message of a traceback, in one line."""

from __future__ import annotations

import re

_LAST_WORDS = re.compile(r"^((?:[A-Za-z_]\w*\.)*)([A-Z]\w*)(?::[ \t]*(.*))?$", re.DOTALL)
_GREATEST_LENGTH = 400


def last_words(traceback: str) -> str:
    r"""Take the message out of a traceback.

    Parameters
    ----------
    traceback : str
        What Python printed, or plain words.

    Returns
    -------
    str
        One line; errors of superion come without the name of their class, others with it.

    Examples
    --------
    >>> last_words("superion.errors.StructureError: The cell is empty.")
    'The cell is empty.'
    >>> last_words("Traceback (most recent call last):\n  File ...\nValueError: bad")
    'ValueError: bad'
    """
    lines = traceback.rstrip().splitlines()
    start = next(
        (i for i in range(len(lines) - 1, -1, -1) if lines[i][:1].strip() and _LAST_WORDS.match(lines[i])), None
    )
    if start is None or "Traceback (most recent call last)" not in traceback:
        start = start if start is not None and len(lines) == 1 else 0
    text = " ".join(" ".join(lines[start:]).split())
    match = _LAST_WORDS.match(text)
    if match is None:
        return text or "it left no word"
    module, _, words = match.groups()
    return words if words and module.startswith("superion.") else text.removeprefix(module)


def shortened(reason: str) -> str:
    """Cut a reason to what a line of a table bears.

    Parameters
    ----------
    reason : str
        One line.

    Returns
    -------
    str
        At most 400 characters.
    """
    return reason if len(reason) <= _GREATEST_LENGTH else f"{reason[: _GREATEST_LENGTH - 1]}…"
