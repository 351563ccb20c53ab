"""A campaign's driver as a process that outlives the terminal."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...database.project import ProjectFolder

LOG_FILE = "driver.log"
"""Name of the log in the campaign's folder."""

_PATIENCE_S = 60.0


@dataclass(frozen=True)
class BackgroundDriver:
    """A driver that was started.

    Parameters
    ----------
    pid : int
        Its process.
    log : Path
        What it prints.
    """

    pid: int
    log: Path

    def as_dict(self) -> dict[str, Any]:
        """Give plain data.

        Returns
        -------
        dict
            Process and log.
        """
        return {"pid": self.pid, "log": str(self.log)}


def start_in_background(
    name: str, project: ProjectFolder, *, store: str | None, workers: int | None
) -> BackgroundDriver:
    """Start `superion campaign run` in a session of its own, and see that it holds the campaign.

    Parameters
    ----------
    name : str
        The campaign.
    project : ProjectFolder
        Its project.
    store : str or None
        What the user gave; it goes on through the environment, where other users cannot read it.
    workers : int or None
        Processes.

    Returns
    -------
    BackgroundDriver
        The process.

    Raises
    ------
    SettingsError
        If it ended at once; with its own last words.
    """
    from ...errors import SettingsError
    from ...workflows.campaign.folders import campaign_folder
    from ...workflows.campaign.lock import is_being_driven

    folder = campaign_folder(project, name)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_FILE
    if is_being_driven(folder):
        raise SettingsError(
            f"The campaign {name} is being run already: watch it with `superion campaign status {name}`."
        )
    command = [sys.executable, "-m", "superion.scripts.cli", "campaign", "run", name]
    command += ["--workers", str(workers)] if workers else []
    with log.open("ab") as output:
        begin = output.seek(0, 2)
        process = subprocess.Popen(
            command,
            cwd=project.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(store),
            start_new_session=True,
        )
    deadline = time.monotonic() + _PATIENCE_S
    while not is_being_driven(folder) and time.monotonic() < deadline:
        if process.poll() is not None:
            if process.returncode == 0:
                break
            words = log.read_bytes()[begin:].decode(errors="replace").strip().splitlines() or ["no word"]
            raise SettingsError(f"It ended at once, with the words: {words[-1]} The whole is in {log}.")
        time.sleep(0.1)
    return BackgroundDriver(process.pid, log)


def _environment(store: str | None) -> dict[str, str]:
    """Give the variables of the driver, which works in the project's folder: files are named from the root."""
    import os

    from ...database.settings import STORE_FILE_VARIABLE, STORE_VARIABLE, store_from_environment
    from ...database.spool import SPOOL_VARIABLE

    environment = dict(os.environ)
    for variable in (STORE_FILE_VARIABLE, SPOOL_VARIABLE):
        if environment.get(variable):
            environment[variable] = _absolute(environment[variable])
    location = store or store_from_environment()
    if location is not None and "://" not in location:
        environment[STORE_VARIABLE] = _absolute(location)
    elif store is not None:
        environment[STORE_VARIABLE] = store
    return environment


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
