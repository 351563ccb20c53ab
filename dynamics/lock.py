"""One writer for a trajectory folder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from ..errors import LockedTrajectoryError, TrajectoryError

LOCK_FILE = "writer.lock"

_HEARTBEAT_S = 10.0
_DEAD_AFTER_S = 120.0


class TrajectoryLock:
    """Hold a trajectory folder as its one writer, for the length of a ``with`` block.

    On one host the kernel's file lock decides: it goes with its process, so a dead writer's lock is taken over at
    once, whatever its process id is used for now. Between hosts that share a file system, where such locks may not
    be seen, the age of the lock file decides: a living writer touches it every 10 s, and one silent for 120 s is
    taken for dead.

    Parameters
    ----------
    folder : Path
        The trajectory folder; it must exist.

    Raises
    ------
    LockedTrajectoryError
        On entry, if another living process writes here.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, TrajectoryLock(Path(folder)) as lock:
    ...     lock.path.name
    'writer.lock'
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_FILE
        self._descriptor: int | None = None
        self._released = threading.Event()
        self._heart: threading.Thread | None = None

    def __enter__(self) -> TrajectoryLock:
        """Take the lock."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(descriptor)
            self._write_owner(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._heart = threading.Thread(target=self._beat, name="trajectory-lock", daemon=True)
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self._released.set()
        if self._heart is not None:
            self._heart.join()
        if self._descriptor is not None:
            # the file stays, empty: deleting it could part two later writers onto two files of one name
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kernel_decides = True
        except BlockingIOError as error:
            raise self._locked(self._read_owner(descriptor)) from error
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise TrajectoryError(
                    f"The lock file {self.path} cannot be locked ({error.strerror}): choose a folder on a disk "
                    "that allows it."
                ) from error
            kernel_decides = False
        owner = self._read_owner(descriptor)
        elsewhere = owner.get("host") not in (None, socket.gethostname())
        if elsewhere:
            if time.time() - os.fstat(descriptor).st_mtime < _DEAD_AFTER_S:
                raise self._locked(owner)
        elif not kernel_decides and _is_alive(owner):
            raise self._locked(owner)

    def _locked(self, owner: dict[str, Any]) -> LockedTrajectoryError:
        who = f"process {owner['pid']} on {owner['host']}" if "pid" in owner and "host" in owner else "another process"
        return LockedTrajectoryError(
            f"The trajectory in {self.path.parent} is being written by {who}: wait for it to end, or stop it."
        )

    @staticmethod
    def _read_owner(descriptor: int) -> dict[str, Any]:
        try:
            owner = json.loads(os.pread(descriptor, 4096, 0))
        except ValueError:
            return {}
        return owner if isinstance(owner, dict) else {}

    @staticmethod
    def _write_owner(descriptor: int) -> None:
        process = psutil.Process()
        owner = {"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        os.fsync(descriptor)

    def _beat(self) -> None:
        while not self._released.wait(_HEARTBEAT_S):
            try:
                os.utime(self.path)
            except OSError:
                # a full or vanished disk is reported by the run itself
                continue


def _is_alive(owner: dict[str, Any]) -> bool:
    """Whether the process that wrote the lock still runs; a reused process id has another start time."""
    try:
        return abs(psutil.Process(owner["pid"]).create_time() - owner["started"]) < 1.0
    except (KeyError, TypeError, psutil.Error):
        return False
