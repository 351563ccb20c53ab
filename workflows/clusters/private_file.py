"""Files that only their owner may read, at no instant anybody else."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def write_private_text(path: Path, text: str) -> None:
    """Put a text into a file with mode 0600, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write; its folder is made where it is missing, with mode 0700.
    text : str
        The whole new content.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "address"
    >>> write_private_text(path, "mongodb://ann:secret@host/superion")
    >>> oct(path.stat().st_mode & 0o777)
    '0o600'
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
