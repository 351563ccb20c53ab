"""Results that wait on the disk while their server is away.

A file holds the documents of one write, whole or not at all, and nothing secret. Whoever waits for the server holds a
lock on its files; a file without a holder was left by a process that died or lost patience, and is taken by the next
process that connects.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import bson
from bson.errors import InvalidBSON

from ..errors import StoreError
from .project import find_project

SPOOL_VARIABLE = "SUPERION_SPOOL_FOLDER"
"""Environment variable with the folder in which results wait."""

SUFFIX = ".bson"
_PARTIAL = ".part"
PARTIAL_AGE_S = 60.0
"""Age from which half a file that nobody holds was left by a process that died, in s."""

_FORMAT = "superion spool 1"
_LARGEST_HEAD = 2**20


@dataclass(frozen=True)
class SpooledWrite:
    """What a file holds.

    Parameters
    ----------
    server : str
        Address of the server, without credentials and options; see `server_identity`.
    collection : str
        Name of the collection.
    key : tuple of str
        Fields by which its documents are the same.
    documents : tuple of dict
        Documents.
    """

    server: str
    collection: str
    key: tuple[str, ...]
    documents: tuple[Mapping[str, Any], ...]


class SpoolFile:
    """A file of the spool whose lock this process holds.

    Parameters
    ----------
    path : Path
        The file.
    descriptor : int
        It, opened and locked.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @property
    def age_s(self) -> float:
        """Time since something was written to it, in s."""
        return 0.0 if self._descriptor is None else time.time() - os.fstat(self._descriptor).st_mtime

    def read(self) -> SpooledWrite:
        """Read the file.

        Returns
        -------
        SpooledWrite
            What it holds.

        Raises
        ------
        StoreError
            If it is damaged.
        """
        try:
            head, *documents = bson.decode_all(self.path.read_bytes())
            if head["format"] != _FORMAT or head["n_documents"] != len(documents):
                raise ValueError(head["format"])
            return SpooledWrite(head["server"], head["collection"], tuple(head["key"]), tuple(documents))
        except (OSError, InvalidBSON, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"The file {self.path} of results that wait for the store cannot be read ({type(error).__name__}): "
                "keep it, and see what made it."
            ) from error

    def remove(self) -> None:
        """Remove the file: its documents are in the store."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave the file to others."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def spool_folders() -> list[Path]:
    """Give all folders in which results may wait.

    Returns
    -------
    list of Path
        SUPERION_SPOOL_FOLDER; else the project's, which this process writes to first, and one in the user's cache.
    """
    configured = os.environ.get(SPOOL_VARIABLE)
    if configured:
        return [Path(configured).expanduser()]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folders = [cache / "superion" / "spool"]
    with suppress(StoreError):
        folders.insert(0, find_project().folder / "spool")
    return folders


def keep(write: SpooledWrite, folder: Path) -> SpoolFile:
    """Put documents on the disk.

    Parameters
    ----------
    write : SpooledWrite
        What is to be kept.
    folder : Path
        Where; made if missing.

    Returns
    -------
    SpoolFile
        The file: on the disk once this returns, and locked.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid4().hex}{SUFFIX}"
    partial = path.with_name(f".{path.name}{_PARTIAL}")
    head = {
        "format": _FORMAT,
        "server": write.server,
        "collection": write.collection,
        "key": list(write.key),
        "n_documents": len(write.documents),
    }
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            for document in (head, *write.documents):
                file.write(bson.encode(document))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync(folder)
    except BaseException:
        os.close(descriptor)
        partial.unlink(missing_ok=True)
        raise
    return SpoolFile(path, descriptor)


def abandoned(folders: Iterable[Path]) -> Iterator[SpoolFile]:
    """Take the files that nobody holds, one after the other.

    Parameters
    ----------
    folders : iterable of Path
        Where to look.

    Yields
    ------
    SpoolFile
        Locked by this process; to be removed or released by the caller.
    """
    for folder in folders:
        for path in _files(folder):
            taken = _take(path)
            if taken is None:
                continue
            if path.name.endswith(_PARTIAL):
                # Its process died while it wrote, before anything was promised; or it has not locked its file yet.
                if taken.age_s > PARTIAL_AGE_S:
                    taken.remove()
                taken.release()
                continue
            yield taken


def waiting(folders: Sequence[Path]) -> list[Path]:
    """List the files that wait, whoever holds them.

    Parameters
    ----------
    folders : sequence of Path
        Where to look.

    Returns
    -------
    list of Path
        Files.
    """
    return [path for folder in folders for path in _files(folder) if path.name.endswith(SUFFIX)]


def place_of(path: Path) -> str | None:
    """Say for what a file waits, whoever holds it.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str or None
        Server and collection; None for a file that is gone or damaged.
    """
    try:
        with path.open("rb") as file:
            size = file.read(4)
            head = bson.decode(size + file.read(min(int.from_bytes(size, "little"), _LARGEST_HEAD) - len(size)))
        return f"{head['server']}#{head['collection']}"
    except (OSError, InvalidBSON, ValueError, KeyError, TypeError):
        return None


def _files(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith((SUFFIX, _PARTIAL)))
    except OSError:
        return []
    return [folder / name for name in names]


def _take(path: Path) -> SpoolFile | None:
    """Lock a file, unless somebody else has it or has just removed it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return SpoolFile(path, descriptor)
    except OSError:
        pass
    os.close(descriptor)
    return None


def _sync(folder: Path) -> None:
    """Put a rename on the disk; some systems cannot, and then do so by themselves."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
