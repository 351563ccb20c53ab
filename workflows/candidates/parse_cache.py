"""Structures that were parsed and checked before, by the content of their file: ten thousand CIFs are read once."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import StructureError
from ...user_cache import cache_folder

if TYPE_CHECKING:
    from ...structures.read import StructureReading

READERS = (
    *("charge_range", "completeness", "declared_composition", "mobile_ion", "oxidation"),
    *("oxygen_bonds", "plain_structure", "poscar_counts", "read", "rejection", "validate", "whole_cell_formats"),
)
"""Modules of `superion.structures` that decide what comes out of a file, beside all those of its folder `cif`."""

Readings = list["StructureReading | StructureError"]


def cached_readings(file: Path, read: Callable[[Path], Readings]) -> Readings:
    """Read a file, or take what was read of the same bytes before.

    A cache that cannot be written or is damaged is passed over: the file is read then.

    Parameters
    ----------
    file : Path
        The file.
    read : callable
        Reads it.

    Returns
    -------
    list of StructureReading or StructureError
        One for each structure in it.
    """
    folder = cache_folder()
    if folder is None:
        return read(file)
    try:
        key = _key(file)
    except OSError:
        return read(file)
    stored = _load(folder, key)
    if stored is not None:
        return stored
    readings = read(file)
    _save(folder, key, readings)
    return readings


def _key(file: Path) -> str:
    """Name the content of a file, how it is read by its name, and who reads it."""
    digest = hashlib.sha256(_readers().encode())
    # The ending chooses the parser, and notes name the file.
    digest.update(file.name.encode() + b"\0")
    with file.open("rb") as opened:
        digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


@cache
def _readers() -> str:
    """Name all that decides what comes out of a file: the libraries, and the text of our own readers."""
    from importlib import import_module
    from importlib.metadata import version

    parts = [import_module(f"...structures.{name}", __package__) for name in READERS]
    cif = import_module("...structures.cif", __package__)
    files = [Path(str(part.__file__)) for part in parts] + sorted(Path(str(cif.__file__)).parent.glob("*.py"))
    ours = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    return " ".join([ours.hexdigest(), *(version(library) for library in ("pymatgen-core", "ase", "gemmi", "spglib"))])


def _connect(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "structures.db", timeout=20.0)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS readings (key TEXT PRIMARY KEY, content BLOB) WITHOUT ROWID")
    return connection


@cache
def _connection(folder: Path, process: int) -> sqlite3.Connection:
    """One connection for each process: SQLite's must not cross a fork."""
    return _connect(folder)


def _load(folder: Path, key: str) -> Readings | None:
    try:
        found = (
            _connection(folder, os.getpid()).execute("SELECT content FROM readings WHERE key = ?", (key,)).fetchone()
        )
        return None if found is None else _decode(orjson.loads(zlib.decompress(found[0])))
    except (sqlite3.Error, OSError, ValueError, KeyError, TypeError, zlib.error, StructureError):
        return None


def _save(folder: Path, key: str, readings: Readings) -> None:
    if any(isinstance(reading, StructureError) for reading in readings):
        # A refusal may be due to a parser that is mended tomorrow, and is found again quickly.
        return
    try:
        content = zlib.compress(orjson.dumps(_encode(readings), option=orjson.OPT_SERIALIZE_NUMPY), 1)
        with _connection(folder, os.getpid()) as connection:
            connection.execute("INSERT OR REPLACE INTO readings VALUES (?, ?)", (key, content))
    except (sqlite3.Error, OSError, TypeError):
        return


def _encode(readings: Readings) -> list[dict[str, Any]]:
    from ...structures.plain_structure import structure_to_plain

    return [
        {"structure": structure_to_plain(reading.structure), "source": reading.source, "notes": list(reading.notes)}
        for reading in readings
        if not isinstance(reading, StructureError)
    ]


def _decode(items: list[dict[str, Any]]) -> Readings:
    from ...structures.plain_structure import structure_from_plain
    from ...structures.read import StructureReading

    return [
        StructureReading(structure_from_plain(item["structure"]), item["source"], tuple(item["notes"]))
        for item in items
    ]
