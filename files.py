"""Write a file so that a reader, or a kill, never meets half of one."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def write_bytes_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put bytes into a file in one step: readers see the old or the new content, never a part.

    Parameters
    ----------
    path : Path
        File to write; its folder is made where it is missing.
    content : bytes
        The whole new content.
    durable : bool
        Whether to wait until the disk has it. Heartbeats need not.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights"
    >>> write_bytes_atomically(path, b"0123")
    >>> path.read_bytes()
    b'0123'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        with partial.open("wb") as handle:
            handle.write(content)
            handle.flush()
            if durable:
                os.fsync(handle.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def write_text_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Put a text into a file in one step: readers see the old or the new text, never a part.

    Parameters
    ----------
    path : Path
        File to write; its folder is made where it is missing.
    text : str
        The whole new content.
    durable : bool
        Whether to wait until the disk has it. Heartbeats need not.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.json"
    >>> write_text_atomically(path, "{}")
    >>> path.read_text()
    '{}'
    """
    write_bytes_atomically(path, text.encode("utf-8"), durable=durable)


def _sync_folder(folder: Path) -> None:
    """Make a rename inside the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
