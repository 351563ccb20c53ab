"""What went wrong with a job, in one line."""

from __future__ import annotations

import re

from .records import JobRecord

_LAST_WORDS = re.compile(r"^((?:[A-Za-z_]\w*\.)*)([A-Z]\w*)(?::[ \t]*(.*))?$", re.DOTALL)
_QUEUE_WORDS = re.compile(r"(?im)^.*\b(?:time limit|cancelled|oom|out of memory|killed|no such file|not found|node).*$")
_GREATEST_LENGTH = 400


def reason_of(job: JobRecord) -> str:
    r"""Say in one line why a job failed.

    Parameters
    ----------
    job : JobRecord
        A failed job.

    Returns
    -------
    str
        superion's own sentence, or the kind of the error and its words; with what the queue printed where that says
        more. Starts with the name of the job.

    Examples
    --------
    >>> from jobflow_remote.jobs.state import JobState
    >>> text = "Traceback (most recent call last):\n  File ...\nValueError: no such\nvalue\n"
    >>> reason_of(JobRecord("u", 1, "7", "relax", JobState.FAILED, error=text))
    'relax: ValueError: no such value'
    """
    words = last_words(job.error)
    if found := _QUEUE_WORDS.findall(job.queue_words):
        words = f"{words} ({' '.join(found[-1].split())})"
    return _shortened(f"{job.name}: {words}" if job.name else words)


def last_words(traceback: str) -> str:
    """Take the message out of a traceback.

    Parameters
    ----------
    traceback : str
        What Python printed, or plain words.

    Returns
    -------
    str
        One line; errors of superion and of jobflow-remote's runner come without the name of their class.

    Examples
    --------
    >>> last_words("superion.errors.StructureError: The cell is empty.")
    'The cell is empty.'
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
        return text.removeprefix("Remote error: ") or "it left no word"
    module, _, words = match.groups()
    return words if words and module.startswith("superion.") else text.removeprefix(module)


def _shortened(text: str) -> str:
    return text if len(text) <= _GREATEST_LENGTH else f"{text[: _GREATEST_LENGTH - 1]}…"
