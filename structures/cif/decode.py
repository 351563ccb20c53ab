"""The text of a CIF from its bytes, whatever encoding, compression and line ends it has."""

from __future__ import annotations

import io
import re

from ...compression import BROKEN_STREAM, decompressor
from ...errors import StructureError

_MOST_BYTES = 256_000_000
"""Size above which a compressed file is not unpacked: no CIF of a crystal comes near."""

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

_OTHER_FORMATS = (
    (b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (b"%PDF", "a PDF document", "save the CIF itself"),
    (b"\x89HDF", "an HDF5 file", "give the CIF"),
)

_SPACES = {
    ord(character): " " for character in ("\x00", "\x0b", "\x0c", "\x1a", "\x1c", "\x1d", "\x1e", "\x1f", "\xa0")
} | {ord("\u2028"): "\n", ord("\u2029"): "\n", ord("\u0085"): "\n", ord("\ufeff"): " "}

_MOST_BINARY = 0.02
"""Part of characters that no text holds above which a file is none."""


def decode_cif(content: bytes) -> str:
    r"""Turn the bytes of a CIF into text with plain line ends.

    Files compressed by gzip, bzip2 or xz, byte-order marks, UTF-8, UTF-16, UTF-32 and Latin-1 are known by their bytes.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    str
        Its text; lines end in a line feed.

    Raises
    ------
    StructureError
        When the file is empty, cut off, too large, a web page or no text at all.

    Examples
    --------
    >>> decode_cif(b"\xef\xbb\xbfdata_x\r\n_cell_length_a 4.0\r")
    'data_x\n_cell_length_a 4.0\n'
    """
    content = _unpacked(content)
    for start, what, remedy in _OTHER_FORMATS:
        if content.startswith(start):
            raise StructureError(f"it is {what}, not a CIF: {remedy}")
    text = _text(content)
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_SPACES)
    stripped = text.strip()
    if not stripped:
        raise StructureError("it is empty: give a file that holds a crystal")
    if re.match(r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", stripped, re.I | re.S):
        raise StructureError("it is a web page, not a CIF: download the CIF itself")
    strange = sum(1 for character in text[:20000] if character < " " and character not in "\n\t")
    if strange > _MOST_BINARY * min(len(text), 20000):
        raise StructureError("it holds binary data, not the text of a CIF: give a CIF")
    return text


def _unpacked(content: bytes) -> bytes:
    opener = decompressor(content[:6])
    if opener is None:
        return content
    try:
        with opener(io.BytesIO(content)) as stream:
            unpacked = bytes(stream.read(_MOST_BYTES + 1))
    except (OSError, *BROKEN_STREAM) as error:
        raise StructureError("its compressed data is damaged or cut off: copy the file again") from error
    if len(unpacked) > _MOST_BYTES:
        raise StructureError(f"it has more than {_MOST_BYTES // 1_000_000} MB unpacked: give a smaller file")
    return unpacked


def _text(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    sample = content[:2000]
    if len(sample) > 8 and b"\x00" in sample:
        # UTF-16 without its mark: every other byte of Latin text is zero
        odd, even = sample[1::2].count(0) / len(sample[1::2]), sample[::2].count(0) / len(sample[::2])
        if max(odd, even) > 0.9:
            return content.decode("utf-16-le" if odd > even else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
