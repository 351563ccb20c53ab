"""Telling jobs that died without a word from jobs that failed, and what to do with them."""

from __future__ import annotations

from typing import Literal

from jobflow_remote.jobs.state import JobState

from .records import JobRecord

MOST_TIMES_PUT_BACK = 5
"""How often a job that dies without a word is put back; then somebody must look."""

MOST_RETRIES = 200
"""How often trouble of the runner's own, such as a queue that does not answer, is tried again: most of a day."""

Remedy = Literal["rerun", "retry"]
"""rerun: from its checkpoint; retry: let the runner take its last step once more."""

_DIED = (
    "was likely killed before completing",
    "was not present in the download",
    "was likely killed before terminating",
    "JSONDecodeError",
    "does not exist",
    "contains 0",
)
_ON_THE_WORKER = (JobState.SUBMITTED, JobState.RUNNING, JobState.RUN_FINISHED)
BATCHED = (JobState.BATCH_SUBMITTED, JobState.BATCH_RUNNING)
"""States of jobs that share an allocation: what goes wrong with the allocation kills them."""


def remedy_for(job: JobRecord, n_put_back: int, n_retried: int = 0) -> Remedy | None:
    """Say how recovery helps a job.

    Parameters
    ----------
    job : JobRecord
        Any job.
    n_put_back : int
        How often it was put back already.
    n_retried : int
        How often its last step was taken once more.

    Returns
    -------
    str or None
        rerun where its process is gone, retry where only the runner had trouble; None where the job itself failed,
        or died too often, or is well.

    Examples
    --------
    >>> dead = JobRecord("u", 1, "7", "MD", JobState.FAILED, error="The job was likely killed before completing")
    >>> remedy_for(dead, 0), remedy_for(dead, 5)
    ('rerun', None)
    """
    if job.state is JobState.FAILED:
        return "rerun" if has_died(job) and n_put_back < MOST_TIMES_PUT_BACK else None
    if job.state is not JobState.REMOTE_ERROR:
        return None
    if job.previous_state in _ON_THE_WORKER and not has_died(job):
        # The queue or the host did not answer; the job may be well.
        return "retry"
    if has_died(job) or job.previous_state in BATCHED:
        return "rerun" if n_put_back < MOST_TIMES_PUT_BACK else None
    return "retry" if n_retried < MOST_RETRIES else None


def has_died(job: JobRecord) -> bool:
    """Say whether a job's process ended without an output.

    Parameters
    ----------
    job : JobRecord
        A job in a state of error.

    Returns
    -------
    bool
        True where the runner found no output, or half of one.
    """
    if "Traceback" in job.error and job.state is JobState.FAILED:
        return False
    return any(words in job.error for words in _DIED)
