"""Bulk data of documents as content-addressed files beside the embedded store."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from maggma.core import Sort
from monty.json import jsanitize

from ..errors import StoreError
from .mongo_projection import compile_projection
from .sqlite_store import SqliteStore
from .stored_json import decode, encode


class BlobFolder:
    """Files named by the sha256 of their content.

    Parameters
    ----------
    root : str or Path
        The folder; made when the first file is written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> blobs = BlobFolder(folder.name)
    >>> blobs.read(blobs.write(b"frames"))
    b'frames'
    >>> folder.cleanup()
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def path_of(self, sha256: str) -> Path:
        """Give the file of a content, whether it is there or not.

        Parameters
        ----------
        sha256 : str
            Hex digest of the content.

        Returns
        -------
        Path
            The file.
        """
        return self.root / sha256[:2] / f"{sha256}.zlib"

    def write(self, content: bytes) -> str:
        """Keep a content; once this returns it is on the disk, and a file of it that was damaged is whole again.

        Parameters
        ----------
        content : bytes
            Anything; it is compressed.

        Returns
        -------
        str
            Its sha256 in hex.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path_of(sha256)
        if self.is_whole(sha256):
            return sha256
        temporary = ""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.compress(content, level=3))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
            _sync_folder(target.parent)
        except OSError as error:
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)
            raise StoreError(
                f"Bulk data cannot be written under {self.root} ({error.strerror}): "
                "make the folder writable and see that the disk has room."
            ) from error
        return sha256

    def is_whole(self, sha256: str) -> bool:
        """Tell whether a content is there, undamaged.

        Parameters
        ----------
        sha256 : str
            Hex digest of the content.

        Returns
        -------
        bool
            Whether `read` would give it.
        """
        if not self.path_of(sha256).exists():
            return False
        try:
            self.read(sha256)
        except StoreError:
            return False
        return True

    def read(self, sha256: str) -> bytes:
        """Read a content back and check it.

        Parameters
        ----------
        sha256 : str
            Hex digest of the content.

        Returns
        -------
        bytes
            The content.

        Raises
        ------
        StoreError
            If the file is missing or damaged.
        """
        path = self.path_of(sha256)
        try:
            content = zlib.decompress(path.read_bytes())
        except OSError as error:
            raise StoreError(
                f"The bulk data {path} cannot be read ({error.strerror}): restore the file from a copy."
            ) from error
        except zlib.error as error:
            raise StoreError(f"The bulk data {path} is damaged: restore the file from a copy.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(f"The bulk data {path} is damaged: restore the file from a copy.")
        return content

    def remove(self, sha256: str) -> None:
        """Remove a content if it is there.

        Parameters
        ----------
        sha256 : str
            Hex digest of the content.
        """
        self.path_of(sha256).unlink(missing_ok=True)


class BlobStore(SqliteStore):
    """A maggma Store whose bulk fields lie in files: jobflow's additional store for `data`.

    Everything but the bulk fields can be queried; equal contents are kept once.

    Parameters
    ----------
    path : str or Path
        SQLite file that keeps which document has which content; may be that of the documents.
    blob_folder : str or Path
        Folder of the files.
    collection_name : str
        Name of the collection.
    blob_fields : sequence of str
        Top-level fields that go into files.
    timeout_s : float
        How long a write waits for those of other processes, in s.
    **kwargs
        As for every maggma Store.
    """

    def __init__(
        self,
        path: str | Path,
        blob_folder: str | Path,
        collection_name: str = "blobs",
        blob_fields: list[str] | tuple[str, ...] = ("data",),
        timeout_s: float = 60.0,
        **kwargs: Any,
    ) -> None:
        self.blob_folder = str(Path(blob_folder).expanduser().absolute())
        self.blob_fields = list(blob_fields)
        super().__init__(path, collection_name=collection_name, timeout_s=timeout_s, **kwargs)

    @property
    def blobs(self) -> BlobFolder:
        """The files, apart from those of other collections."""
        return BlobFolder(Path(self.blob_folder) / self.collection_name)

    def connect(self, force_reset: bool = False) -> None:
        """Open the store, as `SqliteStore.connect` does, and index what its bookkeeping looks up.

        Parameters
        ----------
        force_reset : bool
            Open it anew even if it is open.
        """
        was_connected = self._coll is not None and not force_reset
        super().connect(force_reset)
        if not was_connected:
            wanted = {"job_uuid", *(_reference_path(field) for field in self.blob_fields)}
            for path in sorted(wanted - self._collection.indexed_paths()):
                self._collection.create_index(path)

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Write the bulk fields into files, then the documents; see `SqliteStore.update`.

        Parameters
        ----------
        docs : dict or list of dict
            Documents.
        key : str or list of str, optional
            Field or fields by which documents are the same.
        """
        wanted = key or self.key
        fields: list[str] = [wanted] if isinstance(wanted, str) else list(wanted)
        contents: dict[str, bytes] = {}
        slim = []
        for document in docs if isinstance(docs, list) else [docs]:
            clean = jsanitize(document, allow_bson=True, recursive_msonable=True)
            for field in self.blob_fields:
                if field in clean:
                    content = encode({"": clean[field]}).encode()
                    sha256 = self.blobs.write(content)
                    contents[sha256] = content
                    clean[field] = {"sha256": sha256, "size_bytes": len(content)}
            slim.append(clean)
        replaced: set[str] = set()
        with self._collection.database.writing():
            # A clean-up may have removed a file since it was written; none runs while this lock is held.
            for sha256, content in contents.items():
                if not self.blobs.path_of(sha256).exists():
                    self.blobs.write(content)
            for clean in slim:
                replaced |= self._contents_of({field: clean[field] for field in fields})
            super().update(slim, key)
        self._remove_unreferenced(replaced - set(contents))

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Yield the documents that match, their bulk fields read from the files where asked for.

        Parameters
        ----------
        criteria : dict, optional
            MongoDB query criteria, on other fields than the bulk ones.
        properties : list or dict, optional
            Fields to return; name no bulk field to leave the files unread.
        sort : dict, optional
            Paths and directions.
        skip : int
            Documents to leave out at the start.
        limit : int
            Greatest number of documents; 0 for all.

        Yields
        ------
        dict
            Documents.
        """
        project = compile_projection(properties)
        for document in super().query(criteria, sort=sort, skip=skip, limit=limit):
            needed = self.blob_fields if project is None else [f for f in self.blob_fields if project({f: {}})]
            for field in needed:
                reference = document.get(field)
                if isinstance(reference, Mapping):
                    document[field] = decode(self.blobs.read(reference["sha256"]).decode())[""]
            yield project(document) if project else document

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match, and the files that nothing needs any more.

        Parameters
        ----------
        criteria : dict
            MongoDB query criteria, on other fields than the bulk ones.
        """
        contents = self._contents_of(criteria)
        super().remove_docs(criteria)
        self._remove_unreferenced(contents)

    def _contents_of(self, criteria: dict[str, Any]) -> set[str]:
        """List the contents that the documents that match refer to."""
        return {
            document[field]["sha256"]
            for document in super().query(criteria)
            for field in self.blob_fields
            if isinstance(document.get(field), Mapping)
        }

    def _remove_unreferenced(self, contents: set[str]) -> None:
        """Remove files that no document refers to; a kill in between leaves a file too many, never one too few."""
        if not contents:
            return
        with self._collection.database.writing():
            for sha256 in contents:
                if not any(self.count({_reference_path(field): sha256}) for field in self.blob_fields):
                    self.blobs.remove(sha256)


def _reference_path(field: str) -> str:
    return f"{field}.sha256"


def _sync_folder(folder: Path) -> None:
    """Put a rename on the disk; some systems cannot, and then do so by themselves."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
