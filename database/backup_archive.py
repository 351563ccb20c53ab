"""The file of a backup: a ZIP archive of JSON lines with the sha256 of every member."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .. import __version__
from ..errors import StoreError
from .stored_json import decode, encode

FORMAT = "superion store backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
)
"""What Python's ZIP reader raises for an archive that is damaged, encrypted, or packed in a way unknown to it."""


class BackupMember(BaseModel):
    """One collection in a backup."""

    model_config = ConfigDict(frozen=True)

    n_documents: int = Field(ge=0, description="number of lines")
    sha256: str = Field(description="of the unpacked member")


class BackupManifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(frozen=True)

    format: str = Field(description="always the same")
    format_version: int = Field(description="version of the format")
    superion_version: str = Field(description="version of superion that wrote it")
    created_at: datetime = Field(description="when, UTC")
    members: dict[str, BackupMember] = Field(description="by name in the archive")


class BackupWriter:
    """Writes a backup, which appears whole under its name or not at all.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.members: dict[str, BackupMember] = {}
        self._partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")

    def __enter__(self) -> BackupWriter:
        # Results are nobody else's business unless their owner says so.
        descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                manifest = BackupManifest(
                    format=FORMAT,
                    format_version=FORMAT_VERSION,
                    superion_version=__version__,
                    created_at=datetime.now(UTC),
                    members=self.members,
                )
                self._zip.writestr(MANIFEST, manifest.model_dump_json())
            self._zip.close()
            if error is None:
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            if error is None:
                os.replace(self._partial, self.path)
        finally:
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def add(self, member: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Add a collection, one document at a time.

        Parameters
        ----------
        member : str
            Its name in the archive.
        documents : iterable of mapping
            Documents as stores give them.
        """
        digest = hashlib.sha256()
        n_documents = 0
        with self._zip.open(member, "w", force_zip64=True) as opened:
            for document in documents:
                line = encode(document).encode() + b"\n"
                digest.update(line)
                opened.write(line)
                n_documents += 1
        self.members[member] = BackupMember(n_documents=n_documents, sha256=digest.hexdigest())


class BackupReader:
    """Reads a backup.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    StoreError
        If it is no backup, or one of a newer superion.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = BackupManifest.model_validate_json(self._zip.read(MANIFEST))
        except OSError as error:
            raise StoreError(f"The backup {path} cannot be read ({error.strerror}): check its path.") from None
        except (KeyError, ValidationError, *_DAMAGE):
            raise StoreError(f"The file {path} is no backup of a store, or is damaged: name another one.") from None
        if self.manifest.format != FORMAT or self.manifest.format_version > FORMAT_VERSION:
            raise StoreError(
                f"The backup {path} was written by superion {self.manifest.superion_version} in a format that this "
                "one does not know: update superion."
            )

    def __enter__(self) -> BackupReader:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def check(self) -> None:
        """Read all of it, and compare what is there with what was written.

        Raises
        ------
        StoreError
            If anything is missing or changed.
        """
        for member, expected in self.manifest.members.items():
            digest = hashlib.sha256()
            n_documents = 0
            for line in self._lines(member):
                digest.update(line)
                n_documents += 1
            if (n_documents, digest.hexdigest()) != (expected.n_documents, expected.sha256):
                raise self._damaged(member)

    def documents(self, member: str) -> Iterator[dict[str, Any]]:
        """Read a collection.

        Parameters
        ----------
        member : str
            Its name in the archive.

        Yields
        ------
        dict
            Documents, one at a time.
        """
        for line in self._lines(member):
            try:
                yield decode(line.decode())
            except (ValueError, KeyError, json.JSONDecodeError):
                raise self._damaged(member) from None

    def _lines(self, member: str) -> Iterator[bytes]:
        try:
            with self._zip.open(member) as opened:
                yield from opened
        except (KeyError, OSError, *_DAMAGE):
            raise self._damaged(member) from None

    def _damaged(self, member: str) -> StoreError:
        return StoreError(
            f"The backup {self.path} is damaged in {member}: nothing can be relied on in it, take another one."
        )
