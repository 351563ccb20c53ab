"""Candidates from structure files, folders and globs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...database.documents.candidate_summary import CandidateOrigin
from ...errors import SettingsError
from .one_file import read_candidates_of_file
from .source import CandidateSource, CandidateSourceSettings, RawCandidate, UnreadableCandidate

STRUCTURE_SUFFIXES = (
    ".cif",
    ".mcif",
    ".vasp",
    ".poscar",
    ".extxyz",
    ".xyz",
    ".json",
    ".jsonl",
    ".cssr",
    ".xsf",
    ".res",
)
"""Endings of the files that are taken from a folder; any name is taken that is given or found by a glob."""

_MAGIC = "*?["


class FilesSettings(CandidateSourceSettings):
    """Structure files."""

    kind: Literal["files"] = "files"
    paths: tuple[str, ...] = Field(
        min_length=1,
        description="files, folders and globs such as cifs/**/*.cif, from the folder of the campaign file; also names "
        "of shipped examples such as Li6PS5Cl",
    )


class FilesSource(CandidateSource):
    """Reads every structure of every file: CIF, POSCAR, extxyz, JSON, or another format with all atoms of the cell."""

    kind: ClassVar[str] = "files"
    description: ClassVar[str] = "structure files: CIF, POSCAR, extxyz, or another format with all atoms of the cell"
    settings_model: ClassVar[type[CandidateSourceSettings]] = FilesSettings

    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Read the files in the order of the paths, and of their names where a path stands for several.

        Parameters
        ----------
        settings : FilesSettings
            The paths.
        base_folder : Path
            Folder of the campaign file.

        Yields
        ------
        RawCandidate or UnreadableCandidate
            One for each structure.

        Raises
        ------
        SettingsError
            If a path leads to nothing.
        """
        for file, identifier in find_files(settings.paths, base_folder):
            origin = CandidateOrigin(source=self.kind, identifier=identifier)
            yield from read_candidates_of_file(file, Path(identifier).name, origin)


def find_files(paths: tuple[str, ...], base_folder: Path) -> list[tuple[Path, str]]:
    """Find the files that paths, folders, globs and names of shipped examples stand for.

    Parameters
    ----------
    paths : tuple of str
        As the user wrote them.
    base_folder : Path
        Where relative ones start.

    Returns
    -------
    list of tuple of Path and str
        Each file once, with its name for readers: relative to the folder where that is possible.

    Raises
    ------
    SettingsError
        If a path leads to nothing.
    """
    from ...structures.read import bundled_structures

    found: dict[Path, str] = {}
    for written in paths:
        matches = _matches(written, base_folder)
        if not matches and written in bundled_structures():
            found.setdefault(bundled_structures()[written], written)
            continue
        if not matches:
            raise SettingsError(
                f"There is no structure file for '{written}' in {base_folder.name or base_folder}: "
                "correct the path in the campaign file; paths start at its folder."
            )
        for file in matches:
            found.setdefault(file, _readable_name(file, base_folder))
    return list(found.items())


def _matches(written: str, base_folder: Path) -> list[Path]:
    """Find the files of one path, sorted by name."""
    try:
        path = base_folder / Path(written).expanduser()
        if path.is_file():
            return [path]
        if path.is_dir():
            return sorted(file for file in path.iterdir() if file.is_file() and _is_structure_name(file.name))
    except (OSError, RuntimeError, ValueError):
        return []
    if not any(letter in written for letter in _MAGIC):
        return []
    from glob import glob

    pattern = os.path.expanduser(written)
    names = glob(pattern, root_dir=None if os.path.isabs(pattern) else base_folder, recursive=True)
    return sorted(file for name in names if (file := base_folder / name).is_file())


def _is_structure_name(name: str) -> bool:
    lower = name.lower().removesuffix(".gz")
    return lower.endswith(STRUCTURE_SUFFIXES) or lower.startswith(("poscar", "contcar"))


def _readable_name(file: Path, base_folder: Path) -> str:
    try:
        return file.relative_to(base_folder).as_posix()
    except ValueError:
        return file.name
