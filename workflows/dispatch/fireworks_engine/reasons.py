"""Why a job of FireWorks failed, in one line."""

from __future__ import annotations

from typing import Any

_OWN_ERRORS = "superion.errors."


def reason_of(job: dict[str, Any], launch: dict[str, Any] | None) -> str:
    """Read the reason from the documents of a failed job.

    Parameters
    ----------
    job : dict
        Its document.
    launch : dict or None
        Its last launch.

    Returns
    -------
    str
        One line; superion's own errors say it in their own words, others with the name of the error.
    """
    stored = {} if launch is None else (launch.get("action") or {}).get("stored_data", {})
    stack = (stored.get("_exception") or {}).get("_stacktrace")
    if stack is None:
        stack = (job["spec"].get("_exception_details") or {}).get("_stacktrace")
    if not stack:
        return "it was lost without a word"
    return last_line(stack)


def last_line(stack: str) -> str:
    r"""Take the error out of a traceback.

    Parameters
    ----------
    stack : str
        The traceback as Python prints it.

    Returns
    -------
    str
        Its first line of words.

    Examples
    --------
    >>> last_line("Traceback (most recent call last):\n  File ...\nsuperion.errors.PotentialError: No such model.")
    'No such model.'
    >>> last_line("Traceback (most recent call last):\n  File ...\nValueError: bad")
    'ValueError: bad'
    """
    lines = [line for line in stack.splitlines() if line and not line[0].isspace()]
    # Errors in several lines: the one with the name comes after the last frame.
    words = lines[-1] if lines else stack.strip()
    for line in reversed(lines):
        name, colon, _ = line.partition(": ")
        if colon and " " not in name and not line.startswith("Traceback"):
            words = line
            break
    name, colon, rest = words.partition(": ")
    if colon and name.startswith(_OWN_ERRORS):
        return rest
    return f"{name.rsplit('.', 1)[-1]}: {rest}" if colon else words
