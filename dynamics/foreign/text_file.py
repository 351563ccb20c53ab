"""Opening trajectory files, compressed ones included, with errors a user understands."""

from __future__ import annotations

import importlib
import itertools
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ...compression import BROKEN_STREAM, decompressor
from ...errors import TrajectoryError

HEAD_BYTES = 65536
"""Bytes looked at to recognise a format."""

_ZSTANDARD = b"\x28\xb5\x2f\xfd"

_RUN_TOGETHER = re.compile(rb"(?<=[\d.])(?=-)")
"""Where a minus sign follows a digit, a Fortran program has left no blank between two numbers."""

_FORTRAN_EXPONENT = re.compile(rb"(?<=[\d.])[dD](?=[+-]?\d)")


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, decompressing gzip, bzip2, xz and (where Python can) Zstandard.

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
        with path.open("rb") as stream:
            head = stream.read(6)
        _refuse_archive(path, head)
        opener = decompressor(head)
        if opener is not None:
            return opener(path, "rb")
        if head.startswith(_ZSTANDARD):
            return _open_zstandard(path)
        return path.open("rb")
    except FileNotFoundError:
        raise TrajectoryError(f"There is no trajectory file {path}; check the path.") from None
    except OSError as error:
        raise TrajectoryError(f"The trajectory file {path} cannot be read ({error.strerror}).") from None


def _refuse_archive(path: Path, head: bytes) -> None:
    """Refuse archives, which may hold any number of files."""
    if head.startswith(b"PK\x03\x04") or re.search(r"\.(tar(\.\w+)?|tgz|tbz2?|txz)$", path.name, re.IGNORECASE):
        raise TrajectoryError(f"{path} is an archive; unpack it and give the trajectory file inside.")


def _open_zstandard(path: Path) -> IO[bytes]:
    """Open a Zstandard file with the standard library (Python 3.14) or the zstandard package."""
    for name in ("compression.zstd", "zstandard"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        stream: IO[bytes] = module.open(path, "rb")
        return stream
    raise TrajectoryError(f"{path} is compressed with Zstandard, which this Python cannot unpack; run unzstd first.")


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
    return head.removeprefix(b"\xef\xbb\xbf")


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
        self._pushed: list[bytes] = []
        self.number = 0
        self.was_cut = False

    def __next__(self) -> str:
        return self._next_bytes().decode("utf-8", errors="replace")

    def _next_bytes(self) -> bytes:
        if self._pushed:
            self.number += 1
            return self._pushed.pop()
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
        return line

    def push_back(self, line: str) -> None:
        """Let the next read deliver this line again.

        Parameters
        ----------
        line : str
            The line that was just delivered.
        """
        self._pushed.append(line.encode("utf-8"))
        self.number -= 1

    def peek(self, count: int) -> list[str]:
        """Return the next lines without taking them.

        Parameters
        ----------
        count : int
            How many, at most.

        Returns
        -------
        list of str
            The lines; fewer where the file ends before.
        """
        lines = list(itertools.islice(self, count))
        for line in reversed(lines):
            self.push_back(line)
        return lines

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
        return [line.decode("utf-8", errors="replace") for line in self._take(count)]

    def take_block(self, count: int) -> bytes:
        """Return the next lines as one block, undecoded: the quick way to many numbers.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        bytes
            The lines with their ends.

        Raises
        ------
        TruncatedFrame
            The file ends before.
        """
        return b"".join(self._take(count))

    def _take(self, count: int) -> list[bytes]:
        lines = [self._next_bytes() for _ in range(min(count, len(self._pushed)))]
        try:
            lines += itertools.islice(self._stream, count - len(lines))
        except BROKEN_STREAM:
            self.was_cut = True
            raise TruncatedFrame from None
        if len(lines) < count or (lines and not lines[-1].endswith(b"\n")):
            self.was_cut = True
            raise TruncatedFrame
        self.number += count
        return lines


class TruncatedFrame(Exception):
    """The file ends inside a frame: the frames before it are whole."""


def parse_numbers(text: bytes) -> NDArray[np.float64] | None:
    """Parse all numbers of a text, also Fortran's: exponents with D, and no blank before a minus sign.

    Parameters
    ----------
    text : bytes
        Numbers separated by white space.

    Returns
    -------
    (n,) array or None
        The numbers; None where something else is among them.

    Examples
    --------
    >>> parse_numbers(b"0.25-0.5 1.0D-01").tolist()
    [0.25, -0.5, 0.1]
    >>> parse_numbers(b"0.25 ****") is None
    True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, sep=" ")
        except (ValueError, DeprecationWarning):
            pass
        try:
            return np.fromstring(_FORTRAN_EXPONENT.sub(b"e", _RUN_TOGETHER.sub(b" ", text)), sep=" ")
        except (ValueError, DeprecationWarning):
            return None


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
