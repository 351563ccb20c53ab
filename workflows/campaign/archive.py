"""The file by which campaigns are handed to colleagues: a ZIP archive of plain JSON."""

from __future__ import annotations

import json
import lzma
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import SettingsError

FORMAT = "superion campaign export"
FORMAT_VERSION = 1

MANIFEST = "manifest.json"
RECORD = "campaign.json"
CANDIDATES = "candidates.jsonl"
DOCUMENTS = "stage_documents.jsonl"
MEMBERS = (MANIFEST, RECORD, CANDIDATES, DOCUMENTS)

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
)
"""What Python's ZIP reader raises for an archive that is damaged, encrypted, or packed in a way unknown to it."""

MAXIMUM_BYTES = 4_000_000_000
"""Greatest size of all members together, unpacked."""
MAXIMUM_LINE_BYTES = 32_000_000
"""Greatest size of one candidate or document."""


def to_json(data: Any) -> str:
    """Write plain data as strict JSON in one line.

    Parameters
    ----------
    data : object
        Plain data; an infinite number, which JSON does not know, becomes a string that pydantic reads as one.

    Returns
    -------
    str
        Without line breaks.

    Examples
    --------
    >>> to_json({"interval": (0.0, float("inf"))})
    '{"interval":[0.0,"Infinity"]}'
    """
    return json.dumps(_finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return data


class ArchiveSize:
    """Counts what goes into an archive, so that nobody writes one that no import takes."""

    def __init__(self) -> None:
        self._left = MAXIMUM_BYTES

    def add(self, line: bytes, what: str) -> None:
        """Count a line.

        Parameters
        ----------
        line : bytes
            The line, with its end.
        what : str
            What it is about, for the message.

        Raises
        ------
        SettingsError
            If it, or all of them together, are larger than an import allows.
        """
        self._left -= len(line)
        if len(line) > MAXIMUM_LINE_BYTES:
            raise SettingsError(
                f"What is known of {what} takes {len(line) / 1e6:.3g} MB in one piece, and an import takes "
                f"{MAXIMUM_LINE_BYTES / 1e6:g} MB: submit a campaign of another name without it, for which nothing is "
                "computed again, and export that."
            )
        if self._left < 0:
            raise SettingsError(
                f"The export would hold more than the {MAXIMUM_BYTES / 1e9:g} GB that an import takes: submit "
                "campaigns of other names with fewer candidates each, for which nothing is computed again, and export "
                "those."
            )


class ArchiveReader:
    """Reads the members of an archive from a stranger: nothing is unpacked to the disk, and sizes are limited.

    Parameters
    ----------
    path : Path
        The archive.

    Raises
    ------
    SettingsError
        If it is none, holds anything else, or is larger than allowed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise SettingsError(f"There is no file {path}: check its path.") from None
        except _DAMAGE as error:
            raise self.refusal(f"it is no export of a campaign ({error})") from None
        entries = self._zip.infolist()
        names = [entry.filename for entry in entries]
        if sorted(names) != sorted(MEMBERS):
            odd = sorted(set(names) ^ set(MEMBERS)) or ["a name twice"]
            raise self.refusal(f"an export holds {', '.join(MEMBERS)} and nothing else, see {str(odd[0])[:100]!r}")
        # What the archive claims; what it really holds is counted while reading.
        if sum(entry.file_size for entry in entries) > MAXIMUM_BYTES:
            raise self.refusal(f"it holds more than {MAXIMUM_BYTES / 1e9:g} GB")
        self._left = MAXIMUM_BYTES

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def refusal(self, reason: str, member: str | None = None, line: int | None = None) -> SettingsError:
        """Make the error that says why the archive is refused.

        Parameters
        ----------
        reason : str
            Why.
        member : str or None
            Which member.
        line : int or None
            Which line of it, from 1.

        Returns
        -------
        SettingsError
            One sentence.
        """
        where = "" if member is None else f" {member}{'' if line is None else f', line {line}'}:"
        return SettingsError(
            f"{self.path.name} cannot be imported:{where} {reason.rstrip('.')}; nothing of it was taken, "
            "so ask for a new export."
        )

    def document(self, member: str) -> Any:
        """Read a member that is one JSON document.

        Parameters
        ----------
        member : str
            Its name.

        Returns
        -------
        object
            Plain data.
        """
        for _, data in self.lines(member):
            return data
        raise self.refusal("it is empty", member)

    def lines(self, member: str) -> Iterator[tuple[int, Any]]:
        """Read a member that has one JSON document per line.

        Parameters
        ----------
        member : str
            Its name.

        Yields
        ------
        int
            Number of the line, from 1.
        object
            Plain data.
        """
        try:
            with self._zip.open(member) as opened:
                number = 0
                while line := opened.readline(MAXIMUM_LINE_BYTES + 1):
                    number += 1
                    self._left -= len(line)
                    if len(line) > MAXIMUM_LINE_BYTES or self._left < 0:
                        raise self.refusal("it is larger than allowed", member, number)
                    if line.strip():
                        yield number, self._parse(line, member, number)
        except _DAMAGE as error:
            raise self.refusal(f"it cannot be unpacked ({error})", member) from None

    def _parse(self, line: bytes, member: str, number: int) -> Any:
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self.refusal(f"it is no JSON ({str(error)[:80]})", member, number) from None
