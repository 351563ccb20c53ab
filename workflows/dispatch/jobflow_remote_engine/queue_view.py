"""What the queue of a worker says of numbers, and whether they are still those of our jobs.

Slurm uses numbers again after its controller died; a number alone proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from ....errors import StoreError
from .hosts import Hosts
from .scheduler_io import PreparedPbsIO, PreparedShellIO, PreparedSlurmIO

_AT_A_TIME = 500
_UNKNOWN_NUMBER = re.compile(r"invalid job id|unknown job id|unknown queue|job has finished", re.IGNORECASE)
_ENDED = "<defunct>"
"""What `ps` says of a process that is over, and that nobody has asked about."""


def strangers(hosts: Hosts, worker: str, folders: Mapping[str, str]) -> set[str]:
    """Find numbers in the queue that belong to somebody else's job.

    Parameters
    ----------
    hosts : Hosts
        Connections.
    worker : str
        Name of the worker.
    folders : mapping of str to str
        By number in the queue, the folder that the job was submitted from.

    Returns
    -------
    set of str
        Numbers that the queue knows, with a folder of another name. Empty where the queue cannot be asked so.

    Raises
    ------
    StoreError
        If the host cannot be reached.
    """
    scheduler = hosts.worker(worker).get_scheduler_io()
    if isinstance(scheduler, PreparedSlurmIO):
        command, separator = "squeue --noheader --format='%i|%Z' --jobs={}", "|"
    elif isinstance(scheduler, PreparedShellIO):
        # Not cut at the width of a terminal that is none: the folder would be missing.
        command, separator = "ps -ww -o pid= -o args= -p {}", None
    else:
        return set()
    found = set()
    for numbers in _batches(list(folders)):
        answer = hosts.run(worker, command.format(",".join(numbers)))
        for line in answer.splitlines():
            number, _, words = line.strip().partition(separator or " ")
            if words.endswith(_ENDED):
                continue
            # By the last part of the path, which is no other job's: queues tell the path without its links.
            if number in folders and PurePosixPath(folders[number]).name not in words:
                found.add(number)
    return found


def cancel_in_queue(hosts: Hosts, worker: str, numbers: Iterable[str]) -> None:
    """Take jobs out of a queue; running ones get the signal on which they write their checkpoints.

    Parameters
    ----------
    hosts : Hosts
        Connections.
    worker : str
        Name of the worker.
    numbers : iterable of str
        Numbers in the queue that are sure to be ours.

    Raises
    ------
    StoreError
        If the host cannot be reached.
    """
    scheduler = hosts.worker(worker).get_scheduler_io()
    if isinstance(scheduler, PreparedShellIO):
        # Its way to cancel is SIGKILL; the file that asks for a stop is enough.
        return
    for some in _batches(list(numbers)):
        first, *others = some
        hosts.run(worker, " ".join([scheduler.get_cancel_cmd(first), *others]))


def answers(hosts: Hosts, worker: str) -> str | None:
    """See whether the queue of a worker answers.

    Parameters
    ----------
    hosts : Hosts
        Connections.
    worker : str
        Name of the worker.

    Returns
    -------
    str or None
        What is wrong; None where it answers.
    """
    scheduler = hosts.worker(worker).get_scheduler_io()
    # PBS wants a number with its server.
    number = "1.x" if isinstance(scheduler, PreparedPbsIO) else "1"
    try:
        with hosts.reaching(worker) as host:
            words, errors, status = host.execute(scheduler.get_jobs_list_cmd([number], None))
    except StoreError as error:
        return str(error)
    # An unknown number is an answer, too.
    if status and errors.strip() and not _UNKNOWN_NUMBER.search(errors):
        return " ".join((errors or words).split())[:300]
    return None


def _batches(numbers: list[str]) -> Iterable[list[str]]:
    return (numbers[start : start + _AT_A_TIME] for start in range(0, len(numbers), _AT_A_TIME))
