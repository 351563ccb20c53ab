"""The folder of one local run: everything needed to go on after a kill at any instant.

Nothing in it is ever changed in place. `flow.json` is what was asked for; a job's outcome is one file that
appears, whole and synced, when the job ends. Jobs, replacements and their order follow from these by replaying
them, so there is no second copy of the state that a kill could leave behind the first.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from ... import __version__
from ...errors import SettingsError, StoreError, UnreadableRunError
from ...files import write_text_atomically
from ..clusters.private_file import write_private_text

JobKey = tuple[str, int]


@dataclass(frozen=True)
class RunFolder:
    """Paths and files of one run.

    Parameters
    ----------
    path : Path
        The folder.
    """

    path: Path

    @property
    def flow_file(self) -> Path:
        """The flow that was asked for."""
        return self.path / "flow.json"

    @property
    def description_file(self) -> Path:
        """Name, store and time of creation."""
        return self.path / "run.json"

    @property
    def status_file(self) -> Path:
        """A summary for readers; derived, never read back by the run itself."""
        return self.path / "status.json"

    @property
    def progress_folder(self) -> Path:
        """Where running jobs leave their heartbeats."""
        return self.path / "progress"

    @property
    def set_aside_folder(self) -> Path:
        """What could not be read any more, in one folder for each time, with the reason in `why.txt`."""
        return self.path / "set_aside"

    def task_file(self, key: JobKey) -> Path:
        """Locate the job with its inputs resolved, as handed to a worker."""
        return self.path / "tasks" / f"{key[0]}.{key[1]}.json"

    def outcome_file(self, key: JobKey) -> Path:
        """Locate what the job gave back."""
        return self.path / "outcomes" / f"{key[0]}.{key[1]}.json"

    def outcome_files(self) -> dict[JobKey, Path]:
        """Locate all outcomes that are there, by uuid and index of their jobs."""
        found = {}
        for path in sorted((self.path / "outcomes").glob("*.json")):
            uuid, _, index = path.stem.rpartition(".")
            found[uuid, int(index)] = path
        return found

    def failure_file(self, key: JobKey) -> Path:
        """Locate why the job failed."""
        return self.path / "failures" / f"{key[0]}.{key[1]}.json"

    def job_folder(self, key: JobKey, name: str) -> Path:
        """Locate the folder in which the job runs and leaves its log."""
        plain = "".join(letter if letter.isalnum() else "-" for letter in name)
        while "--" in plain:
            plain = plain.replace("--", "-")
        return self.path / "jobs" / f"{plain.strip('-')}-{key[0][:8]}-{key[1]}"

    def log_file(self, key: JobKey, name: str) -> Path:
        """Locate what the job printed, and its traceback."""
        return self.job_folder(key, name) / "log.txt"

    def create(self, flow_text: str, *, flow_name: str, store: dict[str, Any] | None) -> None:
        """Lay the folder out for a new run.

        Parameters
        ----------
        flow_text : str
            The flow as JSON.
        flow_name : str
            Its name.
        store : dict or None
            The job store as plain data, to reopen it; None where it cannot be reopened.

        Raises
        ------
        SettingsError
            If the folder already holds a run.
        """
        if self.flow_file.exists():
            raise SettingsError(
                f"{self.path} already holds a run, so choose another folder or continue it with `superion resume`."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        description = {
            "superion_version": __version__,
            "flow_name": flow_name,
            "created_at": datetime.now(UTC).isoformat(),
            "store": store,
        }
        # A store's address may carry a password.
        write_private_text(self.description_file, json.dumps(description, default=str))
        # Last: with this file the run exists.
        write_text_atomically(self.flow_file, flow_text)

    def read_flow(self) -> str:
        """Give the flow's JSON.

        Returns
        -------
        str
            What `create` was given.

        Raises
        ------
        SettingsError
            If there is no run in the folder.
        UnreadableRunError
            If the file is damaged.
        """
        try:
            return self.flow_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SettingsError(
                f"There is no run in {self.path}; `superion list --runs` shows those there are."
            ) from None
        except UnicodeDecodeError as error:
            raise UnreadableRunError(f"The file {self.flow_file} is damaged ({error.reason}): start anew.") from error

    def read_description(self) -> dict[str, Any]:
        """Give the run's name, store and time of creation.

        Returns
        -------
        dict
            What `create` wrote.
        """
        return json.loads(self.description_file.read_text(encoding="utf-8"))

    def read_failure(self, key: JobKey) -> dict[str, Any] | None:
        """Give the record of a job's failure, if it failed.

        Parameters
        ----------
        key : tuple
            The job's uuid and index.

        Returns
        -------
        dict or None
            Its type, message and whether it is the user's to mend.
        """
        try:
            return json.loads(self.failure_file(key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def set_aside(self, paths: Iterable[Path], why: str) -> Path:
        """Move files of the run out of its way, so that they are neither read again nor lost.

        Parameters
        ----------
        paths : iterable of Path
            Files in this folder; a kill in between leaves the later ones where they are.
        why : str
            One sentence for the user, kept beside them.

        Returns
        -------
        Path
            The folder in which they lie now, under the same names.
        """
        folder = self.set_aside_folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
        write_text_atomically(folder / "why.txt", f"{why}\n")
        for path in paths:
            place = folder / path.relative_to(self.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
        return folder

    def remove(self) -> None:
        """Remove the run, but not what was set aside; does nothing where there is no folder."""
        if not self.set_aside_folder.exists():
            shutil.rmtree(self.path, ignore_errors=True)
            return
        for path in self.path.iterdir():
            if path.is_dir() and path != self.set_aside_folder:
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_file():
                path.unlink(missing_ok=True)


def lock_run(folder: RunFolder, wait_s: float = 0.0, on_wait: Callable[[], None] | None = None) -> int:
    """Take the lock of a run; workers inherit it, so it is free only when driver and workers are gone.

    Parameters
    ----------
    folder : RunFolder
        The run.
    wait_s : float
        How long to wait for workers of a dead driver, in s.
    on_wait : callable or None
        Called once, before the waiting begins.

    Returns
    -------
    int
        Open file descriptor that holds the lock; closing it, or dying, lets go.

    Raises
    ------
    StoreError
        If another process holds it.
    """
    descriptor = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _driver_lives(descriptor) or time.monotonic() >= deadline:
                os.close(descriptor)
                raise StoreError(
                    f"Another process is working on the run in {folder.path}, so wait until it ends or stop it first."
                ) from None
            if on_wait is not None:
                on_wait()
                on_wait = None
            time.sleep(0.1)
        else:
            me = psutil.Process()
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{me.pid} {me.create_time()}".encode(), 0)
            return descriptor


def _driver_lives(descriptor: int) -> bool:
    """Whether the process that wrote its name into the lock lives; else only its workers hold it, on their way out."""
    try:
        pid, created = os.pread(descriptor, 100, 0).decode().split()
        return psutil.Process(int(pid)).create_time() == float(created)
    except (ValueError, psutil.NoSuchProcess):
        return False


def is_locked(folder: RunFolder) -> bool:
    """Say whether a living process works on the run.

    Parameters
    ----------
    folder : RunFolder
        The run.

    Returns
    -------
    bool
        True while its driver or one of its workers lives.
    """
    try:
        descriptor = os.open(folder.path / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
