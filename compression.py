"""Compressed files, known by their first bytes: a name may lack its suffix, or keep one that it should not have."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any

BROKEN_STREAM = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)
"""What the standard library raises for compressed data that is cut off or damaged."""

_OPENERS: tuple[tuple[bytes, Callable[..., IO[Any]]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)


def decompressor(head: bytes) -> Callable[..., IO[Any]] | None:
    r"""Choose how to open compressed data.

    Parameters
    ----------
    head : bytes
        At least the first six bytes.

    Returns
    -------
    callable or None
        Opens a path or a binary file as `gzip.open` does; None for data that is not compressed by gzip, bzip2 or xz.

    Examples
    --------
    >>> decompressor(b"\x1f\x8b\x08\x00\x00\x00").__module__, decompressor(b"data_x")
    ('gzip', None)
    """
    return next((opener for magic, opener in _OPENERS if head.startswith(magic)), None)
