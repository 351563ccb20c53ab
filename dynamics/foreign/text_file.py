"""Opening trajectory files, compressed ones included, with errors a user understands."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from ...errors import TrajectoryError

HEAD_BYTES = 65536
"""Bytes looked at to recognise a format."""

BROKEN_STREAM = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)
"""What the standard library raises for a compressed file that is cut off or damaged."""

_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, decompressing .gz, .bz2 and .xz.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    binary file object

    Raises
    ------
    TrajectoryError
        The file does not exist or may not be read.
    """
    try:
        return _OPENERS.get(path.suffix, open)(path, "rb")
    except FileNotFoundError:
        raise TrajectoryError(f"There is no trajectory file {path}; check the path.") from None
    except OSError as error:
        raise TrajectoryError(f"The trajectory file {path} cannot be read ({error.strerror}).") from None


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file, decompressed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        At most 64 KiB.

    Raises
    ------
    TrajectoryError
        The file cannot be read or is empty.
    """
    with open_binary(path) as stream:
        try:
            head = stream.read(HEAD_BYTES)
        except (OSError, *BROKEN_STREAM):
            raise TrajectoryError(f"The compressed file {path} is damaged; unpack or copy it again.") from None
    if not head:
        raise TrajectoryError(f"The trajectory file {path} is empty; was the run started?")
    return head


class LineReader(Iterator[str]):
    """The lines of a text file, one by one, which knows when the file was cut off.

    A last line without its newline is not delivered: its last number may be cut in the middle.

    Attributes
    ----------
    number : int
        Lines delivered so far.
    was_cut : bool
        Whether the file ended inside a line or inside its compression.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.number = 0
        self.was_cut = False

    def __next__(self) -> str:
        try:
            line = self._stream.readline()
        except BROKEN_STREAM:
            self.was_cut = True
            raise StopIteration from None
        if not line:
            raise StopIteration
        if not line.endswith(b"\n"):
            self.was_cut = True
            raise StopIteration
        self.number += 1
        return line.decode("utf-8", errors="replace")

    def take(self, count: int) -> list[str]:
        """Return the next lines.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        list of str
            The lines.

        Raises
        ------
        TruncatedFrame
            The file ends before.
        """
        lines = []
        for _ in range(count):
            line = next(self, None)
            if line is None:
                raise TruncatedFrame
            lines.append(line)
        return lines


class TruncatedFrame(Exception):
    """The file ends inside a frame: the frames before it are whole."""


def truncation_note(n_frames: int) -> str:
    """Return the sentence about a file that ends inside a frame.

    Parameters
    ----------
    n_frames : int
        Whole frames that were read.

    Returns
    -------
    str
        One sentence.
    """
    return f"The file ends inside a frame; the {n_frames} whole frames before it are used."
