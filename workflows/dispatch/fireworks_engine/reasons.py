"""Why a job of FireWorks failed, in one line."""

from __future__ import annotations

from typing import Any

from ..last_words import last_words, shortened


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
    return shortened(last_words(stack))
