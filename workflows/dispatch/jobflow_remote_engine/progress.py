"""Reading the heartbeats of jobs on a worker's host."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable

from pydantic import ValidationError

from ....runtime.heartbeat import Heartbeat
from .hosts import Hosts

_UUID = re.compile(r"[0-9A-Za-z-]+")
_AT_A_TIME = 500


def read_progress(hosts: Hosts, worker: str, folder: str, uuids: Collection[str]) -> dict[str, Heartbeat]:
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
    dict of str to Heartbeat
        By uuid; jobs that have told nothing yet are missing.

    Raises
    ------
    StoreError
        If the host cannot be reached.
    """
    names = [uuid for uuid in uuids if _UUID.fullmatch(uuid)]
    found: dict[str, Heartbeat] = {}
    for start in range(0, len(names), _AT_A_TIME):
        some = " ".join(names[start : start + _AT_A_TIME])
        command = (
            f"cd {shlex.quote(folder)} 2>/dev/null && "
            f'for u in {some}; do [ -f "$u.json" ] && echo "$u $(cat "$u.json")"; done; true'
        )
        found |= dict(_parsed(hosts.run(worker, command).splitlines()))
    return found


def _parsed(lines: Iterable[str]) -> Iterable[tuple[str, Heartbeat]]:
    for line in lines:
        uuid, _, text = line.partition(" ")
        try:
            yield uuid, Heartbeat.model_validate_json(text)
        except ValidationError:
            # A worker of another version may tell what this one does not know.
            continue
