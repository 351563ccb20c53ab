"""Reading the heartbeats of jobs on a worker's host."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterable

from pydantic import TypeAdapter, ValidationError

from ....makers.heartbeat import JobProgress
from .hosts import Hosts

_PROGRESS: TypeAdapter[JobProgress] = TypeAdapter(JobProgress)
_UUID = re.compile(r"[0-9A-Za-z-]+")
_AT_A_TIME = 500


def read_progress(hosts: Hosts, worker: str, folder: str, uuids: Collection[str]) -> dict[str, JobProgress]:
    """Read the last words of running jobs.

    Parameters
    ----------
    hosts : Hosts
        Connections.
    worker : str
        A worker on the host.
    folder : str
        Folder of heartbeats there.
    uuids : collection of str
        Uuids of the jobs.

    Returns
    -------
    dict of str to MdProgress or RelaxationProgress
        By uuid; jobs that have told nothing yet are missing.

    Raises
    ------
    StoreError
        If the host cannot be reached.
    """
    names = [uuid for uuid in uuids if _UUID.fullmatch(uuid)]
    found: dict[str, JobProgress] = {}
    for start in range(0, len(names), _AT_A_TIME):
        some = " ".join(names[start : start + _AT_A_TIME])
        command = (
            f"cd {shlex.quote(folder)} 2>/dev/null && "
            f'for u in {some}; do [ -f "$u.json" ] && echo "$u $(cat "$u.json")"; done; true'
        )
        found |= dict(_parsed(hosts.run(worker, command).splitlines()))
    return found


def _parsed(lines: Iterable[str]) -> Iterable[tuple[str, JobProgress]]:
    for line in lines:
        uuid, _, text = line.partition(" ")
        try:
            yield uuid, _PROGRESS.validate_python(json.loads(text)["progress"])
        except (ValueError, KeyError, TypeError, ValidationError):
            # A worker of another version may tell what this one does not know.
            continue
