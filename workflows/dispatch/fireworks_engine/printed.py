"""What was printed where a job ran: by its worker, and by the queue about its allocation."""

from __future__ import annotations

import re
from pathlib import Path

from .pilot_place import PilotPlace

WORKER_LOG = "log.txt"
"""File in the folder of a worker, for all its jobs."""

_LAST_BYTES = 20_000
_JOB_OVER = re.compile(r"(?m)^.*\bjob (\d+): [A-Z]+$\n?")
# The pilot's own words on a worker say no more than the reason does already.
_QUEUE_WORDS = re.compile(
    r"(?im)^(?!.*\bworker \d+ was )"
    r".*(?:time limit|cancelled|\boom\b|oom[-_ ]kill|out[- ]of[- ]memory|killed|no such file|not found|node fail).*$"
)


def worker_output(launch_folder: str, fw_id: int) -> str:
    """Read what a worker printed while it had a job in hand.

    Parameters
    ----------
    launch_folder : str
        Folder of the launch.
    fw_id : int
        The job.

    Returns
    -------
    str
        From the end of the job before to its own; of a job whose end is not told, from there to the end. Empty where
        no pilot's worker ran it, or its folder cannot be seen from here.
    """
    if PilotPlace.of_launch(launch_folder) is None:
        return ""
    return part_of_job(_tail(Path(launch_folder).parent / WORKER_LOG), fw_id)


def part_of_job(text: str, fw_id: int) -> str:
    r"""Take what concerns one job out of what a worker printed.

    Parameters
    ----------
    text : str
        What it printed.
    fw_id : int
        The job.

    Returns
    -------
    str
        A part of it.

    Examples
    --------
    >>> printed = "one\n12:00:00 job 1: COMPLETED\ntwo\n12:00:09 job 2: COMPLETED\nthree\n"
    >>> part_of_job(printed, 2)
    'two\n12:00:09 job 2: COMPLETED\n'
    >>> part_of_job(printed, 3)
    'three\n'
    """
    start = 0
    found = None
    for over in _JOB_OVER.finditer(text):
        if int(over[1]) == fw_id:
            found = text[start : over.end()]
        start = over.end()
    return text[start:] if found is None else found


def queue_output(launch_folder: str) -> str:
    """Read what the queue, and the script of the allocation, printed.

    Parameters
    ----------
    launch_folder : str
        Folder of a launch in it.

    Returns
    -------
    str
        The end of it; empty where there is none, or it cannot be seen from here.
    """
    place = PilotPlace.of_launch(launch_folder)
    if place is None:
        return ""
    number = place.queue_id.partition(".")[0]
    # As Slurm's script of FireWorks names it, and as PBS does.
    names = (f"*-{number}.error", f"*.e{number}", f"{place.queue_id}.ER")
    return "".join(_tail(path) for name in names for path in sorted(place.run_folder.parent.glob(name)))


def queue_words(launch_folder: str | None) -> str | None:
    """Take the line out of what the queue printed that says why an allocation, or a process in it, ended.

    Parameters
    ----------
    launch_folder : str or None
        Folder of a launch in it.

    Returns
    -------
    str or None
        One line; None where it says nothing of the kind.
    """
    found = _QUEUE_WORDS.findall(queue_output(launch_folder)) if launch_folder else []
    return " ".join(found[-1].split()) if found else None


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LAST_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
