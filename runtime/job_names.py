"""Names of jobs that any engine can write into a script."""

from __future__ import annotations

import re

_OTHERS = re.compile(r"[^\w.+ -]", re.ASCII)


def sanitize_job_name(text: str) -> str:
    """Leave out of a name what a shell would take for more than a letter.

    Names of jobs stand in scripts that engines write without quotes, and may come from names of files.

    Parameters
    ----------
    text : str
        Any words.

    Returns
    -------
    str
        The same words of ASCII letters, digits, blanks and ``_ . + -``.

    Examples
    --------
    >>> sanitize_job_name("reference Li2S (mp-1153)")
    'reference Li2S mp-1153'
    """
    return " ".join(_OTHERS.sub(" ", text).split())
