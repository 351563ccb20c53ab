"""What went wrong with a job, in one line."""

from __future__ import annotations

import re

from ..last_words import last_words, shortened
from .records import JobRecord

_QUEUE_WORDS = re.compile(r"(?im)^.*\b(?:time limit|cancelled|oom|out of memory|killed|no such file|not found|node).*$")


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
    words = words_of(job.error)
    if found := _QUEUE_WORDS.findall(job.queue_words):
        words = f"{words} ({' '.join(found[-1].split())})"
    return shortened(f"{job.name}: {words}" if job.name else words)


def words_of(error: str) -> str:
    """Take the message out of what jobflow-remote wrote down.

    Parameters
    ----------
    error : str
        A traceback, or words of its runner, which begin with a mark of their own.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> words_of("Remote error: the file is missing")
    'the file is missing'
    """
    return last_words(error).removeprefix("Remote error: ")
