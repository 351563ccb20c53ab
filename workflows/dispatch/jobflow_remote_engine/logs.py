"""What the jobs of a unit printed."""

from __future__ import annotations

import shlex

from jobflow_remote.jobs.state import JobState

from ....errors import StoreError
from ..queue_engine import JobLog
from .hosts import Hosts
from .records import JobRecord, UnitRecord

TAIL_BYTES = 8000
"""How much of the end of each file is read."""

_FILES = ("queue.out", "queue.err")
_BROKEN = (JobState.FAILED, JobState.REMOTE_ERROR)


def read_logs(hosts: Hosts, unit: UnitRecord) -> list[JobLog]:
    """Read what the jobs of a unit printed.

    Parameters
    ----------
    hosts : Hosts
        Connections.
    unit : UnitRecord
        The unit.

    Returns
    -------
    list of JobLog
        Jobs that failed come first; what cannot be read is told in place of it.
    """
    ordered = sorted(unit.jobs, key=lambda job: job.state not in _BROKEN)
    return [_log_of(hosts, job) for job in ordered]


def _log_of(hosts: Hosts, job: JobRecord) -> JobLog:
    texts = [job.error.rstrip()] if job.error else []
    place = None
    if job.run_dir:
        try:
            address = getattr(hosts.worker(job.worker), "host", None)
            place = f"{address}:{job.run_dir}" if address else job.run_dir
            texts += _tails(hosts, job)
        except StoreError as error:
            texts.append(str(error))
    return JobLog(job.name, job.db_id, job.state.value, "\n".join(text for text in texts if text), place)


def _tails(hosts: Hosts, job: JobRecord) -> list[str]:
    folder = shlex.quote(str(job.run_dir))
    found = []
    for name in _FILES:
        text = hosts.run(job.worker, f"tail -c {TAIL_BYTES} {folder}/{name} 2>/dev/null; true").strip()
        if text:
            found.append(f"== {name}\n{text}")
    return found
