"""Potentials that were trained here, by name: found in the store, and put into a file that jobs can read."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PotentialError, StoreError
from ..files import write_bytes_atomically
from ..potentials.model_file import SUFFIX
from ..potentials.specification import PotentialSpecification
from .documents.potential import CONTENT_FIELD, PotentialDoc
from .documents.registry import parse_document

if TYPE_CHECKING:
    from maggma.core import Store

SHORTEST_DIGEST = 8
"""Characters of a sha256 that are taken for one."""


@dataclass(frozen=True)
class StudentPotential:
    """A trained potential as the store has it.

    Parameters
    ----------
    uuid : str
        Job that made its document.
    index : int
        How many times that job had replaced itself.
    document : PotentialDoc
        The document, with a reference in place of the model file's bytes.
    """

    uuid: str
    index: int
    document: PotentialDoc


def list_student_potentials(store: Store) -> list[StudentPotential]:
    """List the trained potentials of a store.

    Parameters
    ----------
    store : JobStore
        A connected store.

    Returns
    -------
    list of StudentPotential
        The newest of each name, sorted by name.

    Raises
    ------
    StoreError
        If a document cannot be read.
    """
    newest: dict[str, StudentPotential] = {}
    for student in _students(store, {}):
        newest.setdefault(student.document.name, student)
    return [newest[name] for name in sorted(newest)]


def find_student_potential(store: Store, identifier: str) -> StudentPotential | None:
    """Find a trained potential.

    Parameters
    ----------
    store : JobStore
        A connected store.
    identifier : str
        Its name, of which the newest is meant, or the beginning of the sha256 of its weights or its file.

    Returns
    -------
    StudentPotential or None
        None where the store has none.

    Raises
    ------
    StoreError
        If the beginning of a sha256 fits several, or the document cannot be read.
    """
    named = next(_students(store, {"output.name": identifier}, limit=1), None)
    if named is not None or not _is_digest(identifier):
        return named
    end = identifier[:-1] + chr(ord(identifier[-1]) + 1)
    between = {"$gte": identifier, "$lt": end}
    criteria = {"$or": [{"output.weights_sha256": between}, {"output.file.sha256": between}]}
    found: dict[str, StudentPotential] = {}
    for student in _students(store, criteria):
        found.setdefault(student.document.file.sha256, student)
    if len(found) > 1:
        shown = ", ".join(sorted(digest[:16] for digest in found))
        raise StoreError(f"{len(found)} trained potentials begin with '{identifier}' ({shown}): give more characters.")
    return next(iter(found.values()), None)


def require_student_potential(store: Store, identifier: str) -> StudentPotential:
    """Find a trained potential that must be there.

    Parameters
    ----------
    store : JobStore
        A connected store.
    identifier : str
        Its name, or the beginning of a sha256.

    Returns
    -------
    StudentPotential
        The potential.

    Raises
    ------
    StoreError
        If the store has none of that name, or several begin so.
    """
    found = find_student_potential(store, identifier)
    if found is None:
        names = ", ".join(student.document.name for student in list_student_potentials(store)) or "none"
        raise StoreError(
            f"The store has no trained potential '{identifier}' (it has {names}): "
            "`superion potential list` shows all, and `superion potential distil` trains one."
        )
    return found


def model_file_content(store: Store, student: StudentPotential) -> bytes:
    """Read the bytes of a model file from the store, and check them.

    Parameters
    ----------
    store : JobStore
        A connected store.
    student : StudentPotential
        The potential.

    Returns
    -------
    bytes
        Content of the model file.

    Raises
    ------
    StoreError
        If neither the store nor the path in the document has the file as it was registered.
    """
    content = _content_in_store(store, student)
    file = student.document.file
    if content is None:
        content = _content_at(Path(file.path))
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        raise StoreError(
            f"The model file of the potential {student.document.name} ({file.sha256[:16]}) is neither whole in the "
            f"store nor at {file.path}: restore the store from a backup, or train the potential again."
        )
    return content


def decoded_content(text: str) -> bytes | None:
    """Decode the bytes of a model file.

    Parameters
    ----------
    text : str
        Base64.

    Returns
    -------
    bytes or None
        None where the text is no base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def model_file_in(folder: Path, sha256: str, content: bytes | None) -> Path | None:
    """Give the file of a model in a folder, writing it where it is missing.

    Parameters
    ----------
    folder : Path
        Folder of model files, named by their sha256.
    sha256 : str
        Digest of the file's bytes.
    content : bytes or None
        The bytes; None where they are not at hand.

    Returns
    -------
    Path or None
        The file, absolute; None where it is missing and cannot be written for want of its bytes.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    path = folder.absolute() / f"{sha256}{SUFFIX}"
    try:
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
        if content is None or hashlib.sha256(content).hexdigest() != sha256:
            return None
        write_bytes_atomically(path, content)
    except OSError as error:
        raise StoreError(
            f"The model file {path} cannot be written ({error.strerror or error}): make its folder writable and see "
            "that the disk has room."
        ) from error
    return path


def student_specification(document: PotentialDoc, path: Path, *, force: bool = False) -> PotentialSpecification:
    """Say how a trained potential is loaded.

    Parameters
    ----------
    document : PotentialDoc
        Its document.
    path : Path
        Its model file.
    force : bool
        Whether to use it though it was rejected.

    Returns
    -------
    PotentialSpecification
        MACE with that file; where it is forced, with the option that says so.

    Raises
    ------
    PotentialError
        If it was rejected and is not forced.
    """
    rejected = document.verdict == "rejected"
    if rejected and not force:
        why = "; ".join(reason.rstrip(".") for reason in document.reasons) or "no reason is recorded"
        raise PotentialError(
            f"The potential {document.name} was rejected ({why}): train it further, or use it all the same by --force "
            "(in files with `options: {force: true}`, beside `distil` with `force: true`); everything computed with it "
            "will say so."
        )
    return PotentialSpecification(name="mace", model=str(path), options={"force": True} if rejected else {})


def _students(store: Store, criteria: dict[str, Any], limit: int = 0) -> Iterator[StudentPotential]:
    """Read documents of trained potentials, the newest first."""
    wanted = {"output.doc_type": "potential", **criteria}
    for entry in store.query(wanted, sort={"output.provenance.created_at": -1}, limit=limit):
        document = parse_document(entry["output"])
        if isinstance(document, PotentialDoc):
            yield StudentPotential(entry["uuid"], entry["index"], document)


def _content_in_store(store: Store, student: StudentPotential) -> bytes | None:
    """Read the bytes from the store of bulk data; None where they are missing there."""
    try:
        entry = store.query_one(
            {"uuid": student.uuid, "index": student.index}, properties=[f"output.{CONTENT_FIELD}"], load=True
        )
    except (StoreError, KeyError, ValueError):
        return None
    text = ((entry or {}).get("output") or {}).get(CONTENT_FIELD)
    return decoded_content(text) if isinstance(text, str) else None


def _content_at(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is_digest(text: str) -> bool:
    return len(text) >= SHORTEST_DIGEST and all(letter in "0123456789abcdef" for letter in text)
