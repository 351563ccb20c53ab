"""Where pilots live: one folder per allocation, whose path tells which allocation a job runs in.

`<work folder>/pilots/<kind>/<name>/job-<number in the queue>/worker-<n>/<launch>`; the name is also that of the
allocation in the queue. Numbers of a queue can be used twice, after its controller lost its memory; names are not.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_JOB_PART = re.compile(r"^job-(?P<queue_id>.+)$")
_ALIVE = "alive"
_STOP = "stop"
_SCRIPT = "pilot.sh"


def pilots_folder(work_folder: Path) -> Path:
    """Locate the folder of all pilots of a cluster.

    Parameters
    ----------
    work_folder : Path
        The profile's work folder.

    Returns
    -------
    Path
        The folder.
    """
    return work_folder / "pilots"


def pilot_prefix(launchpad_name: str, work_folder: str, cluster: str, kind: str) -> str:
    """Give what the names of all pilots of one kind begin with.

    Parameters
    ----------
    launchpad_name : str
        What tells one launchpad from another.
    work_folder : str
        The profile's work folder.
    cluster : str
        Name of the cluster: profiles may share a work folder, and their pilots take other jobs.
    kind : str
        relax, md or analysis.

    Returns
    -------
    str
        The prefix; pilots of other launchpads, clusters, or of others' campaigns, have another one.

    Examples
    --------
    >>> pilot_prefix("here", "/scratch/me", "slurm_gpu", "md").startswith("superion-md-")
    True
    """
    mark = hashlib.sha256(f"{launchpad_name}\0{work_folder}\0{cluster}".encode()).hexdigest()[:6]
    return f"superion-{kind}-{mark}-"


def new_pilot_name(prefix: str) -> str:
    """Name a new pilot.

    Parameters
    ----------
    prefix : str
        What `pilot_prefix` gives.

    Returns
    -------
    str
        A name that was never used.
    """
    return prefix + secrets.token_hex(4)


def job_part(queue_id: str) -> str:
    """Name the folder of one allocation's run of a pilot.

    Parameters
    ----------
    queue_id : str
        Its number in the queue.

    Returns
    -------
    str
        Name of the folder.
    """
    return f"job-{queue_id}"


@dataclass(frozen=True)
class PilotPlace:
    """Which run of which pilot a launch belongs to.

    Parameters
    ----------
    name : str
        Name of the pilot.
    queue_id : str
        Number of its allocation in the queue.
    run_folder : Path
        The folder `job-…`.
    """

    name: str
    queue_id: str
    run_folder: Path

    @classmethod
    def of_launch(cls, launch_folder: str) -> Self | None:
        """Read it from the path of a launch.

        Parameters
        ----------
        launch_folder : str
            Folder of the launch.

        Returns
        -------
        PilotPlace or None
            None where no pilot runs it.

        Examples
        --------
        >>> PilotPlace.of_launch("/scratch/me/pilots/md/superion-md-a1-b2/job-1234/worker-0/launch-0001").queue_id
        '1234'
        """
        for parent in Path(launch_folder).parents:
            if match := _JOB_PART.match(parent.name):
                return cls(parent.parent.name, match["queue_id"], parent)
        return None


def pilot_script(folder: Path) -> Path:
    """Locate the script that starts a pilot where there is no queue.

    Parameters
    ----------
    folder : Path
        Folder of the pilot.

    Returns
    -------
    Path
        The file.
    """
    return folder / _SCRIPT


def alive_file(run_folder: Path) -> Path:
    """Locate the file that a living pilot touches.

    Parameters
    ----------
    run_folder : Path
        The folder `job-…`.

    Returns
    -------
    Path
        The file.
    """
    return run_folder / _ALIVE


def stop_file(launch_folder: Path) -> Path:
    """Locate the file whose appearance asks the job of a launch to stop.

    Parameters
    ----------
    launch_folder : Path
        Folder of the launch.

    Returns
    -------
    Path
        The file.
    """
    return launch_folder / _STOP
