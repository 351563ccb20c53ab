"""Files that are whole or not there, also after a kill or a power cut."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

TEMPORARY_SUFFIX = ".writing"
"""Ending of files that are being written; one found later was left by a killed process."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_SAFETY_MARGIN_BYTES = 1 << 20


class DiskFullError(OSError):
    """The disk, or the user's quota on it, has no room for the next file."""


def fsync_directory(folder: Path) -> None:
    """Make renames inside a folder durable.

    Parameters
    ----------
    folder : Path
        An existing folder.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reserve(path: Path, size_bytes: int) -> None:
    """Take room on the disk for a file that is written later by `write_durably`.

    Parameters
    ----------
    path : Path
        The final path; the room is held by its temporary neighbour.
    size_bytes : int
        Upper bound of the file's size.

    Raises
    ------
    DiskFullError
        If there is no room; nothing is left behind.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    if shutil.disk_usage(path.parent).free < size_bytes + _SAFETY_MARGIN_BYTES:
        raise DiskFullError(errno.ENOSPC, "too little free space", str(path))
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _translated(error) from error


def write_durably(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, fsync it, rename it and fsync its folder.

    Parameters
    ----------
    path : Path
        The final path; replaced if it exists.
    data : bytes
        The content.

    Raises
    ------
    DiskFullError
        If there is no room; the file that was there before is untouched.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        # an existing temporary file is room that `reserve` took: write into it, then cut it
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        fsync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _translated(error) from error


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a killed process left; call it as the folder's one writer.

    Parameters
    ----------
    folder : Path
        The folder to clean.
    """
    for leftover in folder.glob(f"*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def _translated(error: OSError) -> OSError:
    if error.errno in _NO_ROOM and not isinstance(error, DiskFullError):
        return DiskFullError(error.errno, error.strerror, error.filename)
    return error
