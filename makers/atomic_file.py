"""Write small text files so that a reader, or a kill, never meets half of one."""

from __future__ import annotations

from pathlib import Path

from ..files import write_bytes_atomically


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
